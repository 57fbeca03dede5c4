"""How a worker gets recipients to deliver, or to give up, and gives them back: operations of one transaction.

The index of what is ready is walked from one destination to the next, beginning behind the one served last,
until as many are found as recipients are wanted; they give a unit each, in turn (`units`).
"""

import itertools
import json
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import apsw

from paperpath.maildrop.sqlite.database import fetch
from paperpath.maildrop.sqlite.group import Transaction
from paperpath.maildrop.sqlite.units import Due, find_units
from paperpath.maildrop.values import MOST_LOOKED_AT, MOST_PAUSE_US, Overdue, Rooms, Transport

# Destinations that have something due and may be claimed for: not suspended, or no longer and not probed.
# What is due later than anything is put off is due because the clock was set back. Names are given as octets,
# for one of them may be damaged.
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
    SELECT json_group_array(json_array(id, is_suspended, hex(name))) FROM (
        SELECT destination.id, suspended_until_us IS NOT NULL AS is_suspended, name
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
_CLAIM = """
    UPDATE recipient SET state = 'claimed', worker = ?1 WHERE id IN (SELECT value FROM json_each(?2))
"""
_PROBE = """
    UPDATE destination SET probe = value ->> 1 FROM json_each(?) WHERE destination.id = value ->> 0
"""
_FIND_OVERDUE = """
    SELECT json_group_array(id) FROM (
        SELECT looked_at.id FROM (
            SELECT recipient.id, message_id, due_us,
                   attempts + destination.contacts - recipient.contacts AS attempts
            FROM destination JOIN recipient ON state = 'ready' AND recipient.transport = :transport
                                            AND destination_id = destination.id
            WHERE destination.transport = :transport AND name = :destination
            ORDER BY due_us, recipient.id LIMIT :most) AS looked_at
        JOIN message ON message.id = message_id
        WHERE (:most_attempts > 0 AND attempts >= :most_attempts)
           OR iif(deadline_us, deadline_us <= :now, arrived_us < :arrived_before)
        ORDER BY due_us, looked_at.id LIMIT :limit)
"""
_GIVE_BACK = """
    UPDATE recipient SET state = 'ready', worker = NULL
    WHERE id IN (SELECT value FROM json_each(?)) AND state = 'claimed' AND worker = ?
"""
_NO_END = 2**62


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a worker asks for: how many by which transport, due when; of which destinations it had the last.

    `avoided` are numbers of recipients.
    """

    transport: Transport
    limit: int
    now_us: int
    rooms: Rooms
    served: int = 0
    avoided: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Taken:
    """The numbers of the recipients that were claimed, and of the destination that was served last."""

    recipients: list[int]
    served: int


@dataclass(frozen=True, slots=True)
class _Turn:
    """A destination that may be claimed for: how many units, and whether as a probe."""

    destination: int
    room: int
    is_probe: bool


def claim_ready(transaction: Transaction, worker: int, wanted: Wanted) -> Taken:
    """Claim what is due, a unit of each destination in turn."""
    cursor, served = transaction.cursor, wanted.served
    turns = list(itertools.islice(_find_turns(cursor, wanted), wanted.limit))
    share = max(1, wanted.limit // max(1, len(turns)))
    queues = deque(
        (turn, itertools.islice(_find_units(cursor, wanted, turn, share), turn.room)) for turn in turns
    )
    claimed: list[int] = []
    probes = []
    while queues and len(claimed) < wanted.limit:
        turn, units = queues.popleft()
        unit = next(units, None)
        if unit is None:
            continue
        claimed += unit
        served = turn.destination
        if turn.is_probe:
            probes.append((turn.destination, unit[-1]))
        queues.append((turn, units))
    _claim(cursor, worker, claimed)
    if probes:
        cursor.execute(_PROBE, (json.dumps(probes),))
    # Whoever got all that is due need not remember whose turn it is.
    return Taken(claimed, served if len(claimed) >= wanted.limit else wanted.served)


def claim_overdue(
    transaction: Transaction, worker: int, wanted: Wanted, destination: str, overdue: Overdue
) -> Taken:
    """Claim what is ready for a destination, and whose time is over; nobody's turn is changed by it."""
    bindings = {
        "transport": wanted.transport.value,
        "destination": destination,
        "most": MOST_LOOKED_AT,
        "most_attempts": overdue.most_attempts,
        "now": overdue.now_us,
        "arrived_before": overdue.arrived_before_us,
        "limit": wanted.limit + len(wanted.avoided),
    }
    ((rows,),) = fetch(transaction.cursor, _FIND_OVERDUE, bindings)
    found = [number for number in json.loads(rows) if number not in wanted.avoided][: wanted.limit]
    _claim(transaction.cursor, worker, found)
    return Taken(found, wanted.served)


def give_back(transaction: Transaction, worker: int, recipient_ids: Sequence[int]) -> int:
    """Make a worker's claims ready as they were; give how many."""
    transaction.cursor.execute(_GIVE_BACK, (json.dumps(list(recipient_ids)), worker))
    return transaction.cursor.connection.changes()


def _claim(cursor: apsw.Cursor, worker: int, numbers: Sequence[int]) -> None:
    if numbers:
        cursor.execute(_CLAIM, (worker, json.dumps(numbers)))


def _find_units(cursor: apsw.Cursor, wanted: Wanted, turn: _Turn, at_once: int) -> Iterator[list[int]]:
    due = Due(wanted.transport, turn.destination, wanted.now_us, wanted.avoided)
    return find_units(cursor, due, min(at_once, turn.room))


def _find_turns(cursor: apsw.Cursor, wanted: Wanted) -> Iterator[_Turn]:
    """Give destinations with something due and room for it, the one behind the last first."""
    for after, last in ((wanted.served, _NO_END), (0, wanted.served)):
        while after < last:
            found = _find_destinations(cursor, wanted, after, last)
            for number, is_suspended, name in found:
                room = wanted.rooms.of(bytes.fromhex(name).decode("utf-8", "replace"))
                if room > 0:
                    yield _Turn(number, 1 if is_suspended else room, bool(is_suspended))
            after = found[-1][0] if len(found) == wanted.limit else last


def _find_destinations(
    cursor: apsw.Cursor, wanted: Wanted, after: int, last: int
) -> list[tuple[int, int, str]]:
    """Return destinations with something due, by number: as many as are wanted, with room or without."""
    bindings = {
        "transport": wanted.transport.value,
        "after": after,
        "last": last,
        "now": wanted.now_us,
        "latest": wanted.now_us + MOST_PAUSE_US,
        "limit": wanted.limit,
    }
    ((rows,),) = fetch(cursor, _FIND_DESTINATIONS, bindings)
    found: list[tuple[int, int, str]] = json.loads(rows)
    return found
