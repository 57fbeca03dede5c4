"""What SORT and THREAD know of a message; made once of its envelope (RFC 5256 §2, §3)."""

import re
from dataclasses import dataclass

from paperpath.imap.content.needle import fold
from paperpath.imap.content.subjects import find_base_subject
from paperpath.mail.charsets import decode_octets
from paperpath.mail.mime.envelope import Addresses, read_envelope
from paperpath.mail.mime.loose_dates import read_loose_date, to_microseconds

_MOST_REFERENCES = 1000  # the last ones
_MESSAGE_ID = re.compile(rb"<([^<>]++)>")
_QUOTING = re.compile(rb'"|\\(?=.)|[ \t]+')


@dataclass(frozen=True, slots=True)
class Summary:
    """A message as it is sorted; `number` is what it is called in the answer, and breaks ties.

    `subject` is the base subject; `from_`, `to`, `cc` are the local parts of the first addresses. `ancestors`
    are message ids, from the first message of the thread to the one that this answers.
    """

    number: int
    arrived_us: int
    sent_us: int
    octets: int
    subject: str
    is_reply: bool
    from_: str
    to: str
    cc: str
    message_id: bytes
    ancestors: tuple[bytes, ...]


def summarise(number: int, arrived_us: int, octets: int, fields: bytes) -> Summary:
    """Make a summary; `fields` are the message's header, or those in `Part.envelope`."""
    envelope = read_envelope(fields)
    sent = read_loose_date(envelope.date)
    subject = find_base_subject(envelope.subject)
    # In-Reply-To counts only where References say nothing, and its first id only (RFC 5256 §3).
    ancestors = _read_ids(envelope.references)[-_MOST_REFERENCES:] or _read_ids(envelope.in_reply_to)[:1]
    return Summary(
        number,
        arrived_us,
        arrived_us if sent is None else to_microseconds(sent),
        octets,
        subject.text,
        subject.is_reply,
        _first_name(envelope.from_),
        _first_name(envelope.to),
        _first_name(envelope.cc),
        next(iter(_read_ids(envelope.message_id)), b""),
        ancestors,
    )


def _read_ids(value: bytes | None) -> tuple[bytes, ...]:
    """Return the message ids in a value, as they mean: quotes do not matter."""
    return tuple(_QUOTING.sub(b"", found) for found in _MESSAGE_ID.findall(value or b""))


def _first_name(addresses: Addresses) -> str:
    return fold(decode_octets(addresses[0].mailbox or b"")) if addresses else ""
