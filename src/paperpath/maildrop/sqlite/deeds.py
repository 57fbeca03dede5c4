"""What an operator does to recipients: operations of one transaction, on whatever is not claimed."""

import json
from collections import Counter
from collections.abc import Sequence

import apsw

from paperpath.maildrop.sqlite.closing import change_open, close_recipients, count
from paperpath.maildrop.sqlite.database import fetch
from paperpath.maildrop.sqlite.group import Transaction
from paperpath.maildrop.values import Deed, Hold, Release, Remove, Reroute, Retry, Stage, Transport

_HOLD = """
    UPDATE recipient SET state = 'held', last_reply = ?2
    WHERE id IN (SELECT value FROM json_each(?1)) AND state IN ('unsorted', 'ready')
"""
_RELEASE = """
    UPDATE recipient SET state = 'unsorted', key = ''
    WHERE id IN (SELECT value FROM json_each(?1)) AND state = 'held'
"""
_REROUTE = """
    UPDATE recipient SET state = 'unsorted', key = '', route_override = ?2
    WHERE id IN (SELECT value FROM json_each(?1)) AND state IN ('unsorted', 'ready', 'held')
"""
_RETRY = """
    UPDATE recipient SET due_us = ?2 WHERE id IN (SELECT value FROM json_each(?1)) AND state = 'ready'
    RETURNING transport, destination_id
"""
_RESUME = """
    UPDATE destination SET suspended_until_us = NULL, reason = '', probe = NULL, failures = 0
    WHERE id IN (SELECT value FROM json_each(?))
"""
_FIND_UNCLAIMED = """
    SELECT id, message_id FROM recipient
    WHERE id IN (SELECT value FROM json_each(?)) AND state IN ('unsorted', 'ready', 'held')
"""


def carry_out(transaction: Transaction, recipient_ids: Sequence[int], deed: Deed) -> int:
    """Carry out a deed; give how many recipients it changed."""
    numbers = json.dumps(list(recipient_ids))
    match deed:
        case Hold(reason):
            return _update(transaction.cursor, _HOLD, numbers, reason)
        case Release():
            return _reopen(transaction, _RELEASE, numbers)
        case Reroute(route):
            return _reopen(transaction, _REROUTE, numbers, route)
        case Retry(now_us):
            return _retry(transaction, numbers, now_us)
        case Remove():
            return _remove(transaction, numbers)


def _update(cursor: apsw.Cursor, statement: str, *bindings: str) -> int:
    cursor.execute(statement, bindings)
    return cursor.connection.changes()


def _reopen(transaction: Transaction, statement: str, *bindings: str) -> int:
    reopened = _update(transaction.cursor, statement, *bindings)
    if reopened:
        transaction.stages.add(Stage.SORTING)
    return reopened


def _retry(transaction: Transaction, numbers: str, now_us: int) -> int:
    rows = fetch(transaction.cursor, _RETRY, (numbers, now_us))
    transaction.cursor.execute(_RESUME, (json.dumps([destination for _, destination in rows]),))
    transaction.stages.update(Transport(transport).stage for transport, _ in rows)
    return len(rows)


def _remove(transaction: Transaction, numbers: str) -> int:
    rows = fetch(transaction.cursor, _FIND_UNCLAIMED, (numbers,))
    if rows:
        close_recipients(transaction, [(number, None) for number, _ in rows])
        changes: Counter[int] = Counter()
        changes.subtract(message for _, message in rows)
        change_open(transaction, changes)
        count(transaction, removed=len(rows))
    return len(rows)
