"""What may be claimed for one destination, the longest due first: units, of which each is claimed whole.

Rows are read as they are asked for, so the cost does not depend on how much waits.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import apsw

from paperpath.maildrop.sqlite.database import fetch
from paperpath.maildrop.values import MOST_PAUSE_US, UNIT_RECIPIENTS, Transport

# Of each: its number, and whether others of its message wait for the same destination. What is due later than
# anything is put off is due because the clock was set back; it goes last.
_FIND_DUE = """
    SELECT json_group_array(json_array(id, is_shared)) FROM
    (SELECT id, iif(transport = 'remote', (
            SELECT count(*) FROM (
                SELECT 1 FROM recipient AS other
                WHERE other.message_id = recipient.message_id
                  AND other.destination_id = recipient.destination_id
                  AND other.state = 'ready' AND other.transport = 'remote' LIMIT 2)) > 1, 0) AS is_shared
     FROM recipient
     WHERE state = 'ready' AND transport = :transport AND destination_id = :destination AND due_us <= :now
     ORDER BY due_us LIMIT :most OFFSET :read)
"""
_FIND_DUE_TOO_LATE = _FIND_DUE.replace("due_us <= :now", "due_us > :latest")
_FIND_ALIKE = """
    SELECT json_group_array(id) FROM
    (SELECT other.id FROM recipient LEFT JOIN message ON message.id = recipient.message_id
     JOIN recipient AS other ON other.message_id = recipient.message_id
                            AND other.destination_id = recipient.destination_id
     WHERE recipient.id = :recipient AND other.state = 'ready' AND other.transport = 'remote'
       AND (other.due_us <= :now OR other.due_us > :latest)
       AND coalesce(other.return_path, sender) IS coalesce(recipient.return_path, sender)
     ORDER BY other.id LIMIT :most)
"""


@dataclass(frozen=True, slots=True)
class Due:
    """Whose recipients are looked for, and when they are due; those to avoid lie on damaged pages."""

    transport: Transport
    destination: int
    now_us: int
    avoided: frozenset[int]

    def bindings(self, **more: int) -> dict[str, int | str]:
        """Return what the statements ask by."""
        return {
            "transport": self.transport.value,
            "destination": self.destination,
            "now": self.now_us,
            "latest": self.now_us + MOST_PAUSE_US,
            **more,
        }


def find_units(cursor: apsw.Cursor, due: Due, at_once: int) -> Iterator[list[int]]:
    """Give unit after unit, while nothing is changed; rows are read so many at once."""
    taken: set[int] = set()
    for number, is_shared in _find_due(cursor, due, at_once):
        while number not in taken:  # it may be in the second unit of its message, by number
            unit = [number]
            if is_shared:
                unit = _find_alike(cursor, due, number, taken) or unit
            taken.update(unit)
            yield unit


def _find_due(cursor: apsw.Cursor, due: Due, at_once: int) -> Iterator[tuple[int, int]]:
    for statement in (_FIND_DUE, _FIND_DUE_TOO_LATE):
        read, found = 0, at_once
        while found == at_once:
            ((rows,),) = fetch(cursor, statement, due.bindings(most=at_once, read=read))
            numbers = json.loads(rows)
            yield from ((number, is_shared) for number, is_shared in numbers if number not in due.avoided)
            found = len(numbers)
            read += found


def _find_alike(cursor: apsw.Cursor, due: Due, number: int, taken: set[int]) -> list[int]:
    """Return what goes with a recipient, by number."""
    most = UNIT_RECIPIENTS + len(taken) + len(due.avoided)
    ((rows,),) = fetch(cursor, _FIND_ALIKE, due.bindings(recipient=number, most=most))
    alike = [other for other in json.loads(rows) if other not in taken and other not in due.avoided]
    return alike[:UNIT_RECIPIENTS]
