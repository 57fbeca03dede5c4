"""Kernel locks between processes: who may write now, and which workers live.

Both are flocks, which the kernel drops when their holder dies, however it dies; no clock is involved.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

LOCK_FILE = "queue.lock"
TURN_FILE = "queue.turn"
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


class WriteLock:
    """The right to write to the queue, one process at a time, in turns.

    flock alone is not fair: a busy process that lets go gets it back before a waiting one has woken. So each
    first takes the turn, waits for the lock, then passes the turn on; whoever waits is served next.
    """

    def __init__(self, folder: Path) -> None:
        """Open the two lock files; nothing is held yet."""
        self._lock = os.open(folder / LOCK_FILE, _FLAGS, 0o600)
        self._turn = os.open(folder / TURN_FILE, _FLAGS, 0o600)

    def take(self) -> bool:
        """Take the right to write if nobody has it or waits for it; tell whether that went well."""
        try:
            fcntl.flock(self._turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # somebody waits; or whatever else it is, `wait` will tell
            return False
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        finally:
            fcntl.flock(self._turn, fcntl.LOCK_UN)
        return True

    def wait(self) -> None:
        """Take the right to write, in turn."""
        fcntl.flock(self._turn, fcntl.LOCK_EX)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        finally:
            fcntl.flock(self._turn, fcntl.LOCK_UN)

    def release(self) -> None:
        """Give the right to write up."""
        fcntl.flock(self._lock, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the files."""
        os.close(self._lock)
        os.close(self._turn)


class WorkerLock:
    """The sign of life of one worker: a file that it holds locked for as long as it lives."""

    def __init__(self, folder: Path, worker: int) -> None:
        """Show that `worker` lives from now on."""
        self._file = folder / str(worker)
        self._descriptor = os.open(self._file, _FLAGS, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def close(self) -> None:
        """Stop living. The file stays, so that the sweeper finds whatever claims are left."""
        with suppress(OSError):  # it is let go of whatever the kernel says
            os.close(self._descriptor)


def is_alive(folder: Path, worker: int) -> bool:
    """Tell whether the process behind a worker still lives."""
    try:
        descriptor = os.open(folder / str(worker), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def forget(folder: Path, worker: int) -> None:
    """Remove what a dead worker left in the folder of signs."""
    with suppress(FileNotFoundError):
        (folder / str(worker)).unlink()
