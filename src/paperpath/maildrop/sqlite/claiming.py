"""How a worker gets recipients to deliver: an operation of one transaction.

The index of what is ready is walked from one destination to the next, and within each in the order in which
recipients are due; what is not taken is not read, so the cost does not depend on how much waits.
"""

import json
from dataclasses import dataclass

import apsw

from paperpath.maildrop.sqlite.database import fetch
from paperpath.maildrop.sqlite.group import Transaction
from paperpath.maildrop.values import MOST_PAUSE_US, Transport

_NEXT_DESTINATION = """
    SELECT destination_id FROM recipient
    WHERE state = 'ready' AND transport = ? AND destination_id > ? ORDER BY destination_id LIMIT 1
"""
# Whether it is suspended, until when, and whether a probe is on its way.
_SUSPENSIONS = """
    SELECT json_group_array(json_array(id, suspended_until_us,
        EXISTS (SELECT 1 FROM recipient WHERE recipient.id = probe AND state = 'claimed')))
    FROM destination WHERE id IN (SELECT value FROM json_each(?)) AND suspended_until_us IS NOT NULL
"""
# What is due in its time; then what is due so late that only a clock set back can be the reason.
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


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a worker asks for: how many by which transport, due when; `avoided` are numbers of recipients."""

    transport: Transport
    limit: int
    now_us: int
    avoided: frozenset[int] = frozenset()


def claim_ready(transaction: Transaction, worker: int, wanted: Wanted) -> list[int]:
    """Claim what is due, shared out over destinations; give the recipients' numbers."""
    cursor, limit = transaction.cursor, wanted.limit
    rooms = _rooms(cursor, _destinations_waiting(cursor, wanted.transport), limit, wanted.now_us)
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
            if is_probe:
                cursor.execute(_PROBE, (found[-1], destination))
            if len(found) == most < room:
                with_more[destination] = (room - most, is_probe)
        rooms = with_more
    return claimed


def _destinations_waiting(cursor: apsw.Cursor, transport: Transport) -> list[int]:
    """Walk the index from one destination to the next, without touching what waits for each."""
    found: list[int] = []
    last = -1
    while rows := fetch(cursor, _NEXT_DESTINATION, (transport.value, last)):
        ((last,),) = rows
        found.append(last)
    return found


def _rooms(
    cursor: apsw.Cursor, destinations: list[int], limit: int, now_us: int
) -> dict[int, tuple[int, bool]]:
    """Tell how many may be claimed for each destination, and whether as a probe."""
    rooms = dict.fromkeys(destinations, (limit, False))
    ((suspended,),) = fetch(cursor, _SUSPENSIONS, (json.dumps(destinations),))
    for number, until_us, is_probed in json.loads(suspended):
        if is_probed or now_us < until_us <= now_us + MOST_PAUSE_US:
            del rooms[number]
        else:
            rooms[number] = (1, True)
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
