"""Invariant: a path or mailbox that is taken reads the same once written, and harms no header or reply."""

from paperpath.mail.address import (
    AddressError,
    Mailbox,
    format_mailbox,
    format_path,
    parse_mailbox,
    parse_path,
)
from paperpath.mail.domain import domain_key, to_u_labels
from tests.fuzz.pace import at_pace

MOST_OCTETS = 4096
WORDS = (
    b"<", b">", b"@", b'"', b"\\", b"\\\\", b".", b"<>", b"<a@b.example>", b"Postmaster",
    b'<"a b"@c.example>', b"<@a.example,@b.example:", b"[192.0.2.1]", b"[IPv6:2001:db8::1]",
    b"[IPv6:::ffff:192.0.2.1]", b"xn--", b"xn--bcher-kva.example",
    "bücher".encode(), "δοκιμή@παράδειγμα".encode(), "。".encode(), "ß".encode(),
    "\u200d".encode(), "ı".encode(),
)  # fmt: skip


def check(octets: bytes) -> None:
    """Read it as a path, with and without SMTPUTF8, and as a mailbox."""
    at_pace(lambda: check_path(octets, international=False), len(octets), 20)
    at_pace(lambda: check_path(octets, international=True), len(octets), 20)
    check_text(octets.decode("utf-8", "replace"))


def check_path(octets: bytes, *, international: bool) -> None:
    """Read a path from the wire."""
    try:
        mailbox, behind = parse_path(octets, international=international)
    except AddressError as error:
        check_complaint(error)
        return
    assert octets.endswith(b">" + behind)
    path = octets[: len(octets) - len(behind)]
    path.decode("utf-8" if international else "ascii")
    written = format_path(mailbox)
    assert parse_path(written.encode(), international=international) == (mailbox, b"")
    if mailbox is not None:
        check_mailbox(mailbox)


def check_text(text: str) -> None:
    """Read a mailbox as the configuration has it."""
    try:
        mailbox = parse_mailbox(text)
    except AddressError as error:
        check_complaint(error)
    else:
        check_mailbox(mailbox)


def check_mailbox(mailbox: Mailbox) -> None:
    """Assert what holds of every mailbox that was taken."""
    written = format_mailbox(mailbox)
    assert parse_mailbox(written) == mailbox
    assert format_mailbox(parse_mailbox(written)) == written
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in written)
    assert len(written.splitlines()) <= 1
    key = domain_key(mailbox.domain)
    assert key.isascii()
    assert domain_key(key) == key
    assert domain_key(to_u_labels(key)) == key


def check_complaint(error: AddressError) -> None:
    """Assert that a complaint can stand in a reply."""
    assert str(error).isascii()
    assert str(error).isprintable()
