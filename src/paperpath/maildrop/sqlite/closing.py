"""What happens when recipients are settled, whoever settles them: the books, and the end of their messages.

A step of operations in their transactions, so nothing lies half settled between two of them (promise P3).
"""

import json
from collections.abc import Iterable, Mapping

from paperpath.maildrop.sqlite.database import fetch
from paperpath.maildrop.sqlite.group import Transaction

_FIND_DONE = """
    SELECT json_group_array(message.id), json_group_array(queue_id) FILTER (WHERE content_file)
    FROM json_each(?) JOIN message ON message.id = value ->> 0 WHERE open_recipients + (value ->> 1) <= 0
"""
_REMOVE = (
    "DELETE FROM recipient WHERE message_id IN (SELECT value FROM json_each(?))",
    "DELETE FROM content WHERE message_id IN (SELECT value FROM json_each(?))",
    "DELETE FROM message WHERE id IN (SELECT value FROM json_each(?))",
)
_COUNT_OPEN = """
    UPDATE message SET open_recipients = open_recipients + (value ->> 1)
    FROM json_each(?) WHERE message.id = value ->> 0
"""
_CLOSE = """
    UPDATE recipient SET state = 'settled', worker = NULL, last_reply = coalesce(value ->> 1, last_reply)
    FROM json_each(?) WHERE recipient.id = value ->> 0
"""
_COUNT = """
    UPDATE meta SET made = made + ?, expanded = expanded + ?, delivered = delivered + ?,
                    relayed = relayed + ?, failed = failed + ?, discarded = discarded + ?,
                    removed = removed + ?
"""


def count(
    transaction: Transaction,
    *,
    made: int = 0,
    expanded: int = 0,
    delivered: int = 0,
    relayed: int = 0,
    failed: int = 0,
    discarded: int = 0,
    removed: int = 0,
) -> None:
    """Write the books up."""
    counts = made, expanded, delivered, relayed, failed, discarded, removed
    transaction.cursor.execute(_COUNT, counts)


def change_open(transaction: Transaction, changes: Mapping[int, int]) -> set[int]:
    """Count the open recipients of messages up or down; remove messages that have none left, and name them.

    With a message go its recipients, those settled now and earlier, and its content.
    """
    cursor = transaction.cursor
    rows = json.dumps(list(changes.items()))
    ((done, in_files),) = fetch(cursor, _FIND_DONE, (rows,))
    gone = set(json.loads(done))
    if gone:
        for statement in _REMOVE:
            cursor.execute(statement, (done,))
        transaction.gone.extend(json.loads(in_files))
    if len(gone) < len(changes):
        rest = [(message, change) for message, change in changes.items() if change and message not in gone]
        cursor.execute(_COUNT_OPEN, (json.dumps(rest),))
    return gone


def close_recipients(transaction: Transaction, rows: Iterable[tuple[int, str | None]]) -> None:
    """Make recipients tombstones: each with the reply that settled it, or `None` to keep the last one."""
    transaction.cursor.execute(_CLOSE, (json.dumps(list(rows)),))
