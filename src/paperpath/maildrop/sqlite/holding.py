"""Who keeps all others from writing to the queue, seen from outside.

For the supervisor, which looks again and again and ends whoever is stalled.
docs/decisions/0012 says why it is looked up instead of written down by whoever takes the lock.
"""

from pathlib import Path

from paperpath.maildrop.sqlite.locks import LOCK_FILE, TURN_FILE
from paperpath.service.file_locks import read_holders, waits_for_disk
from paperpath.service.stalling import Holder


def find_holder(folder: Path) -> Holder | None:
    """Return who holds the write lock or, while nobody has it, the turn; `None` when it waits for its disk.

    Who waits for the lock holds the turn by right. Who waits for a disk could not be ended before the disk
    answers, and then goes on by itself; to end it would only lose the answer, and mail would come twice.
    """
    holders = read_holders()
    try:
        for name in (LOCK_FILE, TURN_FILE):
            pid = holders.get((folder / name).stat().st_ino)
            if pid is not None:
                return None if waits_for_disk(pid) else Holder(pid, name, _read_progress(folder))
    except OSError:
        return None  # no program has made the files yet, or the disk fails
    return None


def _read_progress(folder: Path) -> tuple[int, int] | None:
    """Return what changes with each commit, for only who holds the lock writes to SQLite's log."""
    try:
        log = (folder / "queue.db-wal").stat()
    except FileNotFoundError:
        return None
    return log.st_size, log.st_mtime_ns
