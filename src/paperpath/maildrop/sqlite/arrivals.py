"""How messages come into the queue: those that the ways in took, and the reports that we make ourselves.

The group's joint operation, and a step of every operation that may make a report. It is the path that every
message takes, so it is a handful of statements whatever the number of messages: with each statement the
thread gives up the interpreter, which costs more than what SQLite does meanwhile (docs/decisions/0008).
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
_ARRIVE = (
    """
    INSERT INTO message SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
        value ->> 6, value ->> 7, value ->> 8, unhex(value ->> 9), value ->> 10, value ->> 11, value ->> 12,
        value ->> 13, value ->> 14, value ->> 15, value ->> 16, value ->> 17,
        value ->> 18, value ->> 19, value ->> 20
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
_TAKE = "INSERT INTO taken SELECT value FROM json_each(?) WHERE true ON CONFLICT DO NOTHING RETURNING key"
_HAS_FILE = "SELECT count(*) FROM message WHERE queue_id = ? AND content_file = 1"


def insert_messages(transaction: Transaction, messages: Sequence[NewMessage]) -> None:
    """Store messages with their recipients, all unsorted, except those that were taken before.

    The small contents go in as one long blob, of which each message gets its part.
    """
    if any(message.unique for message in messages):
        messages = _take(transaction, messages)
    if not messages:
        return
    cursor = transaction.cursor
    message_rows, content_rows = [], []
    recipient_rows: list[tuple[int, int, str, str, str]] = []
    octets: list[bytes] = []
    offset = 1
    last_message, last_recipient = _number(transaction, messages)
    recipient_ids = itertools.count(last_recipient + 1)
    for message_id, message in enumerate(messages, last_message + 1):
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
        content.digest.hex(),
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
