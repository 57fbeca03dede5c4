"""Workers as the queue knows them: operations that enter one, and that give back what dead ones had."""

from pathlib import Path

from paperpath.maildrop.sqlite.database import fetch
from paperpath.maildrop.sqlite.group import Transaction
from paperpath.maildrop.sqlite.locks import forget, is_alive
from paperpath.maildrop.values import Transport
from paperpath.service.durable import flush_directory

_RELEASE = """
    UPDATE recipient SET state = 'ready', worker = NULL, tried = 1 WHERE state = 'claimed' AND worker = ?
    RETURNING transport
"""


def register_worker(transaction: Transaction, kind: str, now_us: int) -> int:
    """Give a new worker its number."""
    transaction.cursor.execute("INSERT INTO worker (kind, started_us) VALUES (?, ?)", (kind, now_us))
    return transaction.cursor.connection.last_insert_rowid()


def release_dead_workers(transaction: Transaction, folder: Path, own: int) -> int:
    """Make the claims of workers that no longer live ready again, and forget those workers."""
    cursor = transaction.cursor
    released = buried = 0
    for (worker,) in fetch(cursor, "SELECT id FROM worker WHERE id <> ?", (own,)):
        if is_alive(folder, worker):
            continue
        for (transport,) in fetch(cursor, _RELEASE, (worker,)):
            released += 1
            transaction.stages.add(Transport(transport).stage)
        cursor.execute("DELETE FROM worker WHERE id = ?", (worker,))
        forget(folder, worker)
        buried += 1
    if buried:  # or a power cut would bring their files back, which nobody looks for once the rows have gone
        flush_directory(folder)
    return released
