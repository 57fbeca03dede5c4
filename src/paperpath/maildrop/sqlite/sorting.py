"""What the post office does to recipients that wait: its decisions, and the opening of old ones.

Operations of one transaction. A decision moves a recipient only if it is still unsorted and was made under
the epoch that is still on (compare-and-set), so whoever decided late changes nothing.
"""

import itertools
import json
from collections import Counter
from collections.abc import Sequence

from paperpath.mail.address import format_mailbox
from paperpath.maildrop.sqlite.arrivals import insert_reports
from paperpath.maildrop.sqlite.closing import change_open, close_recipients, count
from paperpath.maildrop.sqlite.database import fetch
from paperpath.maildrop.sqlite.destinations import destination_ids
from paperpath.maildrop.sqlite.group import Transaction
from paperpath.maildrop.values import Aside, Decision, Expanded, NewMessage, Refused, Sorted, Stage, Target

# Of each: number, its message's number, and whether that has other recipients.
_FIND_UNSORTED = """
    SELECT json_group_array(json_array(id, message_id,
        (SELECT count(*) FROM (SELECT 1 FROM recipient AS other
                               WHERE other.message_id = recipient.message_id LIMIT 2)) > 1))
    FROM recipient WHERE id IN (SELECT value FROM json_each(?)) AND state = 'unsorted'
"""
_FIND_KEYS = """
    SELECT json_group_array(json_array(message_id, key)) FROM recipient
    WHERE message_id IN (SELECT value FROM json_each(?)) AND key <> ''
"""
_SORT = """
    UPDATE recipient SET state = 'ready', address = value ->> 1, transport = value ->> 2,
        destination_id = value ->> 3, key = value ->> 4, epoch = ?1,
        due_us = max(?2, value ->> 5,
                     iif(transport IS value ->> 2 AND destination_id IS value ->> 3, due_us, 0)),
        contacts = iif(transport IS value ->> 2 AND destination_id IS value ->> 3, contacts,
                       (SELECT destination.contacts FROM destination WHERE destination.id = value ->> 3))
    FROM json_each(?3) WHERE recipient.id = value ->> 0
"""
_NUMBER = "UPDATE meta SET recipients = recipients + ? RETURNING recipients"
_EXPAND = """
    INSERT INTO recipient (id, message_id, accepted_address, address, state, return_path, notify, orcpt,
                           expanded_via, route_override)
    SELECT value ->> 0, message_id, accepted_address, value ->> 2, 'unsorted', value ->> 3, value ->> 4,
           value ->> 5, value ->> 6, route_override
    FROM json_each(?) JOIN recipient ON recipient.id = value ->> 1
"""
_SET_ASIDE = """
    UPDATE recipient SET state = 'held', last_reply = value ->> 1
    FROM json_each(?) WHERE recipient.id = value ->> 0
"""
_REOPEN_STALE = """
    UPDATE recipient SET state = 'unsorted', key = '' WHERE id IN
    (SELECT id FROM recipient WHERE state = 'ready' AND epoch < (SELECT epoch FROM meta)
     ORDER BY epoch, id LIMIT ?)
"""


def sort_recipients(transaction: Transaction, decisions: Sequence[Decision], epoch: int, now_us: int) -> int:
    """Carry out decisions; give how many recipients moved."""
    cursor = transaction.cursor
    if fetch(cursor, "SELECT epoch FROM meta") != [(epoch,)]:
        return 0
    ((rows,),) = fetch(
        cursor, _FIND_UNSORTED, (json.dumps([decision.recipient_id for decision in decisions]),)
    )
    unsorted = {number: (message, bool(is_shared)) for number, message, is_shared in json.loads(rows)}
    decided: dict[int, Decision] = {}
    for decision in decisions:
        if decision.recipient_id in unsorted:
            decided.setdefault(decision.recipient_id, decision)
    messages = {number: message for number, (message, _) in unsorted.items()}
    keys = _Keys(transaction, {message for message, is_shared in unsorted.values() if is_shared})
    first = [
        one
        for one in decided.values()
        if isinstance(one, Sorted) and keys.is_first(messages[one.recipient_id], one.key)
    ]
    expanded = [one for one in decided.values() if isinstance(one, Expanded)]
    refused = [one for one in decided.values() if isinstance(one, Refused)]
    aside = [one for one in decided.values() if isinstance(one, Aside)]
    if first:
        _make_ready(transaction, first, epoch, now_us)
    if aside:
        cursor.execute(_SET_ASIDE, (json.dumps([(one.recipient_id, str(one.reply)) for one in aside]),))
    open_still = {one.recipient_id for one in first} | {one.recipient_id for one in aside}
    closed: dict[int, str | None] = {number: None for number in decided if number not in open_still}
    closed.update((one.recipient_id, str(one.reply)) for one in refused)
    if closed:
        changes: Counter[int] = Counter()
        made = _expand(transaction, expanded, messages, changes)
        changes.subtract(messages[number] for number in closed)
        close_recipients(transaction, closed.items())
        change_open(transaction, changes)
        count(transaction, made=made, expanded=len(closed) - len(refused), failed=len(refused))
    insert_reports(transaction, map(_report_of, decided.values()))
    return len(decided)


def reopen_stale(transaction: Transaction, limit: int) -> int:
    """Have ready recipients of older epochs sorted again."""
    transaction.cursor.execute(_REOPEN_STALE, (limit,))
    reopened = transaction.cursor.connection.changes()
    if reopened:
        transaction.stages.add(Stage.SORTING)
    return reopened


def raise_epoch(transaction: Transaction) -> int:
    """Begin a new epoch."""
    ((epoch,),) = fetch(transaction.cursor, "UPDATE meta SET epoch = epoch + 1 RETURNING epoch")
    transaction.stages.add(Stage.SORTING)
    return int(epoch)


class _Keys:
    """The keys that a message's recipients have, settled ones too; looked up only where it has several."""

    def __init__(self, transaction: Transaction, messages: set[int]) -> None:
        self._taken: set[tuple[int, str]] = set()
        self._messages = messages
        if messages:
            ((rows,),) = fetch(transaction.cursor, _FIND_KEYS, (json.dumps(list(messages)),))
            self._taken.update((message, key) for message, key in json.loads(rows))

    def is_first(self, message: int, key: str) -> bool:
        """Tell whether a recipient is the first of its message with this key, and note it."""
        if not key or message not in self._messages:
            return True
        if (message, key) in self._taken:
            return False
        self._taken.add((message, key))
        return True


def _make_ready(transaction: Transaction, decisions: Sequence[Sorted], epoch: int, now_us: int) -> None:
    numbers = destination_ids(
        transaction, dict.fromkeys((one.transport, one.destination) for one in decisions)
    )
    rows = [
        (
            one.recipient_id,
            format_mailbox(one.address),
            one.transport.value,
            numbers[one.transport, one.destination],
            one.key,
            one.not_before_us,
        )
        for one in decisions
    ]
    transaction.cursor.execute(_SORT, (epoch, now_us, json.dumps(rows)))
    transaction.stages.update(one.transport.stage for one in decisions)


def _expand(
    transaction: Transaction, decisions: Sequence[Expanded], messages: dict[int, int], changes: Counter[int]
) -> int:
    """Put in the recipients that others are expanded into; give how many, and count them by message."""
    total = sum(len(one.targets) for one in decisions)
    if not total:
        return 0
    ((last,),) = fetch(transaction.cursor, _NUMBER, (total,))
    numbers = itertools.count(last - total + 1)
    rows = []
    for one in decisions:
        changes[messages[one.recipient_id]] += len(one.targets)
        rows += [(next(numbers), one.recipient_id, *_target_row(target)) for target in one.targets]
    transaction.cursor.execute(_EXPAND, (json.dumps(rows),))
    transaction.stages.add(Stage.SORTING)
    return total


def _report_of(decision: Decision) -> NewMessage | None:
    match decision:
        case Refused() | Expanded():
            return decision.report
        case Aside():
            return decision.notice
        case Sorted():
            return None


def _target_row(target: Target) -> tuple[str, str, str, str, str]:
    return (
        format_mailbox(target.address),
        format_mailbox(target.return_path) if target.return_path else "",
        target.notify,
        target.orcpt,
        json.dumps(target.expanded_via) if target.expanded_via else "",
    )
