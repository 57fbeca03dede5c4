"""ENVELOPE as it is written (RFC 9051 §7.5.2)."""

from paperpath.imap.responses import NIL, write_nstring
from paperpath.mail.mime.envelope import Addresses, read_envelope


def write_envelope(fields: bytes) -> bytes:
    """Write the envelope of a message, given its header, or the fields in `Part.envelope`."""
    envelope = read_envelope(fields)
    words = [write_nstring(envelope.date), write_nstring(envelope.subject)]
    words += map(
        _write_addresses,
        (
            envelope.from_,
            envelope.sender,
            envelope.reply_to,
            envelope.to,
            envelope.cc,
            envelope.bcc,
        ),
    )
    words += [write_nstring(envelope.in_reply_to), write_nstring(envelope.message_id)]
    return b"(" + b" ".join(words) + b")"


def _write_addresses(addresses: Addresses) -> bytes:
    if not addresses:
        return NIL
    return (
        b"(" + b"".join(b"(" + b" ".join(map(write_nstring, address)) + b")" for address in addresses) + b")"
    )
