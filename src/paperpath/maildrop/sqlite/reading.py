"""The questions asked of the queue, on a connection of their own in the event loop's thread.

Each is answered in statements so short that they pin no log and hold nobody up; listings go by the page. One
row that cannot be read, or a page of the file, is named as damaged, and the others are given all the same.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import apsw

from paperpath.mail.address import domain_key
from paperpath.maildrop.errors import MaildropError, StorageError
from paperpath.maildrop.sqlite.database import fetch, open_database
from paperpath.maildrop.sqlite.destinations import FIND_UNNEEDED
from paperpath.maildrop.sqlite.rows import DamageError, Row, to_claim, to_message, to_unsorted
from paperpath.maildrop.values import (
    MOST_LOOKED_AT,
    Books,
    Claim,
    Claimed,
    ClaimedMessage,
    Damaged,
    QueueEntry,
    QueueFilter,
    QueueSummary,
    State,
    Suspension,
    Transport,
    Unsorted,
    UnsortedRecipient,
)

Value = TypeVar("Value")

READ_BOOKS = """
    SELECT accepted, reported, made, expanded, delivered, relayed, failed, discarded, removed,
           (SELECT count(*) FROM recipient WHERE state = 'unsorted'),
           (SELECT count(*) FROM recipient WHERE state = 'ready'),
           (SELECT count(*) FROM recipient WHERE state = 'claimed'),
           (SELECT count(*) FROM recipient WHERE state = 'held')
    FROM meta
"""
_FIND_UNSORTED = "SELECT id FROM recipient WHERE state = 'unsorted' ORDER BY id LIMIT ?"
_READ_UNSORTED = """
    SELECT recipient.id, queue_id, arrived_us, sender, address, accepted_address, return_path, notify, orcpt,
           expanded_via, route_override, origin = 'report'
    FROM json_each(?) JOIN recipient ON recipient.id = value LEFT JOIN message ON message.id = message_id
    ORDER BY json_each.key
"""
_READ_CLAIMED = """
    SELECT recipient.id, message_id, address, accepted_address, return_path,
           CASE WHEN destination_id IS NULL THEN '' ELSE name END, tried, attempts,
           notify, orcpt, expanded_via, warned, recipient.contacts,
           CASE WHEN destination_id IS NULL THEN recipient.contacts ELSE destination.contacts END
    FROM json_each(?) JOIN recipient ON recipient.id = value
    LEFT JOIN destination ON destination.id = destination_id
    ORDER BY json_each.key
"""
_READ_MESSAGES = """
    SELECT message.id, queue_id, sender, body, international, ret, envid,
           arrived_us, size, digest, content_file, octets, origin,
           client_address, client_port, client_hello, client_protocol, client_tls, client_service,
           client_account, deadline_us
    FROM json_each(?) JOIN message ON message.id = value LEFT JOIN content ON content.message_id = message.id
"""
_FIND_READY = """
    SELECT id FROM recipient WHERE state = 'ready' AND transport = ? ORDER BY destination_id, due_us LIMIT ?
"""
_MOST_LOOKED_AT = 10_000
_FIND_STALE = "SELECT 1 FROM recipient WHERE state = 'ready' AND epoch < (SELECT epoch FROM meta) LIMIT 1"
_FIND_FILES = """
    SELECT queue_id FROM message WHERE content_file = 1 AND queue_id IN (SELECT value FROM json_each(?))
"""
_FIND_UNIQUE = "SELECT key FROM taken WHERE key > ? ORDER BY key LIMIT ?"
_COUNT_SOME = "SELECT count(*) FROM (SELECT 1 FROM recipient LIMIT ?)"
_FEW = 1_000  # recipients that are looked at for each destination that goes: below a millisecond
_FIND_MESSAGE = "SELECT id FROM message WHERE queue_id = ?"
# Texts as octets: an operator shall see them, be they UTF-8 or not.
_ENTRY = """
           recipient.id, CAST(queue_id AS BLOB), CAST(sender AS BLOB),
           CAST(coalesce(return_path, sender) AS BLOB), CAST(address AS BLOB), CAST(accepted_address AS BLOB),
           state, coalesce(recipient.transport, ''), CAST(coalesce(name, '') AS BLOB), coalesce(due_us, 0),
           attempts + coalesce(destination.contacts - recipient.contacts, 0), CAST(last_reply AS BLOB),
           arrived_us, size, CAST(expanded_via AS BLOB),
           CAST(route_override AS BLOB), origin, CAST(notify AS BLOB), CAST(orcpt AS BLOB),
           CAST(client_account AS BLOB), message.id,
           CAST(CASE WHEN suspended_until_us IS NULL THEN '' ELSE reason END AS BLOB)
"""
_FIND = f"""
    SELECT {_ENTRY}
    FROM recipient JOIN message ON message.id = message_id
    LEFT JOIN destination ON destination.id = destination_id
    WHERE recipient.id > :after AND state IN ('unsorted', 'ready', 'claimed', 'held')
      AND (:queue_id = '' OR queue_id = :queue_id)
      AND (:recipient = '' OR :recipient IN (address, accepted_address))
      AND (:domain = '' OR domain_key_of(CAST(address AS BLOB)) = :domain)
      AND (:sender IS NULL OR sender = :sender)
      AND (:arrived_before_us IS NULL OR arrived_us < :arrived_before_us)
      AND (:state IS NULL OR state = :state)
      AND (:error = '' OR instr(last_reply, :error))
      AND (:destination = '' OR name = :destination)
      AND (:account = '' OR client_account = :account)
    ORDER BY recipient.id LIMIT :limit
"""  # noqa: S608 - of our own pieces
# The messages come first, or there would be no end of looking for those of a user.
_BROWSE = f"""
    SELECT {_ENTRY}
    FROM message CROSS JOIN recipient ON message_id = message.id
    LEFT JOIN destination ON destination.id = destination_id
    WHERE message.id >= :message AND (message.id > :message OR recipient.id > :recipient)
      AND state IN ('unsorted', 'ready', 'claimed', 'held')
    ORDER BY message.id, recipient.id LIMIT :limit
"""  # noqa: S608
# Whoever logs in from elsewhere may have the name of a user of this host, who is somebody else.
_BROWSE_OWN = _BROWSE.replace(
    "    WHERE ",
    "    WHERE client_account <> '' AND client_account = :user AND client_address = '' AND ",
)
_SUMMARIZE = """
    SELECT state, coalesce(recipient.transport, ''), coalesce(name, ''), count(*), min(arrived_us),
           coalesce(suspended_until_us, 0), coalesce(reason, ''), coalesce(failures, 0)
    FROM recipient JOIN message ON message.id = message_id
    LEFT JOIN destination ON destination.id = destination_id
    WHERE state IN ('unsorted', 'ready', 'claimed', 'held')
    GROUP BY state, destination_id
"""
_READ_SUSPENSIONS = """
    SELECT CAST(name AS BLOB), suspended_until_us, CAST(reason AS BLOB), failures FROM destination
    WHERE transport = ? AND suspended_until_us IS NOT NULL ORDER BY id
"""
# By number, which is about the order in which messages came; none that is settled is between many others.
_FIND_LATE = """
    SELECT looked_at.id FROM (
        SELECT id, message_id FROM recipient WHERE id > :after AND state = 'ready' AND NOT warned
        ORDER BY id LIMIT :most) AS looked_at
    JOIN message ON message.id = message_id
    WHERE arrived_us < :arrived_before_us ORDER BY looked_at.id LIMIT :limit
"""
_STATE, _VIA = 6, 14  # columns of `_FIND` that are made into something else
# What one row or page can do to a statement: the file is damaged, or a text is no UTF-8.
_DAMAGE = (apsw.CorruptError, UnicodeDecodeError)


class Reader:
    """One worker's view of the queue. Every method raises StorageError where the file cannot be read."""

    def __init__(self, folder: Path) -> None:
        """Open the queue in `folder`. Raises: SchemaError."""
        self._content = folder / "content"
        # Recipients on damaged pages, as far as they were met: nothing can be done about them here.
        self.passed_over: set[int] = set()
        self._connection = open_database(folder)
        self._connection.create_scalar_function("domain_key_of", _domain_key_of, 1, deterministic=True)

    def close(self) -> None:
        """Let go."""
        self._connection.close()

    def ask(self, statement: str, bindings: dict[str, Any] | tuple[Any, ...] = ()) -> list[Any]:
        """Return the rows of a statement."""
        try:
            return fetch(self._connection, statement, bindings)
        except (apsw.Error, UnicodeDecodeError) as error:
            raise StorageError(f"maildrop: {error}", no_space=False) from error

    def read_epoch(self) -> int:
        """Return the routing epoch."""
        ((epoch,),) = self.ask("SELECT epoch FROM meta")
        return int(epoch)

    def read_unique(self, after: str, limit: int) -> Sequence[str]:
        """Return keys under which messages were taken, in order."""
        return [key for (key,) in self.ask(_FIND_UNIQUE, (after, limit))]

    def has_unneeded_destinations(self, before_us: int) -> bool:
        """Tell whether there are any to be swept, and few enough recipients to look at them all."""
        ((waiting,),) = self.ask(_COUNT_SOME, (_FEW + 1,))
        return waiting <= _FEW and bool(self.ask(FIND_UNNEEDED, (before_us, 1)))

    def read_books(self) -> Books:
        """Count, at one moment."""
        (counts,) = self.ask(READ_BOOKS)
        return Books(*counts)

    def read_unsorted(self, limit: int) -> Unsorted:
        """Return the oldest recipients that wait for sorting."""
        found_ids = (number for (number,) in self.ask(_FIND_UNSORTED, (limit + len(self.passed_over),)))
        ids = [number for number in found_ids if number not in self.passed_over][:limit]
        rows = self._read_each(_READ_UNSORTED, ids)
        found: list[UnsortedRecipient] = []
        damaged: list[Damaged] = []
        for number in ids:
            try:
                found.append(to_unsorted(_present(rows.get(number))))
            except DamageError as error:
                damaged.append(Damaged(number, _queue_id(rows.get(number)), str(error)))
        return Unsorted(tuple(found), tuple(damaged))

    def pass_over(self, number: int) -> None:
        """Note that a recipient lies on a damaged page; it is not given again."""
        self.passed_over.add(number)

    def pass_over_damaged(self, transport: Transport) -> None:
        """Look for ready recipients that cannot be read, as far as one can look, and pass them over."""
        ids = [number for (number,) in self.ask(_FIND_READY, (transport.value, _MOST_LOOKED_AT))]
        self.passed_over |= set(ids) - set(self._read_each(_READ_CLAIMED, ids))

    def read_claimed(self, ids: Sequence[int]) -> Claimed:
        """Return recipients that were claimed, or are to be looked at, in this order, with their messages."""
        rows = self._read_each(_READ_CLAIMED, ids)
        messages = self._read_messages({row[1] for row in rows.values()})
        claims: list[Claim] = []
        damaged: list[Damaged] = []
        for number in ids:
            row = rows.get(number)
            message_row, message = messages.get(row[1], (None, None)) if row else (None, None)
            try:
                if isinstance(message, DamageError):
                    raise message
                claims.append(to_claim(_present(row), _present(message), _present(message_row)[-1]))
            except DamageError as error:
                damaged.append(Damaged(number, _queue_id(message_row), str(error)))
        return Claimed(tuple(claims), tuple(damaged))

    def read_message(self, queue_id: str) -> ClaimedMessage | None:
        """Return a message that is in the queue. Raises: MaildropError, where it is damaged."""
        ids = {number for (number,) in self.ask(_FIND_MESSAGE, (queue_id,))}
        for _, message in self._read_messages(ids).values():
            if isinstance(message, DamageError):
                raise MaildropError(f"{queue_id} is damaged: {message}")
            return message
        return None

    def has_stale(self) -> bool:
        """Tell whether any ready recipient was sorted under an older epoch."""
        return bool(self.ask(_FIND_STALE))

    def which_have_files(self, queue_ids: Sequence[str]) -> set[str]:
        """Tell which of these are messages whose content lies in a file."""
        return {name for (name,) in self.ask(_FIND_FILES, (json.dumps(list(queue_ids)),))}

    def find(self, wanted: QueueFilter, after: int, limit: int) -> list[QueueEntry]:
        """Return open recipients that match."""
        bindings = {
            "after": after,
            "limit": limit,
            "queue_id": wanted.queue_id,
            "recipient": wanted.recipient,
            "domain": wanted.domain,
            "sender": wanted.sender,
            "arrived_before_us": wanted.arrived_before_us,
            "state": wanted.state.value if wanted.state else None,
            "error": wanted.error,
            "destination": wanted.destination,
            "account": wanted.account,
        }
        return [_entry(row) for row in self.ask(_FIND, bindings)]

    def browse(self, user: str | None, after: tuple[int, int], limit: int) -> list[QueueEntry]:
        """Return open recipients, message by message."""
        bindings = {"message": after[0], "recipient": after[1], "limit": limit, "user": user}
        return [_entry(row) for row in self.ask(_BROWSE if user is None else _BROWSE_OWN, bindings)]

    def summarize(self) -> list[QueueSummary]:
        """Count open recipients by state and destination."""
        return [QueueSummary(State(state), *counts) for state, *counts in self.ask(_SUMMARIZE)]

    def read_suspensions(self, transport: Transport) -> list[Suspension]:
        """Return the destinations that are suspended."""
        rows = self.ask(_READ_SUSPENSIONS, (transport.value,))
        return [
            Suspension(_show(name), until_us, _show(reason), failures)
            for name, until_us, reason, failures in rows
        ]

    def find_late(self, arrived_before_us: int, after: int, limit: int) -> list[int]:
        """Return ready recipients whose delay is to be reported."""
        bindings = {
            "arrived_before_us": arrived_before_us,
            "after": after,
            "most": MOST_LOOKED_AT,
            "limit": limit,
        }
        return [number for (number,) in self.ask(_FIND_LATE, bindings)]

    def _read_messages(self, ids: set[int]) -> dict[int, tuple[Row, ClaimedMessage | DamageError]]:
        """Return messages by number, each with its row; of a damaged one, what is wrong with it."""
        messages: dict[int, tuple[Row, ClaimedMessage | DamageError]] = {}
        for number, row in self._read_each(_READ_MESSAGES, list(ids)).items():
            try:
                messages[number] = row, to_message(row[:-1], self._content)
            except DamageError as error:
                messages[number] = row, error
        return messages

    def _read_each(self, statement: str, ids: Sequence[int]) -> dict[int, Row]:
        """Return rows by number: all at once, or those that can be read at all, one by one."""
        try:
            return {row[0]: row for row in fetch(self._connection, statement, (json.dumps(list(ids)),))}
        except _DAMAGE:
            return {row[0]: row for number in ids for row in self._read_one(statement, number)}
        except apsw.Error as error:
            raise StorageError(f"maildrop: {error}", no_space=False) from error

    def _read_one(self, statement: str, number: int) -> Iterable[Row]:
        try:
            return fetch(self._connection, statement, (json.dumps([number]),))
        except _DAMAGE:
            return ()
        except apsw.Error as error:
            raise StorageError(f"maildrop: {error}", no_space=False) from error


def _present(value: Value | None) -> Value:
    if value is None:
        raise DamageError("its row, or its message's, is missing or cannot be read")
    return value


def _queue_id(row: Row | None) -> str:
    """Return the queue id of a row that has it second, as far as it can be told."""
    return row[1] if row is not None and isinstance(row[1], str) else ""


def _entry(row: Row) -> QueueEntry:
    columns: list[Any] = [_show(column) if isinstance(column, bytes) else column for column in row]
    columns[_STATE] = State(columns[_STATE])
    columns[_VIA] = _show_keys(columns[_VIA])
    return QueueEntry(*columns)


def _show(octets: bytes) -> str:
    return octets.decode("utf-8", "backslashreplace")


def _show_keys(via: str) -> tuple[str, ...]:
    try:
        return tuple(map(str, json.loads(via))) if via else ()
    except ValueError:
        return (via,)


def _domain_key_of(*address: object) -> str:
    (octets,) = address
    return domain_key(_show(octets).rpartition("@")[2]) if isinstance(octets, bytes) else ""
