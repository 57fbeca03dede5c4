"""Invariant: a trace field is one field of short lines, ASCII without SMTPUTF8, with no comment but ours."""

import re
from datetime import UTC, datetime

from paperpath.mail.address import AddressError, Mailbox, parse_path
from paperpath.mail.envelope import Client
from paperpath.mail.trace import (
    Stamp,
    delivered_to_field,
    received_field,
    return_path_field,
)
from tests.fuzz.fuzz_addresses import WORDS as ADDRESS_WORDS
from tests.fuzz.pace import at_pace

MOST_OCTETS = 2048
WORDS = (*ADDRESS_WORDS, b"\n", b"(", b")", b"\r\n", b"xn--a.xn--b", b";", b" for ")

_STAMP = Stamp("mx.xn--bcher-kva.example", "0123456789AB", datetime(2026, 11, 22, tzinfo=UTC))
_RECEIVED = re.compile(
    r"Received: from [^\s()]+ \(\[(?:192\.0\.2\.1|IPv6:2001:db8::1)\]\)\r\n"
    r" by [^\s()]+ with [A-Z0-9]+ id 0123456789AB(?:;|\r\n for <[^\r\n]+>;)\r\n"
    r" Sun, 22 Nov 2026 00:00:00 \+0000\r\n"
)


def check(octets: bytes) -> None:
    """The first octet chooses; then comes what the client calls itself, and behind LF its only recipient."""
    how = sum(octets[:1])
    name, _, path = octets[1:].partition(b"\n")
    hello = name.decode("utf-8" if how & 1 else "latin-1", "replace")
    international = bool(how & 2)
    recipient = read_recipient(path)
    client = Client(
        "2001:db8::1" if how & 4 else "192.0.2.1", 1, hello, "UTF8SMTPS" if international else "ESMTP"
    )
    at_pace(lambda: received_field(client, _STAMP, recipient), len(octets), 20)
    field = received_field(client, _STAMP, recipient).decode("utf-8" if international else "ascii")
    assert _RECEIVED.fullmatch(field)
    check_lines(field)
    if recipient is not None:
        check_lines(return_path_field(recipient).decode())
        check_lines(delivered_to_field(recipient).decode())


def read_recipient(path: bytes) -> Mailbox | None:
    """Read a recipient as the grammar does where SMTPUTF8 is in force."""
    try:
        return parse_path(path, international=True)[0]
    except AddressError:
        return None


def check_lines(field: str) -> None:
    """Assert that a field is one field, and its lines are none too long (RFC 5322 §2.1.1)."""
    *lines, last = field.split("\r\n")
    assert last == ""
    for line in lines:
        assert len(line.encode()) <= 998
        assert len(line.splitlines()) == 1
        assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in line)
    assert all(line.startswith(" ") for line in lines[1:])
