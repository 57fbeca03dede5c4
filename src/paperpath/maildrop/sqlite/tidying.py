"""Giving space back after a drain: the queue's file shrinks, and its log.

Done by the one process that checkpoints, in its writer's thread, while it has nothing else to do: a step of a
few milliseconds at a time, so that whoever wants to write waits no longer than for a group.
"""

from pathlib import Path

import apsw

from paperpath.maildrop.sqlite.database import BUSY_TIMEOUT_MS, fetch
from paperpath.maildrop.sqlite.locks import WriteLock

STEP_PAGES = 500
KEPT_PAGES = 1_000  # the next rush will want them
KEPT_LOG_OCTETS = 4 * 1024 * 1024


def tidy(connection: apsw.Connection, lock: WriteLock, folder: Path) -> bool:
    """Do one step; tell whether there is more to do. Raises: apsw.Error."""
    ((free,),) = fetch(connection, "PRAGMA freelist_count")
    if free > KEPT_PAGES:
        lock.wait()
        try:
            fetch(connection, f"PRAGMA incremental_vacuum({min(STEP_PAGES, free - KEPT_PAGES)})")
        finally:
            lock.release()
        return True
    pages, done = connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_NOOP)
    is_long = _size(folder / "queue.db-wal") > KEPT_LOG_OCTETS
    if pages > done or is_long:
        _checkpoint(connection, lock, truncate=is_long)
    return False


def _checkpoint(connection: apsw.Connection, lock: WriteLock, *, truncate: bool) -> None:
    """Move the log into the database, which gets its new size by that, and cut a long one to nothing."""
    connection.set_busy_timeout(0)  # whoever writes must not wait for whoever reads
    lock.wait()
    try:
        connection.wal_checkpoint(
            mode=apsw.SQLITE_CHECKPOINT_TRUNCATE if truncate else apsw.SQLITE_CHECKPOINT_PASSIVE
        )
    except apsw.BusyError:
        return  # somebody reads; when we are idle the next time, perhaps nobody does
    finally:
        lock.release()
        connection.set_busy_timeout(BUSY_TIMEOUT_MS)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
