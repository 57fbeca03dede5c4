"""The operations that move recipients along, each a function of one transaction.

Each is one step of docs/maildrop-states.md: it happens whole or not at all, and moves a recipient only if it
is still in the state the step begins with (compare-and-set), so that whoever came late changes nothing.

A batch is a JSON array and a handful of statements, whatever its length: with each statement the thread gives
up the interpreter and has to get it back, which costs more than what SQLite does meanwhile.
"""

import itertools
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import apsw

from paperpath.mail.address import format_mailbox
from paperpath.mail.outcome import Deferred, Delivered
from paperpath.maildrop.content import content_file
from paperpath.maildrop.sqlite.database import fetch
from paperpath.maildrop.sqlite.group import Transaction
from paperpath.maildrop.sqlite.locks import forget, is_alive
from paperpath.maildrop.values import (
    NewMessage,
    Settlement,
    Sorted,
    Stage,
    Transport,
)

# recipient id, message id, address, tried, attempts, notify, orcpt
ClaimedRow = tuple[int, int, str, int, int, str, str]

_NUMBER = """
    UPDATE meta SET messages = messages + ?, recipients = recipients + ? RETURNING messages, recipients
"""
_ARRIVE = (
    """
    INSERT INTO message SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
        value ->> 6, value ->> 7, value ->> 8, unhex(value ->> 9), value ->> 10, value ->> 11, value ->> 12,
        value ->> 13, value ->> 14, value ->> 15
    FROM json_each(?1)
    """,
    """
    INSERT INTO content SELECT value ->> 0, substr(?2, value ->> 1, value ->> 2) FROM json_each(?1)
    """,
    """
    INSERT INTO recipient (id, message_id, accepted_address, address, state, notify, orcpt)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 2, 'unsorted', value ->> 3, value ->> 4
    FROM json_each(?1)
    """,
)
_SORT = """
    UPDATE recipient SET state = 'ready', address = value ->> 1, transport = value ->> 2,
                         destination_id = value ->> 3, due_us = ?1
    FROM json_each(?2) WHERE recipient.id = value ->> 0 AND state = 'unsorted'
"""
_NEXT_DESTINATION = """
    SELECT destination_id FROM recipient
    WHERE state = 'ready' AND transport = ? AND destination_id > ? ORDER BY destination_id LIMIT 1
"""
_FIND_DUE = """
    SELECT json_group_array(id) FROM
    (SELECT id FROM recipient WHERE state = 'ready' AND transport = ? AND destination_id = ? AND due_us <= ?
     ORDER BY due_us LIMIT ?)
"""
_CLAIM = """
    UPDATE recipient SET state = 'claimed', worker = ?1 WHERE id IN (SELECT value FROM json_each(?2))
"""
_READ_CLAIMED = """
    SELECT json_group_array(json_array(id, message_id, address, tried, attempts, notify, orcpt)) FROM
    (SELECT recipient.* FROM json_each(?) JOIN recipient ON recipient.id = value ORDER BY json_each.key)
"""
_FIND_OURS = """
    SELECT json_group_array(id) FROM recipient
    WHERE id IN (SELECT value FROM json_each(?)) AND state = 'claimed' AND worker = ?
"""
_SETTLE = """
    UPDATE recipient SET state = 'settled', worker = NULL, attempts = attempts + 1, last_reply = ?1
    WHERE id IN (SELECT value FROM json_each(?2))
"""
_COUNT_DOWN = """
    UPDATE message SET open_recipients = open_recipients - settled.count
    FROM (SELECT message_id, count(*) AS count FROM recipient
          WHERE id IN (SELECT value FROM json_each(?)) GROUP BY message_id) AS settled
    WHERE message.id = settled.message_id
"""
_FIND_DONE = """
    SELECT json_group_array(id), json_group_array(queue_id) FILTER (WHERE content_file) FROM message
    WHERE open_recipients = 0
      AND id IN (SELECT message_id FROM recipient WHERE id IN (SELECT value FROM json_each(?)))
"""
_REMOVE = (
    "DELETE FROM recipient WHERE message_id IN (SELECT value FROM json_each(?))",
    "DELETE FROM content WHERE message_id IN (SELECT value FROM json_each(?))",
    "DELETE FROM message WHERE id IN (SELECT value FROM json_each(?))",
)
_DEFER = """
    UPDATE recipient SET state = 'ready', worker = NULL, attempts = attempts + 1,
                         last_reply = ?, due_us = ?, tried = max(tried, ?)
    WHERE id = ? AND state = 'claimed' AND worker = ?
"""
_RELEASE = """
    UPDATE recipient SET state = 'ready', worker = NULL, tried = 1 WHERE state = 'claimed' AND worker = ?
    RETURNING transport
"""


def register_worker(transaction: Transaction, kind: str, now_us: int) -> int:
    """Give a new worker its number."""
    transaction.cursor.execute("INSERT INTO worker (kind, started_us) VALUES (?, ?)", (kind, now_us))
    return transaction.cursor.connection.last_insert_rowid()


def insert_messages(transaction: Transaction, messages: Sequence[NewMessage]) -> None:
    """Store messages with their recipients, all unsorted.

    The small contents go in as one long blob, of which each message gets its part.
    """
    cursor = transaction.cursor
    message_rows, content_rows = [], []
    recipient_rows: list[tuple[int, int, str, str, str]] = []
    octets: list[bytes] = []
    offset = 1
    recipients = sum(len(message.envelope.recipients) for message in messages)
    ((last_message, last_recipient),) = fetch(cursor, _NUMBER, (len(messages), recipients))
    recipient_ids = itertools.count(last_recipient - recipients + 1)
    for message_id, message in enumerate(messages, last_message - len(messages) + 1):
        message_rows.append(_message_row(message_id, message))
        if message.content.octets is not None:
            content_rows.append((message_id, offset, message.content.size))
            octets.append(message.content.octets)
            offset += message.content.size
        recipient_rows.extend(
            (
                next(recipient_ids),
                message_id,
                format_mailbox(recipient.address),
                recipient.notify,
                recipient.orcpt,
            )
            for recipient in message.envelope.recipients
        )
    to_messages, to_content, to_recipients = _ARRIVE
    cursor.execute(to_messages, (json.dumps(message_rows),))
    cursor.execute(to_content, (json.dumps(content_rows), b"".join(octets)))
    cursor.execute(to_recipients, (json.dumps(recipient_rows),))
    transaction.stages.add(Stage.SORTING)


def sort_recipients(transaction: Transaction, decisions: Iterable[Sorted], now_us: int) -> int:
    """Make unsorted recipients ready."""
    cursor = transaction.cursor
    destinations: dict[tuple[Transport, str], int] = {}
    rows = []
    for decision in decisions:
        key = decision.transport, decision.destination
        if key not in destinations:
            destinations[key] = _destination_id(cursor, *key)
        address, transport = format_mailbox(decision.address), decision.transport.value
        rows.append((decision.recipient_id, address, transport, destinations[key]))
    cursor.execute(_SORT, (now_us, json.dumps(rows)))
    moved = cursor.connection.changes()
    if moved:
        transaction.stages.update(transport.stage for transport, _ in destinations)
    return moved


def claim_ready(
    transaction: Transaction, worker: int, transport: Transport, limit: int, now_us: int
) -> list[ClaimedRow]:
    """Claim what is due, destination by destination; the cost does not depend on how much waits."""
    cursor = transaction.cursor
    destinations = _destinations_waiting(cursor, transport)
    claimed: list[ClaimedRow] = []
    while destinations and len(claimed) < limit:
        share = max(1, (limit - len(claimed)) // len(destinations))
        with_more = []
        for destination in destinations:
            wanted = min(share, limit - len(claimed))
            ((found,),) = fetch(cursor, _FIND_DUE, (transport.value, destination, now_us, wanted))
            cursor.execute(_CLAIM, (worker, found))
            ((rows,),) = fetch(cursor, _READ_CLAIMED, (found,))
            taken = json.loads(rows)
            claimed.extend(taken)
            if len(taken) == wanted > 0:
                with_more.append(destination)
        destinations = with_more
    return claimed


def settle_claims(
    transaction: Transaction, worker: int, settlements: Sequence[Settlement], content_folder: Path
) -> int:
    """Record outcomes; remove messages nobody waits for any more."""
    cursor = transaction.cursor
    delivered: dict[str, list[int]] = {}
    deferred = 0
    for settlement in settlements:
        match settlement.outcome:
            case Delivered(reply):
                delivered.setdefault(str(reply), []).append(settlement.recipient_id)
            case Deferred(reply, due_us, uncertain):
                cursor.execute(_DEFER, (str(reply), due_us, uncertain, settlement.recipient_id, worker))
                deferred += cursor.connection.changes()
    settled = 0
    for text, recipients in delivered.items():
        ((ours,),) = fetch(cursor, _FIND_OURS, (json.dumps(recipients), worker))
        cursor.execute(_SETTLE, (text, ours))
        settled += cursor.connection.changes()
        cursor.execute(_COUNT_DOWN, (ours,))
        _remove_done(transaction, ours, content_folder)
    if settled:
        cursor.execute("UPDATE meta SET delivered = delivered + ?", (settled,))
    return settled + deferred


def release_dead_workers(transaction: Transaction, folder: Path, own: int) -> int:
    """Make the claims of workers that no longer live ready again, and forget those workers."""
    cursor = transaction.cursor
    released = 0
    for (worker,) in fetch(cursor, "SELECT id FROM worker WHERE id <> ?", (own,)):
        if is_alive(folder, worker):
            continue
        for (transport,) in fetch(cursor, _RELEASE, (worker,)):
            released += 1
            transaction.stages.add(Transport(transport).stage)
        cursor.execute("DELETE FROM worker WHERE id = ?", (worker,))
        forget(folder, worker)
    return released


def _message_row(message_id: int, message: NewMessage) -> tuple[object, ...]:
    envelope, content, parameters = message.envelope, message.content, message.envelope.parameters
    client = envelope.client
    return (
        message_id,
        message.queue_id,
        format_mailbox(envelope.sender) if envelope.sender else "",
        parameters.body,
        client.address,
        client.port,
        client.hello,
        client.protocol,
        content.size,
        content.digest.hex(),
        message.arrived_us,
        len(envelope.recipients),
        content.file is not None,
        parameters.international,
        parameters.ret,
        parameters.envid,
    )


def _destination_id(cursor: apsw.Cursor, transport: Transport, name: str) -> int:
    key = transport.value, name
    cursor.execute("INSERT INTO destination (transport, name) VALUES (?, ?) ON CONFLICT DO NOTHING", key)
    ((number,),) = fetch(cursor, "SELECT id FROM destination WHERE transport = ? AND name = ?", key)
    return int(number)


def _destinations_waiting(cursor: apsw.Cursor, transport: Transport) -> list[int]:
    """Walk the index from one destination to the next, without touching what waits for each."""
    found: list[int] = []
    last = -1
    while rows := fetch(cursor, _NEXT_DESTINATION, (transport.value, last)):
        ((last,),) = rows
        found.append(last)
    return found


def _remove_done(transaction: Transaction, settled: str, content_folder: Path) -> None:
    """Remove the messages of settled recipients that have no open one left."""
    cursor = transaction.cursor
    ((done, in_files),) = fetch(cursor, _FIND_DONE, (settled,))
    for statement in _REMOVE:
        cursor.execute(statement, (done,))
    transaction.unlink.extend(content_file(content_folder, queue_id) for queue_id in json.loads(in_files))
