"""Destinations in the queue: their numbers, and their suspension (one row each: until when, and why).

A destination that could not be contacted is suspended: nobody claims for it before its time, and then one
unit at a time, as a probe. Its recipients stay where they are: a failed contact is counted here once, and
each of them has noted what the count was when it was sorted. What nobody needs any more is swept: a name that
a client made up would stay for ever.
"""

import json
from collections.abc import Iterable

from paperpath.maildrop.sqlite.database import fetch
from paperpath.maildrop.sqlite.group import Transaction
from paperpath.maildrop.values import Transport

Destination = tuple[Transport, str]

_FIND = "SELECT id FROM destination WHERE transport = ? AND name = ?"
_MAKE = "INSERT INTO destination (transport, name) VALUES (?, ?) RETURNING id"
_SUSPEND = """
    UPDATE destination SET suspended_until_us = ?, reason = ?, probe = NULL,
        failures = failures + 1, contacts = contacts + 1
    WHERE id = ?
"""
_RESUME = """
    UPDATE destination SET suspended_until_us = NULL, reason = '', probe = NULL, failures = 0
    WHERE transport = ? AND name = ?
"""
# SQLite looks at all recipients for each that goes, since its number is theirs to name, and has no index.
FIND_UNNEEDED = """
    SELECT id FROM destination
    WHERE (suspended_until_us IS NULL OR suspended_until_us < ?)
      AND id NOT IN (SELECT destination_id FROM recipient WHERE destination_id IS NOT NULL)
    ORDER BY id LIMIT ?
"""
_FORGET = "DELETE FROM destination WHERE id IN (SELECT value FROM json_each(?))"


def destination_ids(transaction: Transaction, destinations: Iterable[Destination]) -> dict[Destination, int]:
    """Give the numbers of destinations; new ones get theirs."""
    cursor = transaction.cursor
    numbers = {}
    for transport, name in destinations:
        key = transport.value, name
        ((numbers[transport, name],),) = fetch(cursor, _FIND, key) or fetch(cursor, _MAKE, key)
    return numbers


def suspend(transaction: Transaction, destination: Destination, until_us: int, reason: str) -> None:
    """Suspend a destination, or suspend it anew."""
    (number,) = destination_ids(transaction, [destination]).values()
    transaction.cursor.execute(_SUSPEND, (until_us, reason, number))


def resume(transaction: Transaction, destination: Destination) -> None:
    """Have a destination claimed for as any other."""
    transport, name = destination
    transaction.cursor.execute(_RESUME, (transport.value, name))
    transaction.stages.add(transport.stage)


def sweep(transaction: Transaction, before_us: int, limit: int) -> int:
    """Forget destinations that no recipient names, and whose suspension, if any, was over before a time."""
    unneeded = [number for (number,) in fetch(transaction.cursor, FIND_UNNEEDED, (before_us, limit))]
    transaction.cursor.execute(_FORGET, (json.dumps(unneeded),))
    return len(unneeded)
