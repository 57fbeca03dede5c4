"""The lock on an mbox that is a file beside it, NAME.lock: whoever made it may write (requirement F-12).

Used by mbox_lock.py, which holds the lock by fcntl whenever it comes here. So a lock of Paperpath on this
host that is there all the same was left by somebody who died, and is removed at once. Any other is believed
for five minutes from when it was last touched, and ours is touched while it is held. Ours is told from others
by what is in it, so that is written first, under another name.
"""

import os
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from paperpath.service.durable import write_all

_STALE_S = 300.0
_TOUCH_S = 60.0
_MOST_OCTETS = 256
DRAFT = ".paperpath"
# Readers of such files expect the number of a process in front, or nothing.
_OURS = f" paperpath on {os.uname().nodename}\n".encode()


class DotLock:
    """The lock, from `take` to `release`."""

    def __init__(self, folder: int, name: str, descriptor: int) -> None:
        """Hold a lock file that was just made, in an open folder; `release` closes it."""
        self._folder = folder
        self._name = name
        self._descriptor = descriptor
        self._touched_s = time.monotonic()

    @classmethod
    def take(cls, folder: int, name: str, clock: Callable[[], float] = time.time) -> Self | None:
        """Make the lock file in an open folder; `None` while somebody else holds the lock. Raises: OSError.

        A stale one is removed, so that the next who comes can make his.
        """
        if (there := _look(folder, name)) is not None:
            if _is_stale(there, folder, name, clock()):
                _remove(folder, name)
            return None
        descriptor = _link_marked(folder, name)
        return None if descriptor is None else cls(folder, name, descriptor)

    def touch(self) -> None:
        """Say that the lock is still held, if that was not said for a minute. Raises: OSError."""
        now_s = time.monotonic()
        if now_s - self._touched_s >= _TOUCH_S:
            os.utime(self._descriptor)
            self._touched_s = now_s

    def release(self) -> None:
        """Remove the lock file, unless somebody took it from us and made his own."""
        with suppress(OSError):  # then it becomes stale
            there = _look(self._folder, self._name)
            if there is not None and os.path.samestat(os.fstat(self._descriptor), there):
                _remove(self._folder, self._name)
        os.close(self._descriptor)


def _link_marked(folder: int, name: str) -> int | None:
    """Make the lock file, ours to everybody from its first moment; `None` where somebody was quicker."""
    draft = f"{name}{DRAFT}"
    _remove(folder, draft)  # of somebody who died
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(draft, flags, 0o600, dir_fd=folder)
    is_linked = False
    try:
        write_all(descriptor, str(os.getpid()).encode() + _OURS)
        os.fdatasync(descriptor)  # the power may leave the name: alone it would be nobody's for five minutes
        with suppress(FileExistsError):
            os.link(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
            is_linked = True
    finally:
        _remove(folder, draft)
        if not is_linked:
            os.close(descriptor)
    return descriptor if is_linked else None


def _is_stale(there: os.stat_result, folder: int, name: str, now_s: float) -> bool:
    return now_s - there.st_mtime > _STALE_S or (stat.S_ISREG(there.st_mode) and _is_ours(folder, name))


def _is_ours(folder: int, name: str) -> bool:
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except (FileNotFoundError, PermissionError):
        return False
    try:
        text = os.read(descriptor, _MOST_OCTETS)
    finally:
        os.close(descriptor)
    return text.lstrip(b"0123456789") == _OURS


def _look(folder: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _remove(folder: int, name: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
