"""Paths and mailboxes (A-20 to A-28, A-33)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.mail.address import (
    AddressError,
    Mailbox,
    NonASCIIAddressError,
    domain_key,
    format_mailbox,
    parse_mailbox,
    parse_path,
)

ACCEPTED = [
    (b"<a@b.example>", Mailbox("a", "b.example")),
    (b'<"john doe"@here.example>', Mailbox("john doe", "here.example")),
    (rb'<"a\"b"@here.example>', Mailbox('a"b', "here.example")),
    (b'<"@"@here.example>', Mailbox("@", "here.example")),
    (b'<"a>b"@here.example>', Mailbox("a>b", "here.example")),
    (b"<!#$%&'*+-/=?^_`{|}~@here.example>", Mailbox("!#$%&'*+-/=?^_`{|}~", "here.example")),
    (b"<a@[192.0.2.1]>", Mailbox("a", "[192.0.2.1]")),
    (b"<a@[IPv6:2001:db8::1]>", Mailbox("a", "[IPv6:2001:db8::1]")),
    (b"<a@[ipV6:::ffff:192.0.2.1]>", Mailbox("a", "[ipV6:::ffff:192.0.2.1]")),
    (b"<@a.example,@b.example:u@here.example>", Mailbox("u", "here.example")),
    (b"<pOSTmaster>", Mailbox("pOSTmaster", "")),
    (b"<" + b"a" * 64 + b"@" + b"b" * 63 + b".example>", Mailbox("a" * 64, "b" * 63 + ".example")),
]
REFUSED = [
    b"a@b.example", b"<a@b.example",
    b"<a..b@d>", b"<.a@d>", b"<a.@d>", b"<a b@d>", b"<a@d@e>", b"<@d>", b"<a@>",
    b'<"a@d>', b"<a>", b"<a@b_c.example>", b"<a@-b.example>", b"<a@b-.example>", b"<a@b..example>",
    b"<a@" + b"b" * 64 + b".example>", b"<a@" + b"b." * 128 + b"example>", b"<a@[256.0.0.1]>", b"<a@[1.2.3]>",
    b"<a@[2001:db8::1]>", b"<a@[IPv6:1::2::3]>", b"<a@[IPv6:fe80::1%eth0]>",
    b"<@a.example:>", b"<a.example:u@b.example>",
    b"<a@b.example\x00>", b"<a\x01@b.example>", b'<"a\x00"@b.example>', b"< a@b.example>", b"<a@b.example >",
]  # fmt: skip


@pytest.mark.parametrize(("octets", "mailbox"), ACCEPTED)
def test_A22_to_A28_paths_are_read(octets: bytes, mailbox: Mailbox) -> None:
    assert parse_path(octets + b" SIZE=1") == (mailbox, b" SIZE=1")


@pytest.mark.parametrize("octets", REFUSED)
def test_A22_to_A26_malformed_paths_are_refused(octets: bytes) -> None:
    with pytest.raises(AddressError) as caught:
        parse_path(octets)
    assert not isinstance(caught.value, NonASCIIAddressError)


def test_A20_the_null_path() -> None:
    assert parse_path(b"<> BODY=7BIT") == (None, b" BODY=7BIT")


def test_A23_all_spellings_of_a_local_part_are_one_mailbox() -> None:
    spellings = [b"<joe@here.example>", b'<"joe"@here.example>', rb'<"j\oe"@here.example>']
    assert {parse_path(spelling)[0] for spelling in spellings} == {Mailbox("joe", "here.example")}
    assert format_mailbox(Mailbox("joe", "here.example")) == "joe@here.example"


def test_A24_case_of_the_local_part_is_kept() -> None:
    assert format_mailbox(parse_mailbox("MiXeD@backup.example")) == "MiXeD@backup.example"


@pytest.mark.parametrize("octets", [b"<\xc3\xa9@here.example>", b"<a@\xc3\xa9.example>"])
def test_A33_octets_above_7f_are_told_apart(octets: bytes) -> None:
    with pytest.raises(NonASCIIAddressError):
        parse_path(octets)


def test_A33_octets_above_7f_behind_the_path_stay_octets() -> None:
    assert parse_path(b"<a@b.example> X=\xc3\xa9") == (Mailbox("a", "b.example"), b" X=\xc3\xa9")


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60))
def test_format_and_parse_are_inverses(local: str) -> None:
    mailbox = Mailbox(local, "here.example")
    assert parse_mailbox(format_mailbox(mailbox)) == mailbox
    assert parse_path(f"<{mailbox}>".encode()) == (mailbox, b"")


@given(st.binary(max_size=80))
def test_any_octets_give_a_path_or_an_address_error(octets: bytes) -> None:
    try:
        mailbox, _ = parse_path(b"<" + octets)
    except AddressError:
        return
    assert mailbox is None or parse_mailbox(format_mailbox(mailbox)) == mailbox


def test_E2_domains_compare_without_case_and_trailing_dot() -> None:
    assert domain_key("HERE.example.") == domain_key("here.example")
    assert domain_key("[IPv6:0:0:0:0:0:0:0:1]") == domain_key("[IPv6:::1]")
