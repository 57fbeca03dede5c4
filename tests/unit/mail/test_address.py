"""Paths and mailboxes (A-20 to A-28, A-33, A-62, A-63, S-9, S-11)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.mail.address import (
    MOST_LOCAL_OCTETS,
    AddressError,
    Mailbox,
    NonASCIIAddressError,
    format_mailbox,
    format_path,
    is_dot_string,
    parse_mailbox,
    parse_path,
)
from paperpath.mail.domain import domain_key, to_a_labels

ACCEPTED = [
    (b"<a@b.example>", Mailbox("a", "b.example")),
    (b'<"john doe"@here.example>', Mailbox("john doe", "here.example")),
    (rb'<"a\"b"@here.example>', Mailbox('a"b', "here.example")),
    (b'<"@"@here.example>', Mailbox("@", "here.example")),
    (b'<"a>b"@here.example>', Mailbox("a>b", "here.example")),
    (b"<!#$%&'*+-/=?^_`{|}~@here.example>", Mailbox("!#$%&'*+-/=?^_`{|}~", "here.example")),
    (b'<""@here.example>', Mailbox("", "here.example")),
    (b'<".a..b."@here.example>', Mailbox(".a..b.", "here.example")),
    (b"<a.b-.-c@x-y.r3---sn.example>", Mailbox("a.b-.-c", "x-y.r3---sn.example")),
    (b"<a@b>", Mailbox("a", "b")),
    (b"<a@HERE.Example>", Mailbox("a", "HERE.Example")),
    (b"<a@xn--bcher-kva.example>", Mailbox("a", "xn--bcher-kva.example")),
    (b"<a@[192.0.2.1]>", Mailbox("a", "[192.0.2.1]")),
    (b"<a@[IPv6:2001:db8::1]>", Mailbox("a", "[IPv6:2001:db8::1]")),
    (b"<a@[ipV6:::ffff:192.0.2.1]>", Mailbox("a", "[ipV6:::ffff:192.0.2.1]")),
    (b"<@a.example,@b.example:u@here.example>", Mailbox("u", "here.example")),
    (b'<@a.example:"@x:y"@here.example>', Mailbox("@x:y", "here.example")),
    (b"<pOSTmaster>", Mailbox("pOSTmaster", "")),
    (b'<"POSTMASTER">', Mailbox("POSTMASTER", "")),
    (b"<" + b"a" * 64 + b"@" + b"b" * 63 + b".example>", Mailbox("a" * 64, "b" * 63 + ".example")),
    (b"<" + b"a" * 256 + b"@" + b"b." * 127 + b"c>", Mailbox("a" * 256, "b." * 127 + "c")),
    (b'<"' + b'\\"' * 256 + b'"@b.example>', Mailbox('"' * 256, "b.example")),
]
# What SMTPUTF8 allows beside all of the above.
INTERNATIONAL = [
    ("<δοκιμή@παράδειγμα.example>", Mailbox("δοκιμή", "παράδειγμα.example")),
    ("<δοκιμή.é+x@here.example>", Mailbox("δοκιμή.é+x", "here.example")),
    ('<"é è"@here.example>', Mailbox("é è", "here.example")),
    ('<"é"@here.example>', Mailbox("é", "here.example")),
    ("<a@BÜCHER.example>", Mailbox("a", "BÜCHER.example")),
    (
        "<a@bücher.xn--hxajbheg2az3al.r3---sn.example>",
        Mailbox("a", "bücher.xn--hxajbheg2az3al.r3---sn.example"),
    ),
    ("<e\u0301@bu\u0308cher.example>", Mailbox("e\u0301", "bu\u0308cher.example")),  # not composed, kept so
    ("<é@[IPv6:::1]>", Mailbox("é", "[IPv6:::1]")),
    ("<@bücher.example,@b.example:u@here.example>", Mailbox("u", "here.example")),
    ("<" + "é" * 128 + "@here.example>", Mailbox("é" * 128, "here.example")),
    ("<\U0001f4e8@here.example>", Mailbox("\U0001f4e8", "here.example")),
]
REFUSED = [
    b"a@b.example", b"<a@b.example",
    b"<a..b@d>", b"<.a@d>", b"<a.@d>", b"<a b@d>", b"<a@d@e>", b"<@d>", b"<a@>",
    b'<"a@d>', b"<a>", b"<a@b_c.example>", b"<a@-b.example>", b"<a@b-.example>", b"<a@b..example>",
    b"<a@" + b"b" * 64 + b".example>", b"<a@" + b"b." * 128 + b"example>", b"<a@[256.0.0.1]>", b"<a@[1.2.3]>",
    b"<a@[2001:db8::1]>", b"<a@[IPv6:1::2::3]>", b"<a@[IPv6:fe80::1%eth0]>",
    b"<a@[192.0.2.1>", b"<a@192.0.2.1]>", b"<a@[192.0.2.1]x>", b"<a@b.example.>", b"<a@.b.example>",
    b"<a@b.-c.example>", b"<a@b-.c.example>",
    b"<@a.example:>", b"<a.example:u@b.example>", b"<@a..b:u@c.example>", b"<@a,b:u@c.example>",
    b"<@a,:u@c.example>", b"<:u@c.example>", b"<@:u@c.example>",
    b'<"a"b@c>', b'<"a"."b"@c>', b'<"a\\"@c>', b"<a\\b@c>",
    b"<" + b"a" * 257 + b"@b.example>", b'<"' + b" " * 257 + b'"@b.example>',
    b"<", b"<postmaster", b"<postmaster@>",
    b"<a\r\n@b.example>", b"<a@b.example\r\n>", b"<a\x7f@b.example>", b'<"a\x7f"@b.example>',
    b"<a@b.example\x00>", b"<a\x01@b.example>", b'<"a\x00"@b.example>', b"< a@b.example>", b"<a@b.example >",
]  # fmt: skip


@pytest.mark.parametrize(("octets", "mailbox"), ACCEPTED)
def test_A22_to_A28_paths_are_read(octets: bytes, mailbox: Mailbox) -> None:
    assert parse_path(octets + b" SIZE=1") == (mailbox, b" SIZE=1")


@pytest.mark.parametrize(("octets", "mailbox"), ACCEPTED)
def test_A62_smtputf8_changes_nothing_for_ascii(octets: bytes, mailbox: Mailbox) -> None:
    assert parse_path(octets + b" SIZE=1", international=True) == (mailbox, b" SIZE=1")


@pytest.mark.parametrize("international", [False, True])
@pytest.mark.parametrize("octets", REFUSED)
def test_A22_to_A26_malformed_paths_are_refused(octets: bytes, international: bool) -> None:
    with pytest.raises(AddressError) as caught:
        parse_path(octets, international=international)
    assert not isinstance(caught.value, NonASCIIAddressError)


@pytest.mark.parametrize("international", [False, True])
def test_A20_the_null_path(international: bool) -> None:
    assert parse_path(b"<> BODY=7BIT", international=international) == (None, b" BODY=7BIT")
    assert parse_path(b"<>a@b.example>", international=international) == (None, b"a@b.example>")
    assert format_path(None) == "<>"


@pytest.mark.parametrize(("text", "mailbox"), INTERNATIONAL)
def test_A62_utf8_is_taken_where_smtputf8_is_in_force(text: str, mailbox: Mailbox) -> None:
    assert parse_path(text.encode() + b" SMTPUTF8", international=True) == (mailbox, b" SMTPUTF8")
    assert parse_mailbox(format_mailbox(mailbox)) == mailbox


@pytest.mark.parametrize(("text", "mailbox"), INTERNATIONAL)
def test_A33_A62_and_refused_where_it_is_not(text: str, mailbox: Mailbox) -> None:
    with pytest.raises(NonASCIIAddressError):
        parse_path(text.encode())


@pytest.mark.parametrize(
    "octets",
    [
        b"<\xc0\xaf@here.example>",  # overlong
        b"<\xe0\x80\xaf@here.example>",
        b"<\xff@here.example>",
        b"<\xc3@here.example>",
        b'<"\xc3"@here.example>',
        b"<a@\xc3.example>",
        b"<@\xff.example:u@here.example>",
        b"<\xed\xa0\x80@here.example>",  # a surrogate
        b"<\xf4\x90\x80\x80@here.example>",  # above U+10FFFF
        b"<\xff",
        "<é@here.example".encode(),
        "<é>".encode(),
        "<.é@here.example>".encode(),
        "<é..é@here.example>".encode(),
        "<é(@here.example>".encode(),
        '<"\\é"@here.example>'.encode(),  # RFC 5321 §4.1.2: a quoted pair is ASCII, and RFC 6531 left it so
        "<\x85@here.example>".encode(),  # a control, and the end of a line
        '<"\x9b"@here.example>'.encode(),  # begins an escape sequence of terminals
        "<a\u2028b@here.example>".encode(),
        '<"a\u2029b"@here.example>'.encode(),
        "<a@💩.example>".encode(),
        "<a@é_.example>".encode(),
        "<a@é..example>".encode(),
        "<a@é.example.>".encode(),
        "<a@-é.example>".encode(),
        "<a@é＠b.example>".encode(),
        "<a@[é]>".encode(),
        "<a@[IPv6:é]>".encode(),
        b"<a@" + "ü".encode() * 58 + b".example>",
        "<@💩.example:u@here.example>".encode(),
        b"<" + "é".encode() * 129 + b"@here.example>",
        b'<"' + "é".encode() * 129 + b'"@here.example>',
        "<pöstmaster>".encode(),
        "<po\u017ftmaster>".encode(),  # a long s
    ],
)
def test_A62_invalid_utf8_and_what_no_rule_allows_is_refused(octets: bytes) -> None:
    with pytest.raises(AddressError) as caught:
        parse_path(octets, international=True)
    assert not isinstance(caught.value, NonASCIIAddressError)
    with pytest.raises(NonASCIIAddressError):
        parse_path(octets)


def test_A23_all_spellings_of_a_local_part_are_one_mailbox() -> None:
    spellings = [b"<joe@here.example>", b'<"joe"@here.example>', rb'<"j\oe"@here.example>']
    assert {parse_path(spelling)[0] for spelling in spellings} == {Mailbox("joe", "here.example")}
    assert format_mailbox(Mailbox("joe", "here.example")) == "joe@here.example"


def test_A24_case_of_the_local_part_is_kept() -> None:
    assert format_mailbox(parse_mailbox("MiXeD@backup.example")) == "MiXeD@backup.example"
    assert parse_mailbox("MiXeD@backup.example") != parse_mailbox("mixed@backup.example")


@pytest.mark.parametrize(
    "octets",
    [
        b"<\xc3\xa9@here.example>",
        b"<a@\xc3\xa9.example>",
        b'<"a>\xc3\xa9"@here.example>',
        b"<\xff",
        b"<a\xff>",
    ],
)
def test_A33_octets_above_7f_are_told_apart(octets: bytes) -> None:
    with pytest.raises(NonASCIIAddressError):
        parse_path(octets)


@pytest.mark.parametrize("international", [False, True])
@pytest.mark.parametrize(
    "path", [b"<a@b.example>", b'<"a b"@b.example>', b"<a@[192.0.2.1]>", b"<@c:a@b.example>"]
)
@pytest.mark.parametrize("behind", [b" X=\xc3\xa9", b" X=\xff", b"\xed\xa0\x80", b" X=\xc3\xa9\xff>", b""])
def test_A33_octets_above_7f_behind_the_path_stay_octets(
    path: bytes, behind: bytes, international: bool
) -> None:
    mailbox, rest = parse_path(path + behind, international=international)
    assert mailbox == parse_path(path)[0]
    assert rest == behind


def test_A28_postmaster_is_meant_in_any_case() -> None:
    assert Mailbox("pOSTmaster", "").is_postmaster
    assert not Mailbox("postmaste", "here.example").is_postmaster
    assert format_path(parse_path(b"<pOSTmaster>")[0]) == "<pOSTmaster>"


@pytest.mark.parametrize(
    "text", ["", "@", "a", "a@", "@b", "a@b ", " a@b", "<a@b>", "a@b\n", "a\n@b", "é\ud800@b", "\udcff@b"]
)
def test_a_text_that_is_no_mailbox_is_refused(text: str) -> None:
    with pytest.raises(AddressError):
        parse_mailbox(text)


CHARACTERS = st.one_of(
    st.characters(min_codepoint=32, max_codepoint=126),
    st.characters(min_codepoint=0xA0, exclude_categories=["Cs", "Zl", "Zp"]),
)
LOCAL_PARTS = st.text(CHARACTERS, max_size=MOST_LOCAL_OCTETS // 4) | st.text('ab."\\ @>é', max_size=12)
LABELS = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9-]{0,10}[A-Za-z0-9])?", fullmatch=True) | st.text(
    "aüßαω中अ", min_size=1
)
DOMAINS = (
    st.lists(LABELS, min_size=1, max_size=5).map(".".join).filter(to_a_labels)
    | st.ip_addresses(v=4).map("[{}]".format)
    | st.ip_addresses(v=6).map("[IPv6:{}]".format)
)
MAILBOXES = st.builds(Mailbox, LOCAL_PARTS, DOMAINS)


@given(MAILBOXES, st.binary(max_size=8))
def test_format_and_parse_are_inverses(mailbox: Mailbox, behind: bytes) -> None:
    written = format_mailbox(mailbox)
    assert parse_mailbox(written) == mailbox
    assert parse_path(f"<{mailbox}>".encode() + behind, international=True) == (mailbox, behind)
    if written.isascii():
        assert parse_path(f"<{mailbox}>".encode() + behind) == (mailbox, behind)
    domain_key(mailbox.domain).encode("ascii")


@given(MAILBOXES)
def test_A23_the_least_quoted_form_is_written(mailbox: Mailbox) -> None:
    quoted = format_mailbox(mailbox).startswith('"')
    assert quoted is not is_dot_string(mailbox.local)


def refuse_or_round_trip(octets: bytes, international: bool) -> None:
    try:
        mailbox, behind = parse_path(octets, international=international)
    except AddressError:
        return
    assert octets.endswith(behind)
    if mailbox is not None:
        assert parse_mailbox(format_mailbox(mailbox)) == mailbox
        assert domain_key(mailbox.domain).isascii()
        assert international or format_mailbox(mailbox).isascii()
        assert len(format_mailbox(mailbox).splitlines()) == 1


@given(st.binary(max_size=80), st.booleans())
def test_any_octets_give_a_path_or_an_address_error(octets: bytes, international: bool) -> None:
    refuse_or_round_trip(b"<" + octets, international)


PIECES = [
    b"<",
    b">",
    b"@",
    b'"',
    b"\\",
    b".",
    b"-",
    b",",
    b":",
    b"[",
    b"]",
    b" ",
    b"a",
    b"B1",
    b"IPv6:",
    b"::1",
]
PIECES += [
    b"192.0.2.1",
    b"postmaster",
    b"xn--",
    b"xn--bcher-kva",
    b"\x00",
    b"\r",
    b"\x7f",
    b"\xff",
    b"\xc3",
    b"\xa9",
]
PIECES += ["ü".encode(), "\u0301".encode(), "。".encode(), "\x85".encode(), "\u200d".encode(), "💩".encode()]


@given(st.lists(st.sampled_from(PIECES), max_size=16), st.booleans())
def test_any_pieces_of_paths_give_a_path_or_an_address_error(
    pieces: list[bytes], international: bool
) -> None:
    refuse_or_round_trip(b"<" + b"".join(pieces), international)


LENGTH = 2**18
HEADS = [b"<", b'<"', b"<a@", b"<a@[", b"<@"]
ENDS = [b"", b">", b"@b>", b'"@b>', b":a@b>"]
REPEATED = [*PIECES, b"a.", b"b-.", b'""', b'\\"', b"@a,", b"1.", "é.".encode()]


@pytest.mark.slow
@pytest.mark.parametrize("piece", REPEATED)
def test_S11_no_input_takes_more_than_linear_time(piece: bytes) -> None:
    # Were one step needed for each pair of octets, this would run for the better part of an hour.
    for head in HEADS:
        for end in ENDS:
            refuse_or_round_trip(head + piece * (LENGTH // len(piece)) + end, international=True)
