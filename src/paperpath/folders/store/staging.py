"""Files that are to become messages, in tmp of the folder they go to: written, or linked, and named.

Used by appending.py and transfer.py. What is left here by who died is removed after 36 hours (upkeep.py).
"""

import errno
import itertools
import os
import secrets

from paperpath.folders.names import add_size, add_verbatim
from paperpath.folders.store.home import Home
from paperpath.service.durable import write_all

_COPIED_AT_ONCE = 1 << 20
_NO_LINK = frozenset({errno.EXDEV, errno.EMLINK, errno.EPERM, errno.EOPNOTSUPP})
_FILE_MODE = 0o600
_numbers = itertools.count()


def make_base(home: Home, octets: int, *, verbatim: bool) -> str:
    """Make a name that no file has had, for a message of so many stored octets (requirement F-7)."""
    seconds, micros = divmod(home.clock_ns() // 1000, 1_000_000)
    unique = f"{os.getpid()}Q{next(_numbers)}X{secrets.token_hex(4)}"  # should the clock go back
    name = add_size(f"{seconds}.M{micros}P{unique}.{home.host}", octets)
    return add_verbatim(name) if verbatim else name


def create_file(directory: int, name: str) -> int:
    """Make a file, its owner's alone, and open it to write and read; the caller closes. Raises: OSError."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(name, flags, _FILE_MODE, dir_fd=directory)
    os.fchmod(descriptor, _FILE_MODE)  # whatever the umask
    return descriptor


def link_file(source: int, name: str, target: int, new_name: str) -> None:
    """Give a file another name in another directory, or copy it where that cannot be. Raises: OSError."""
    try:
        os.link(name, new_name, src_dir_fd=source, dst_dir_fd=target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        _copy_file(source, name, target, new_name)


def _copy_file(source: int, name: str, target: int, new_name: str) -> None:
    original = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=source)
    try:
        copy = create_file(target, new_name)
        try:
            while octets := os.read(original, _COPIED_AT_ONCE):
                write_all(copy, octets)
            found = os.fstat(original)
            os.utime(copy, ns=(found.st_atime_ns, found.st_mtime_ns))
            os.fsync(copy)
        finally:
            os.close(copy)
    finally:
        os.close(original)
