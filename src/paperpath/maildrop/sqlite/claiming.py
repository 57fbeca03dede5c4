"""How a worker gets recipients to deliver: an operation of one transaction.

The index of what is ready is walked from one destination to the next, beginning behind the one served last,
until as many are found as recipients are wanted; within each it gives recipients in the order in which they
are due. What is not taken is not read, so the cost does not depend on how much waits.
"""

import json
from dataclasses import dataclass

import apsw

from paperpath.maildrop.sqlite.database import fetch
from paperpath.maildrop.sqlite.group import Transaction
from paperpath.maildrop.values import MOST_PAUSE_US, Transport

# Destinations that have something due and may be claimed for: not suspended, or no longer and not probed.
# What is due later than anything is put off is due because the clock was set back.
_FIND_DESTINATIONS = """
    WITH RECURSIVE waiting (id) AS (
        SELECT (SELECT destination_id FROM recipient
                WHERE state = 'ready' AND transport = :transport AND destination_id > :after
                ORDER BY destination_id LIMIT 1)
        UNION ALL
        SELECT (SELECT destination_id FROM recipient
                WHERE state = 'ready' AND transport = :transport AND destination_id > waiting.id
                ORDER BY destination_id LIMIT 1)
        FROM waiting WHERE waiting.id < :last
    )
    SELECT json_group_array(json_array(id, is_suspended)) FROM (
        SELECT destination.id, suspended_until_us IS NOT NULL AS is_suspended
        FROM waiting CROSS JOIN destination ON destination.id = waiting.id
        WHERE waiting.id <= :last
          AND (suspended_until_us IS NULL
               OR (NOT suspended_until_us BETWEEN :now + 1 AND :latest
                   AND NOT EXISTS (SELECT 1 FROM recipient WHERE recipient.id = probe AND state = 'claimed')))
          AND (EXISTS (SELECT 1 FROM recipient WHERE state = 'ready' AND transport = :transport
                           AND destination_id = waiting.id AND due_us <= :now)
               OR EXISTS (SELECT 1 FROM recipient WHERE state = 'ready' AND transport = :transport
                              AND destination_id = waiting.id AND due_us > :latest))
        LIMIT :limit)
"""
_FIND_DUE = """
    SELECT json_group_array(id) FROM
    (SELECT id FROM recipient WHERE state = 'ready' AND transport = ?1 AND destination_id = ?2
        AND due_us <= ?3 ORDER BY due_us LIMIT ?4)
"""
_FIND_DUE_TOO_LATE = """
    SELECT json_group_array(id) FROM
    (SELECT id FROM recipient WHERE state = 'ready' AND transport = ?1 AND destination_id = ?2
        AND due_us > ?3 ORDER BY due_us LIMIT ?4)
"""
_CLAIM = """
    UPDATE recipient SET state = 'claimed', worker = ?1 WHERE id IN (SELECT value FROM json_each(?2))
"""
_PROBE = "UPDATE destination SET probe = ? WHERE id = ?"
_NO_END = 2**62


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a worker asks for: how many by which transport, due when; of which destinations it had the last.

    `avoided` are numbers of recipients.
    """

    transport: Transport
    limit: int
    now_us: int
    served: int = 0
    avoided: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Taken:
    """The numbers of the recipients that were claimed, and of the destination that was served last."""

    recipients: list[int]
    served: int


def claim_ready(transaction: Transaction, worker: int, wanted: Wanted) -> Taken:
    """Claim what is due, shared out over destinations."""
    cursor, limit, served = transaction.cursor, wanted.limit, wanted.served
    rooms = _find_destinations(cursor, wanted)
    claimed: list[int] = []
    while rooms and len(claimed) < limit:
        share = max(1, (limit - len(claimed)) // len(rooms))
        with_more = {}
        for destination, (room, is_probe) in rooms.items():
            most = min(share, room, limit - len(claimed))
            found = _find_due(cursor, destination, wanted, most)
            if not found:
                continue
            cursor.execute(_CLAIM, (worker, json.dumps(found)))
            claimed.extend(found)
            served = destination
            if is_probe:
                cursor.execute(_PROBE, (found[-1], destination))
            if len(found) == most < room:
                with_more[destination] = (room - most, is_probe)
        rooms = with_more
    # Whoever got all that is due need not remember whose turn it is.
    return Taken(claimed, served if len(claimed) == limit else wanted.served)


def _find_destinations(cursor: apsw.Cursor, wanted: Wanted) -> dict[int, tuple[int, bool]]:
    """Give as many destinations as are wanted: how many may be claimed for each, and whether as a probe."""
    rooms: dict[int, tuple[int, bool]] = {}
    for after, last in ((wanted.served, _NO_END), (0, wanted.served)):
        if len(rooms) < wanted.limit and last:
            bindings = {
                "transport": wanted.transport.value,
                "after": after,
                "last": last,
                "now": wanted.now_us,
                "latest": wanted.now_us + MOST_PAUSE_US,
                "limit": wanted.limit - len(rooms),
            }
            ((found,),) = fetch(cursor, _FIND_DESTINATIONS, bindings)
            for number, is_suspended in json.loads(found):
                rooms[number] = (1, True) if is_suspended else (wanted.limit, False)
    return rooms


def _find_due(cursor: apsw.Cursor, destination: int, wanted: Wanted, most: int) -> list[int]:
    found: list[int] = []
    for statement, time_us in (
        (_FIND_DUE, wanted.now_us),
        (_FIND_DUE_TOO_LATE, wanted.now_us + MOST_PAUSE_US),
    ):
        if len(found) < most:
            limit = most - len(found) + len(wanted.avoided)
            ((due,),) = fetch(cursor, statement, (wanted.transport.value, destination, time_us, limit))
            found += [number for number in json.loads(due) if number not in wanted.avoided]
    return found[:most]
