"""The lock on an mbox that is a file beside it, NAME.lock: whoever made it may write (requirement F-12).

Used by mbox_lock.py, which holds the lock by fcntl whenever it comes here. So a lock of Paperpath on this
host that is there all the same was left by somebody who died, and is removed at once. Any other is believed
for five minutes from when it was last touched, and ours is touched while it is held.
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
        try:
            descriptor = os.open(
                name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder
            )
        except FileExistsError:
            if _is_stale(folder, name, clock()):
                with suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=folder)
            return None
        lock = cls(folder, name, descriptor)
        try:
            write_all(descriptor, str(os.getpid()).encode() + _OURS)
        except OSError:
            lock.release()
            raise
        return lock

    def touch(self) -> None:
        """Say that the lock is still held, if that was not said for a minute. Raises: OSError."""
        now_s = time.monotonic()
        if now_s - self._touched_s >= _TOUCH_S:
            os.utime(self._descriptor)
            self._touched_s = now_s

    def release(self) -> None:
        """Remove the lock file, unless somebody took it from us and made his own."""
        with suppress(OSError):  # then it becomes stale
            if os.path.samestat(os.fstat(self._descriptor), _look(self._folder, self._name)):
                os.unlink(self._name, dir_fd=self._folder)
        os.close(self._descriptor)


def _is_stale(folder: int, name: str, now_s: float) -> bool:
    try:
        found = _look(folder, name)
        return now_s - found.st_mtime > _STALE_S or (stat.S_ISREG(found.st_mode) and _is_ours(folder, name))
    except FileNotFoundError:
        return False


def _is_ours(folder: int, name: str) -> bool:
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except PermissionError:
        return False
    try:
        text = os.read(descriptor, _MOST_OCTETS)
    finally:
        os.close(descriptor)
    return text.lstrip(b"0123456789") == _OURS


def _look(folder: int, name: str) -> os.stat_result:
    return os.stat(name, dir_fd=folder, follow_symlinks=False)
