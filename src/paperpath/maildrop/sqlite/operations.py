"""The operations that move recipients along, each a function of one transaction.

Each is one step of docs/maildrop-states.md: it happens whole or not at all, and moves a recipient only if it
is still in the state the step begins with (compare-and-set), so that whoever came late changes nothing.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import apsw

from paperpath.mail.address import format_mailbox
from paperpath.mail.outcome import Deferred, Delivered
from paperpath.maildrop.content import content_file
from paperpath.maildrop.interface import (
    NewMessage,
    Settlement,
    Sorted,
    Stage,
    Transport,
)
from paperpath.maildrop.sqlite.database import fetch
from paperpath.maildrop.sqlite.locks import forget, is_alive
from paperpath.maildrop.sqlite.writer import Transaction

ClaimedRow = tuple[int, int, str, int, int]  # recipient id, message id, address, tried, attempts

_INSERT_MESSAGE = """
    INSERT INTO message (queue_id, sender, body, client_address, client_port, client_hello, client_protocol,
                         size, digest, arrived_us, open_recipients, content_file)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_INSERT_RECIPIENT = """
    INSERT INTO recipient (message_id, accepted_address, address, state) VALUES (?, ?, ?, 'unsorted')
"""
_SORT = """
    UPDATE recipient SET state = 'ready', address = ?, transport = ?, destination_id = ?, due_us = ?
    WHERE id = ? AND state = 'unsorted'
"""
_NEXT_DESTINATION = """
    SELECT destination_id FROM recipient
    WHERE state = 'ready' AND transport = ? AND destination_id > ? ORDER BY destination_id LIMIT 1
"""
_CLAIM = """
    UPDATE recipient SET state = 'claimed', worker = ?
    WHERE id IN (SELECT id FROM recipient
                 WHERE state = 'ready' AND transport = ? AND destination_id = ? AND due_us <= ?
                 ORDER BY due_us LIMIT ?)
    RETURNING id, message_id, address, tried, attempts
"""
_SETTLE = """
    UPDATE recipient SET state = 'settled', worker = NULL, attempts = attempts + 1, last_reply = ?
    WHERE id = ? AND state = 'claimed' AND worker = ? RETURNING message_id
"""
_DEFER = """
    UPDATE recipient SET state = 'ready', worker = NULL, tried = 0, attempts = attempts + 1,
                         last_reply = ?, due_us = ?
    WHERE id = ? AND state = 'claimed' AND worker = ?
"""
_COUNT_DOWN = """
    UPDATE message SET open_recipients = open_recipients - ? WHERE id = ?
    RETURNING open_recipients, content_file, queue_id
"""
_RELEASE = """
    UPDATE recipient SET state = 'ready', worker = NULL, tried = 1 WHERE state = 'claimed' AND worker = ?
    RETURNING transport
"""


def register_worker(transaction: Transaction, kind: str, now_us: int) -> int:
    """Give a new worker its number."""
    transaction.cursor.execute("INSERT INTO worker (kind, started_us) VALUES (?, ?)", (kind, now_us))
    return transaction.cursor.connection.last_insert_rowid()


def insert_message(transaction: Transaction, message: NewMessage) -> None:
    """Store a message with its recipients, all unsorted."""
    cursor, envelope, content = transaction.cursor, message.envelope, message.content
    client = envelope.client
    cursor.execute(
        _INSERT_MESSAGE,
        (
            message.queue_id,
            format_mailbox(envelope.sender) if envelope.sender else "",
            envelope.body,
            client.address,
            client.port,
            client.hello,
            client.protocol,
            content.size,
            content.digest,
            message.arrived_us,
            len(envelope.recipients),
            content.file is not None,
        ),
    )
    message_id = cursor.connection.last_insert_rowid()
    if content.octets is not None:
        cursor.execute("INSERT INTO content VALUES (?, ?)", (message_id, content.octets))
    for recipient in envelope.recipients:
        address = format_mailbox(recipient)
        cursor.execute(_INSERT_RECIPIENT, (message_id, address, address))
    transaction.accepted += len(envelope.recipients)
    transaction.stages.add(Stage.SORTING)


def sort_recipients(transaction: Transaction, decisions: Iterable[Sorted], now_us: int) -> int:
    """Make unsorted recipients ready."""
    cursor = transaction.cursor
    moved = 0
    destinations: dict[tuple[Transport, str], int] = {}
    for decision in decisions:
        key = decision.transport, decision.destination
        if key not in destinations:
            destinations[key] = _destination_id(cursor, *key)
        address, transport = format_mailbox(decision.address), decision.transport
        cursor.execute(_SORT, (address, transport.value, destinations[key], now_us, decision.recipient_id))
        if cursor.connection.changes():
            moved += 1
            transaction.stages.add(transport.stage)
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
            rows = fetch(cursor, _CLAIM, (worker, transport.value, destination, now_us, wanted))
            claimed.extend(rows)
            if len(rows) == wanted > 0:
                with_more.append(destination)
        destinations = with_more
    return claimed


def settle_claims(
    transaction: Transaction, worker: int, settlements: Sequence[Settlement], content_folder: Path
) -> int:
    """Record outcomes; remove messages nobody waits for any more."""
    cursor = transaction.cursor
    done: Counter[int] = Counter()
    deferred = 0
    for settlement in settlements:
        match settlement.outcome:
            case Delivered(reply):
                rows = fetch(cursor, _SETTLE, (str(reply), settlement.recipient_id, worker))
                done.update(message_id for (message_id,) in rows)
            case Deferred(reply, due_us):
                cursor.execute(_DEFER, (str(reply), due_us, settlement.recipient_id, worker))
                deferred += cursor.connection.changes()
    for message_id, count in done.items():
        _count_down(transaction, message_id, count, content_folder)
    delivered = done.total()
    transaction.delivered += delivered
    return delivered + deferred


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


def _count_down(transaction: Transaction, message_id: int, count: int, content_folder: Path) -> None:
    cursor = transaction.cursor
    ((still_open, in_file, queue_id),) = fetch(cursor, _COUNT_DOWN, (count, message_id))
    if still_open:
        return
    cursor.execute("DELETE FROM recipient WHERE message_id = ?", (message_id,))
    cursor.execute("DELETE FROM content WHERE message_id = ?", (message_id,))
    cursor.execute("DELETE FROM message WHERE id = ?", (message_id,))
    if in_file:
        transaction.unlink.append(content_file(content_folder, queue_id))
