"""How messages come into the queue: those that the ways in took, and the reports that we make ourselves.

The group's joint operation, and a step of every operation that may make a report. It is the path that every
message takes, so rows are bound as they are: what reads them out of one JSON text for all messages takes
twice as long (docs/performance.md).
"""

import itertools
import json
from collections.abc import Iterable, Sequence

from paperpath.mail.address import format_mailbox
from paperpath.maildrop.sqlite.database import fetch
from paperpath.maildrop.sqlite.group import Transaction
from paperpath.maildrop.values import NewMessage, Origin, Stage

_NUMBER = """
    UPDATE meta SET messages = messages + ?, recipients = recipients + ?,
                    accepted = accepted + ?, reported = reported + ?
    RETURNING messages, recipients
"""
_ADD_MESSAGE = "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_ADD_CONTENT = "INSERT INTO content VALUES (?, ?)"
_ADD_RECIPIENT = """
    INSERT INTO recipient (id, message_id, accepted_address, address, state, notify, orcpt)
    VALUES (?1, ?2, ?3, ?3, 'unsorted', ?4, ?5)
"""
_TAKE = "INSERT INTO taken SELECT value FROM json_each(?) WHERE true ON CONFLICT DO NOTHING RETURNING key"
_HAS_FILE = "SELECT count(*) FROM message WHERE queue_id = ? AND content_file = 1"


def insert_messages(transaction: Transaction, messages: Sequence[NewMessage]) -> None:
    """Store messages with their recipients, all unsorted, except those that were taken before."""
    if any(message.unique for message in messages):
        messages = _take(transaction, messages)
    if not messages:
        return
    cursor = transaction.cursor
    last_message, last_recipient = _number(transaction, messages)
    numbered = list(enumerate(messages, last_message + 1))
    recipient_ids = itertools.count(last_recipient + 1)
    cursor.executemany(_ADD_MESSAGE, [_message_row(number, message) for number, message in numbered])
    cursor.executemany(
        _ADD_CONTENT,
        [
            (number, message.content.octets)
            for number, message in numbered
            if message.content.octets is not None
        ],
    )
    cursor.executemany(
        _ADD_RECIPIENT,
        [
            (next(recipient_ids), number, format_mailbox(one.address), one.notify, one.orcpt)
            for number, message in numbered
            for one in message.envelope.recipients
        ],
    )
    transaction.stages.add(Stage.SORTING)


def insert_reports(transaction: Transaction, reports: Iterable[NewMessage | None]) -> None:
    """Store each report once, however many recipients it is about."""
    insert_messages(
        transaction, list({report.queue_id: report for report in reports if report is not None}.values())
    )


def forget_unique(transaction: Transaction, keys: Sequence[str]) -> None:
    """Forget keys under which messages were taken."""
    transaction.cursor.execute(
        "DELETE FROM taken WHERE key IN (SELECT value FROM json_each(?))", (json.dumps(list(keys)),)
    )


def _take(transaction: Transaction, messages: Sequence[NewMessage]) -> list[NewMessage]:
    """Return the messages that were not taken before; the file of any other goes, if it is nobody's."""
    cursor = transaction.cursor
    keys = [message.unique for message in messages if message.unique]
    fresh = {key for (key,) in fetch(cursor, _TAKE, (json.dumps(keys),))}
    kept = []
    for message in messages:
        if not message.unique or message.unique in fresh:
            fresh.discard(message.unique)
            kept.append(message)
        elif message.content.file is not None and fetch(cursor, _HAS_FILE, (message.queue_id,)) == [(0,)]:
            transaction.gone.append(message.queue_id)
    return kept


def _number(transaction: Transaction, messages: Sequence[NewMessage]) -> tuple[int, int]:
    """Give the last numbers before those of these messages and their recipients, and write them up."""
    counts = [len(message.envelope.recipients) for message in messages]
    reported = sum(
        count for count, message in zip(counts, messages, strict=True) if message.origin is Origin.REPORT
    )
    recipients = sum(counts)
    ((last_message, last_recipient),) = fetch(
        transaction.cursor, _NUMBER, (len(messages), recipients, recipients - reported, reported)
    )
    return last_message - len(messages), last_recipient - recipients


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
        content.digest,
        message.arrived_us,
        len(envelope.recipients),
        1 if content.file is not None else 0,
        parameters.international,
        parameters.ret,
        parameters.envid,
        message.origin.value,
        message.deadline_us,
        client.tls,
        client.service,
        client.account,
    )
