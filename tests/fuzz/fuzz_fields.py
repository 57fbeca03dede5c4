"""Invariant: what is understood of a field reads the same once written; what may stay is understood."""

from collections.abc import Sequence
from datetime import datetime

from paperpath.mail.fields.address_text import encode_names, fold_addresses, format_addresses
from paperpath.mail.fields.addresses import Group, Named, parse_addresses
from paperpath.mail.fields.dates import parse_date
from paperpath.mail.fields.encoded_words import encode_words
from paperpath.mail.fields.error import FieldError
from paperpath.mail.fields.folding import fold_field, unfold
from paperpath.mail.fields.glance import are_canonical_addresses, is_canonical_date, is_canonical_message_id
from paperpath.mail.fields.message_ids import parse_message_id
from paperpath.mail.fields.shown_words import decode_words
from paperpath.mail.trace import format_date
from tests.fuzz.pace import at_pace

MOST_OCTETS = 4096
WORDS = (
    b"joe@x.example", b"<joe@x.example>", b"Joe Q. Public", b'"a b"', b"(c)", b"(", b")", b"\\", b'"',
    b"\r\n ", b"\r\n", b", ", b": ", b";", b"<@a,@b:", b"@", b"[192.0.2.1]", b"=?utf-8?q?", b"=?utf-8?b?",
    b"?=", b"?", b"=?utf-8?q?=C3=A9?=", b"=?iso-8859-1?b?6Q==?=", "é".encode(), "日本".encode(), b"\t",
    b"Fri, 21 Nov 1997 09:55:06 -0600", b"21 Nov 97 09:55 EST", b" Sat", b"60", b"+9959", b"29 Feb",
    b"<a.b@c>", b"<a@[b]>", b"undisclosed-recipients:;",
)  # fmt: skip
_MOST_US = 60


def check(octets: bytes) -> None:
    """Read it as each of the things that a value can be."""
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        assert not are_canonical_addresses(octets)
        assert not is_canonical_date(octets)
        assert not is_canonical_message_id(octets)
        text = octets.decode("utf-8", "surrogateescape")
    for judge in (check_addresses, check_date, check_message_id, check_words):
        at_pace(lambda judge=judge: judge(text), len(octets), _MOST_US)  # type: ignore[misc]


def check_addresses(text: str) -> None:
    """Read a list of addresses, and write it again."""
    at_a_glance = are_canonical_addresses(text.encode("utf-8", "surrogateescape"))
    try:
        found = parse_addresses(text)
    except FieldError as error:
        check_complaint(error)
        assert not at_a_glance
        return
    if at_a_glance:
        assert text.isascii()
        assert found.is_canonical
        for named in found.mailboxes:
            assert "." in named.mailbox.domain.strip(".[")
    written = format_addresses(found.addresses)
    assert written.replace("\t", " ").splitlines() == [written.replace("\t", " ")]
    again = parse_addresses(written)
    assert again.addresses == found.addresses
    assert format_addresses(again.addresses) == written
    assert again.is_canonical or any(named.mailbox.domain.endswith(".") for named in found.mailboxes)
    check_fold(written, found.addresses)
    check_in_ascii(found.addresses)


def check_fold(written: str, addresses: Sequence[Named | Group]) -> None:
    """Write a field of addresses, or be told why not."""
    try:
        field = fold_addresses(b"Resent-Reply-To", addresses)
    except FieldError as error:
        check_complaint(error)
        return
    check_lines(field)
    assert unfold(field.decode()) == f"Resent-Reply-To: {written}\r\n"


def check_in_ascii(addresses: Sequence[Named | Group]) -> None:
    """Encode names and comments; nothing else changes."""
    encoded = [encode_names(address) for address in addresses]
    assert [encode_names(address) for address in encoded] == encoded
    again = parse_addresses(format_addresses(encoded))
    assert again.addresses == tuple(encoded)
    mailboxes = [named.mailbox for address in addresses for named in list_mailboxes(address)]
    assert [named.mailbox for named in again.mailboxes] == mailboxes
    if all(mailbox.domain.isascii() and mailbox.local.isascii() for mailbox in mailboxes):
        assert format_addresses(encoded).isascii()


def list_mailboxes(address: Named | Group) -> tuple[Named, ...]:
    """List the mailboxes of one address."""
    return address.members if isinstance(address, Group) else (address,)


def check_date(text: str) -> None:
    """Read a date, and write it again."""
    at_a_glance = is_canonical_date(text.encode("utf-8", "surrogateescape"))
    try:
        moment = parse_date(text)
    except FieldError as error:
        check_complaint(error)
        complaint = str(error)
    else:
        check_moment(moment)
        return
    assert not at_a_glance or "no such day or time" in complaint  # zones of 99 hours are legal


def check_moment(moment: datetime) -> None:
    """Write a date again."""
    written = format_date(moment)
    assert is_canonical_date(written.encode())
    assert parse_date(written) == moment


def check_message_id(text: str) -> None:
    """Read a message id."""
    at_a_glance = is_canonical_message_id(text.encode("utf-8", "surrogateescape"))
    try:
        found = parse_message_id(text)
    except FieldError as error:
        check_complaint(error)
        assert not at_a_glance
        return
    assert parse_message_id(found) == found
    assert found in text or not at_a_glance
    check_lines(fold_field(b"Resent-Message-ID", found))


def check_words(text: str) -> None:
    """Encode it as unstructured text, which must look as before; and show it."""
    shown = decode_words(text)
    assert len(f"a{shown}".splitlines()) == 1
    if "\r" in text or "\n" in text or not text.isprintable():
        return
    encoded = encode_words(text)
    assert encoded.isascii()
    assert encode_words(encoded) == encoded
    if "=?" not in text:  # else one may begin where another ends
        assert decode_words(encoded) == shown
    try:
        check_lines(fold_field(b"Subject", encoded))
    except FieldError as error:  # encoded words of any length stay
        check_complaint(error)
        assert "=?" in text


def check_lines(field: bytes) -> None:
    """Assert that a field is one, of lines neither too long nor blank (RFC 5322 §2.1.1, §3.2.2)."""
    *lines, last = field.split(b"\r\n")
    assert last == b""
    for line in lines:
        assert len(line) <= 998
        assert line.strip(b" \t")
    assert all(line.startswith((b" ", b"\t")) for line in lines[1:])


def check_complaint(error: FieldError) -> None:
    """Assert that a complaint can stand in a reply."""
    assert str(error).isascii()
    assert str(error).isprintable()
    assert len(str(error)) < 200
