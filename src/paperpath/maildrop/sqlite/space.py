"""Room on the disk: what stops when there is little, and what is kept back for when there is none.

Ways in stop first, at a floor of their own (`least_free` in the configuration). Claims stop at a lower one,
for a delivery may write beside the queue. Settling has a reserve: a file that is given up when the disk is
full, since recipients that cannot be settled would be delivered twice.
"""

import errno
import os
from contextlib import suppress
from pathlib import Path

import apsw

from paperpath.maildrop.errors import StorageError

LEAST_FREE_TO_CLAIM = 2 * 1024 * 1024
RESERVE_OCTETS = 4 * 1024 * 1024
LEAST_FREE_TO_RESERVE = 128 * 1024 * 1024  # a small disk is better off without
FULL_OCTETS = 256 * 1024  # less than that is nothing
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


def check_claims(folder: Path) -> None:
    """Raise StorageError where there is too little room to begin a delivery."""
    free = _free(folder)
    if free < LEAST_FREE_TO_CLAIM:
        raise StorageError(f"only {free} octets are free; nothing is claimed", no_space=True)


def name_want_of_space(error: Exception, connection: apsw.Connection | None) -> Exception:
    """Give the error that says so, where it was for want of space: SQLite says so of plain writes alone."""
    if isinstance(error, apsw.IOError) and connection is not None and connection.system_errno in _NO_SPACE:
        return apsw.FullError(str(error))
    return error


def is_full(error: Exception, folder: Path) -> bool:
    """Tell whether it was for want of space, or may have been."""
    return isinstance(error, apsw.FullError) or (
        isinstance(error, apsw.IOError) and _free(folder) < FULL_OCTETS
    )


def release_reserve(folder: Path) -> bool:
    """Give the reserve up; tell whether there was one."""
    try:
        _reserve(folder).unlink()
    except OSError:
        return False
    return True


def restore_reserve(folder: Path) -> None:
    """Put the reserve back, where there is plenty of room."""
    file = _reserve(folder)
    if _is_whole(file) or _free(folder) < LEAST_FREE_TO_RESERVE:
        return
    with suppress(OSError):
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, RESERVE_OCTETS)
        finally:
            os.close(descriptor)


def _reserve(folder: Path) -> Path:
    return folder / "reserve"


def _is_whole(file: Path) -> bool:
    """Tell whether a reserve is one: who made it may have died before it had its octets."""
    try:
        return file.stat().st_size >= RESERVE_OCTETS
    except OSError:
        return False


def _free(folder: Path) -> int:
    try:
        found = os.statvfs(folder)
    except OSError:  # a disk that cannot be asked has no room
        return 0
    return found.f_bavail * found.f_frsize
