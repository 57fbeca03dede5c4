"""Users of this machine who have a mailbox by that alone: who of those that passwd(5) knows, and as what.

The router asks for a local part, and so does the helper that delivers to users, which believes nobody else.
Who counts is decided by the number of the user alone, as useradd(8) gives numbers to people: never root, nor
who owns a service. Names are looked up where the host looks them up (nsswitch.conf), and remembered for a
minute, or until /etc/passwd changes. A host that cannot tell now who somebody is, as while its directory
service is away, does not thereby say that there is nobody of that name: UserLookUpError says so instead.
"""

import ctypes
import errno
import os
import pwd
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from paperpath.service.watched_file import Sight, look_at

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@$-]{0,63}")
_WAY = "user:"
_FILE = Path("/etc/passwd")
_REMEMBERED_S = 60.0
_MOST_REMEMBERED = 10_000  # names that strangers made up among them
_NOT_THERE = frozenset({0, errno.ENOENT, errno.ESRCH, errno.EBADF, errno.EPERM})  # by getpwnam(3)
_ENTRY_OCTETS, _TEXT_OCTETS = 256, 64 * 1024  # more than a struct passwd takes, and than its texts do


class UserLookUpError(Exception):
    """The host cannot tell now whether it has a user."""


@dataclass(frozen=True, slots=True)
class SystemUser:
    """What passwd(5) says of a user, as far as it counts here."""

    name: str
    uid: int
    gid: int
    home: Path


def is_login_name(text: str) -> bool:
    """Tell whether a text can be a login name; nothing else is looked up, or believed to be one."""
    return _NAME.fullmatch(text) is not None


def make_user_way(name: str) -> str:
    """Return the destination of a user's mail."""
    return _WAY + name


def find_user_name(destination: str) -> str:
    """Return whose mail a destination is for, empty for other destinations."""
    return destination.removeprefix(_WAY) if destination.startswith(_WAY) else ""


LookUp = Callable[[str], SystemUser | None]


@dataclass(frozen=True, slots=True)
class Users:
    """Those with a number from the first to the last."""

    look_up: LookUp
    first_uid: int
    last_uid: int

    def find(self, local: str) -> SystemUser | None:
        """Return whom a local part names, spelt so, else in small letters (requirement E-5).

        Raises: UserLookUpError.
        """
        for name in dict.fromkeys((local, local.lower())) if is_login_name(local) else ():
            user = self.look_up(name)
            if user is not None and self._counts(user):
                return user
        return None

    def _counts(self, user: SystemUser) -> bool:
        is_numbered = user.uid != 0 and self.first_uid <= user.uid <= self.last_uid
        return is_numbered and is_login_name(user.name)


def read_entry(name: str) -> SystemUser | None:
    """Ask the host for a user. It may wait for a directory service. Raises: UserLookUpError."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        _refuse_doubt(name)
        return None
    return SystemUser(entry.pw_name, entry.pw_uid, entry.pw_gid, Path(entry.pw_dir))


def _refuse_doubt(name: str) -> None:
    """Ask once more for who was not found: whether the host could look at all, Python does not tell.

    Raises: UserLookUpError.
    """
    entry, texts = ctypes.create_string_buffer(_ENTRY_OCTETS), ctypes.create_string_buffer(_TEXT_OCTETS)
    found, most = ctypes.c_void_p(), ctypes.c_size_t(_TEXT_OCTETS)
    number = ctypes.CDLL(None).getpwnam_r(name.encode(), entry, texts, most, ctypes.byref(found))
    if number not in _NOT_THERE:
        raise UserLookUpError(f"{name} cannot be looked up: {os.strerror(number)}")


class RememberedEntries:
    """What the host said of names a moment ago; for one thread at a time, or for more, which ask twice."""

    def __init__(
        self,
        read: LookUp = read_entry,
        file: Path = _FILE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with nothing remembered; `file` is where most users come from."""
        self._read = read
        self._file = str(file)
        self._clock = clock
        self._seen: Sight | None = None
        self._entries: dict[str, tuple[float, SystemUser | None]] = {}

    def look_up(self, name: str) -> SystemUser | None:
        """Return what is known of a name, or ask. Raises: UserLookUpError."""
        seen, now_s = look_at(self._file), self._clock()
        if seen != self._seen or len(self._entries) >= _MOST_REMEMBERED:
            self._seen, self._entries = seen, {}
        asked_s, user = self._entries.get(name, (None, None))
        if asked_s is None or now_s >= asked_s + _REMEMBERED_S:
            user = self._read(name)
            self._entries[name] = now_s, user
        return user
