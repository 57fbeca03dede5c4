"""An mbox opened and locked against everybody else who writes to it, in both ways that there are.

Called by mbox.py. First the lock by fcntl, then the file NAME.lock, neither waited for while the other is
held: so nobody who takes them in the other order waits for us for ever (requirement F-12). The lock by fcntl
is one of the open file, not of the process, so that it holds between threads, too; it goes when its holder
dies. No link is followed, and what is no file of its own is refused (attack L-1).
"""

import errno
import fcntl
import os
import stat
import struct
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from paperpath.folders.dot_lock import DRAFT, DotLock
from paperpath.folders.steps import OpenToAllError

_SUFFIX = ".lock"

_MODE = 0o600
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_WHOLE_FILE = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)  # struct flock, fcntl(2)
_BUSY = frozenset({errno.EAGAIN, errno.EACCES})
_PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class Waiting:
    """How long to wait for a lock, and by which clock."""

    most_s: float = 10.0
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class LockedFile:
    """An open mbox, locked until what was given to `open_locked` is closed."""

    descriptor: int
    lock: DotLock


def open_locked(folder: int, name: str, waiting: Waiting, opened: ExitStack) -> LockedFile:
    """Open an mbox in an open folder, made where it is missing, and lock it; `opened` lets it go.

    Raises: OSError; TimeoutError where somebody else has it locked for too long.
    """
    if name.endswith((_SUFFIX, f"{_SUFFIX}{DRAFT}")):  # somebody else's, who would remove it
        raise OSError(errno.EINVAL, "its name is that of a lock")
    last_s = waiting.clock() + waiting.most_s
    while (locked := _try_to_lock(folder, name, opened)) is None:
        if waiting.clock() >= last_s:
            raise TimeoutError(errno.ETIMEDOUT, "another program has the mailbox locked")
        waiting.pause(_PAUSE_S)
    return locked


def _try_to_lock(folder: int, name: str, opened: ExitStack) -> LockedFile | None:
    with ExitStack() as taken:
        descriptor = _open_file(folder, name)
        if descriptor is None:
            return None
        taken.callback(os.close, descriptor)
        _refuse_odd(os.fstat(descriptor))
        if not _lock(descriptor) or (lock := DotLock.take(folder, f"{name}{_SUFFIX}")) is None:
            return None
        taken.callback(lock.release)
        if not _is_there(descriptor, folder, name):  # it was put aside before we had it locked
            return None
        opened.push(taken.pop_all())
        return LockedFile(descriptor, lock)


def _open_file(folder: int, name: str) -> int | None:
    """Open or make the file; the caller closes. `None` where it went meanwhile. Raises: OSError."""
    try:
        return _make_file(folder, name)
    except FileExistsError:
        pass
    try:
        descriptor = os.open(name, _FLAGS, dir_fd=folder)
    except FileNotFoundError:
        return None
    with suppress(
        PermissionError
    ):  # mail programs tell by the time of access whether there is anything unread
        fcntl.fcntl(descriptor, fcntl.F_SETFL, os.O_APPEND | os.O_NOATIME)
    return descriptor


def _make_file(folder: int, name: str) -> int:
    descriptor = os.open(name, _FLAGS | os.O_CREAT | os.O_EXCL, _MODE, dir_fd=folder)
    try:
        os.fchmod(descriptor, _MODE)  # the umask may have taken something from it
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _refuse_odd(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")
    if found.st_nlink > 1:
        raise OSError(errno.EMLINK, "it is a file with more names than one")
    if found.st_mode & stat.S_IWOTH:
        raise OpenToAllError(errno.EPERM, "every user of the host may write to it")


def _lock(descriptor: int) -> bool:
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _WHOLE_FILE)
    except OSError as error:
        if error.errno in _BUSY:
            return False
        raise
    return True


def _is_there(descriptor: int, folder: int, name: str) -> bool:
    """Tell whether a name still leads to the open file."""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return os.path.samestat(found, os.fstat(descriptor))
