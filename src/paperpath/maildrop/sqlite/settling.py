"""How recipients end, or come back later: operations of one transaction each (promise P3).

Outcome, report and the end of a message go together. A recipient is settled only by the worker that claimed
it, or by the operator while nobody has (compare-and-set).
"""

import json
from collections import Counter
from collections.abc import Sequence

from paperpath.mail.outcome import Deferred, Delivered, Discarded, Failed, Forwarded, Outcome, SetAside
from paperpath.maildrop.sqlite.arrivals import insert_reports
from paperpath.maildrop.sqlite.closing import change_open, close_recipients, count
from paperpath.maildrop.sqlite.database import fetch
from paperpath.maildrop.sqlite.group import Transaction
from paperpath.maildrop.values import Settlement, State, Transport

_FIND_OURS = """
    SELECT json_group_array(json_array(id, message_id, transport)) FROM recipient
    WHERE id IN (SELECT value FROM json_each(?)) AND state = 'claimed' AND worker = ?
"""
_FIND_UNCLAIMED = """
    SELECT json_group_array(json_array(id, message_id, transport)) FROM recipient
    WHERE id IN (SELECT value FROM json_each(?)) AND state IN ('unsorted', 'ready', 'held')
"""
_RECORD = """
    UPDATE recipient SET state = value ->> 1, worker = NULL, attempts = attempts + 1,
        last_reply = value ->> 2, due_us = coalesce(value ->> 3, due_us), tried = max(tried, value ->> 4)
    FROM json_each(?) WHERE recipient.id = value ->> 0
"""

# By a recipient's number: its message's, and its transport.
_Found = dict[int, tuple[int, str]]


def settle_claims(transaction: Transaction, worker: int, settlements: Sequence[Settlement]) -> int:
    """Record outcomes of a worker's claims; give how many."""
    found = _find(transaction, _FIND_OURS, settlements, worker)
    ours = _first_of_each(settlements, found)
    changes: Counter[int] = Counter()
    ended: Counter[str] = Counter()
    for settlement in ours:
        message, transport = found[settlement.recipient_id]
        if (how := _end(settlement.outcome, transport)) is not None:
            changes[message] -= 1
            ended[how] += 1
    gone = change_open(transaction, changes) if changes else set()
    # What went with its message needs no record.
    records = [_record(settlement) for settlement in ours if found[settlement.recipient_id][0] not in gone]
    if records:
        transaction.cursor.execute(_RECORD, (json.dumps(records),))
    if ended:
        count(transaction, **ended)
    insert_reports(transaction, [settlement.report for settlement in ours])
    return len(ours)


def settle_unclaimed(transaction: Transaction, settlements: Sequence[Settlement]) -> int:
    """Record failures of recipients that nobody has claimed; give how many."""
    failures = [settlement for settlement in settlements if isinstance(settlement.outcome, Failed)]
    found = _find(transaction, _FIND_UNCLAIMED, failures)
    ours = _first_of_each(failures, found)
    if ours:
        close_recipients(transaction, [(one.recipient_id, str(one.outcome.reply)) for one in ours])
        changes: Counter[int] = Counter()
        changes.subtract(found[one.recipient_id][0] for one in ours)
        change_open(transaction, changes)
        count(transaction, failed=len(ours))
        insert_reports(transaction, [settlement.report for settlement in ours])
    return len(ours)


def _find(
    transaction: Transaction, statement: str, settlements: Sequence[Settlement], *bindings: int
) -> _Found:
    numbers = json.dumps([settlement.recipient_id for settlement in settlements])
    ((rows,),) = fetch(transaction.cursor, statement, (numbers, *bindings))
    return {number: (message, transport) for number, message, transport in json.loads(rows)}


def _first_of_each(settlements: Sequence[Settlement], found: _Found) -> list[Settlement]:
    """Of those for one recipient the first counts, as if each came by itself."""
    first: dict[int, Settlement] = {}
    for settlement in settlements:
        if settlement.recipient_id in found:
            first.setdefault(settlement.recipient_id, settlement)
    return list(first.values())


def _end(outcome: Outcome, transport: str) -> str | None:
    """Name the line of the books that an outcome ends a recipient in, if it does."""
    match outcome:
        case Delivered():
            return "relayed" if transport == Transport.REMOTE.value else "delivered"
        case Failed():
            return "failed"
        case Discarded():
            return "discarded"
        case Forwarded():
            return "expanded"
        case Deferred() | SetAside():
            return None


def _record(settlement: Settlement) -> tuple[int, str, str, int | None, bool]:
    number, outcome, text = settlement.recipient_id, settlement.outcome, str(settlement.outcome.reply)
    match outcome:
        case Deferred():
            return number, State.READY.value, text, outcome.due_us, outcome.uncertain
        case SetAside():
            return number, State.HELD.value, text, None, False
        case Delivered() | Failed() | Discarded() | Forwarded():
            return number, State.SETTLED.value, text, None, False
