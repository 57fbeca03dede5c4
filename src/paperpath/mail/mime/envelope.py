"""What a header says of a message in short: from whom, to whom, when, what about (RFC 9051 §7.5.2).

Made of the fields that structure.py keeps, or of a whole header. Values are octets as they stand, unfolded;
encoded words in them are not decoded.
"""

from dataclasses import dataclass

from paperpath.mail.mime.fields import first_values, unfold_octets
from paperpath.mail.mime.loose_addresses import LooseAddress, read_loose_addresses

# Those of RFC 9051 §7.5.2, and what threads are found by.
ENVELOPE_FIELDS = frozenset(
    b"date subject from sender reply-to to cc bcc in-reply-to message-id references".split()
)

Addresses = tuple[LooseAddress, ...]


@dataclass(frozen=True, slots=True)
class Envelope:
    """The fields of a header; `None` where there is no such field, empty where nothing is in it."""

    date: bytes | None
    subject: bytes | None
    from_: Addresses
    sender: Addresses
    reply_to: Addresses
    to: Addresses
    cc: Addresses
    bcc: Addresses
    in_reply_to: bytes | None
    message_id: bytes | None
    references: bytes | None


def read_envelope(header: bytes) -> Envelope:
    """Read a header; who is not named as sender, or for replies, is who it is from."""
    values = {name: unfold_octets(value) for name, value in first_values(header, ENVELOPE_FIELDS).items()}

    def addresses(name: bytes) -> Addresses:
        return tuple(read_loose_addresses(values.get(name, b"")))

    authors = addresses(b"from")
    return Envelope(
        date=values.get(b"date"),
        subject=values.get(b"subject"),
        from_=authors,
        sender=addresses(b"sender") or authors,
        reply_to=addresses(b"reply-to") or authors,
        to=addresses(b"to"),
        cc=addresses(b"cc"),
        bcc=addresses(b"bcc"),
        in_reply_to=values.get(b"in-reply-to"),
        message_id=values.get(b"message-id"),
        references=values.get(b"references"),
    )
