"""Lists of addresses: what stands in them, and their canonical form (B-18)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.mail.address import Mailbox
from paperpath.mail.fields.address_text import format_addresses
from paperpath.mail.fields.addresses import Group, Named, parse_addresses
from paperpath.mail.fields.encoded_words import encode_phrase
from paperpath.mail.fields.error import FieldError
from paperpath.mail.fields.glance import are_canonical_addresses
from paperpath.mail.fields.phrases import quote_phrase
from tests.fuzz.fuzz_fields import check_addresses, check_words
from tests.unit.mail.test_address import MAILBOXES as ENVELOPE_MAILBOXES

# What is obsolete or needlessly quoted, and how it is written again.
MENDED = [
    ("Joe . Smith @ b . example (c)", "Joe.Smith@b.example (c)"),
    ("<@a,@b:c@d.example>", "<c@d.example>"),
    ("<@a.example:c@d.example>", "<c@d.example>"),
    ("<,,@a.example, ,@b.example,:c@d.example>", "<c@d.example>"),
    ("Joe <@[192.0.2.1] : (via) c@d.example>", "Joe <c@d.example> (via)"),
    (",a@b.example,,c@d.example,", "a@b.example, c@d.example"),
    (", ,(nobody) ,a@b.example", "a@b.example (nobody)"),
    ("a@b.example, (nobody),", "a@b.example (nobody)"),
    ("a@b.example,\r\n ,\r\n c@d.example", "a@b.example, c@d.example"),
    ("friends:,a@b.example,,c@d.example,;", "friends: a@b.example, c@d.example;"),
    ("friends: , (nobody) ,;", "friends:; (nobody)"),
    ("friends: a@b.example, (nobody);", "friends: a@b.example; (nobody)"),
    ("Joe Q. Public <joe@x.example>", '"Joe Q. Public" <joe@x.example>'),
    ("J.R.R. Tolkien <jrr@x.example>", '"J.R.R. Tolkien" <jrr@x.example>'),
    ('"Joe" Q. \'Public\' <joe@x.example>', "\"Joe Q. 'Public'\" <joe@x.example>"),
    ('Joe "the \\"boss\\"" Jr. <joe@x.example>', '"Joe the \\"boss\\" Jr." <joe@x.example>'),
    ("Mr. =?utf-8?q?J=C3=B6?= Q. X <joe@x.example>", '"Mr." =?utf-8?q?J=C3=B6?= "Q. X" <joe@x.example>'),
    ("Björn B. Berg <bjorn@x.example>", '"Björn B. Berg" <bjorn@x.example>'),
    ("Dr. (med.) Who <who@x.example>", '"Dr. Who" <who@x.example> (med.)'),
    ("=?utf-8?q?Smith,_Joe_Q.?= <joe@x.example>", "=?utf-8?q?Smith=2C_Joe_Q=2E?= <joe@x.example>"),
    ("=?utf-8?Q?<joe@x>_(Joe)?= <joe@x.example>", "=?utf-8?Q?=3Cjoe=40x=3E_=28Joe=29?= <joe@x.example>"),
    ("Acme Inc.: a@b.example;", '"Acme Inc.": a@b.example;'),
    ('"joe"@x.example', "joe@x.example"),
    ('"j\\oe"@x.example', "joe@x.example"),
    ('"joe.smith"@x.example', "joe.smith@x.example"),
    ('"joe"."smith"@x.example', "joe.smith@x.example"),
    ('joe."q smith"@x.example', '"joe.q smith"@x.example'),
    ('"joe" . "q\\"smith" @ x.example', '"joe.q\\"smith"@x.example'),
    ('"a\\ b"@x.example', '"a b"@x.example'),
    ('"joe"', "joe"),
    ("joe @x.example", "joe@x.example"),
    ("joe@ x.example", "joe@x.example"),
    ("joe@(here)x.example", "joe@x.example (here)"),
    ("joe(Joe)@x.example", "joe@x.example (Joe)"),
    ("joe@x(1).(2)example", "joe@x.example (1) (2)"),
    ("(0)joe(1). (2)smith@x.example(3)", "joe.smith@x.example (0) (1) (2) (3)"),
    ("joe@\r\n x.example", "joe@x.example"),
    ("joe@[ 192.0.2.1 ]", "joe@[192.0.2.1]"),
    ("joe@[\\192.0.2.1]", "joe@[192.0.2.1]"),
    ("joe@x.example.", "joe@x.example."),  # whoever completes domains takes the dot off
    ("joe@x.example\r\n ", "joe@x.example"),
    ("\r\n \r\n joe@x.example", "joe@x.example"),
    ("Joe (the\r\n \r\n boss) <joe@x.example>", "Joe <joe@x.example> (the  boss)"),
]  # fmt: skip
# What may stay as it is, octet for octet.
CANONICAL = [
    "joe@x.example",
    "joe@x",
    "joe",
    "<joe@x.example>",
    "Joe <joe@x.example>",
    '"Joe Q. Public" <joe@x.example>',
    '"Needlessly" <joe@x.example>',
    '"" <joe@x.example>',
    'Joe "Q." Public <joe@x.example>',
    "=?utf-8?q?J=C3=B6?= =?UTF-8?B?w7Y=?= Smith <joe@x.example>",
    '"=?utf-8?q?J=C3=B6?=" <joe@x.example>',
    "joe@x.example (Joe (the \\) boss))",
    "(Joe) joe@x.example",
    "Joe (the boss) Smith <joe@x.example>",
    "Joe < (really) joe@x.example >",
    '"a b"@x.example',
    '"a\r\n b"@x.example',
    '"a\\\\b\\"c"@x.example',
    '""@x.example',
    '".a..b."@x.example',
    '"@"@x.example',
    "joe@[192.0.2.1]",
    "joe@[IPv6:2001:db8::1]",
    "!#$%&'*+-/=?^_`{|}~@x.example",
    "a@b.example, c@d.example,\r\n\te@f.example",
    "friends: a@b.example, Joe <c@d.example>;",
    "undisclosed-recipients:;",
    "nobody: (really) ;",
    "a@b.example, friends: c@d.example;, e@f.example",
    "δοκιμή@παράδειγμα.example",
    "Björn <björn@bücher.example>",
]
# What is no list of addresses, or could be read as two things, and what is said of it.
REFUSED = [
    ("", "no address"),
    (" \r\n ", "no address"),
    (",,", "no address"),
    ("(nobody)", "no address"),
    ("<>", "expected an address"),
    ("Joe <>", "expected an address"),
    ("Joe Smith", '"Joe Smith"; behind a name'),
    ("Joe Smith joe@x.example", "behind a name"),
    ("joe@x.example Smith", "domain is malformed"),
    ("alice@example.org)bob@evil.example", ") has no place there"),
    ("alice@example.org(bob@evil.example", "comment is not closed"),
    ("alice@example.org (a(b)bob@evil.example", "comment is not closed"),
    ("alice@example.org (a\\)bob@evil.example", "comment is not closed"),
    ("alice@example.org (a\\", "comment is not closed"),
    ("alice@example.org@evil.example", "expected a comma"),
    ("alice@@example.org", "expected a domain"),
    ("alice@example.org <bob@evil.example>", "expected quotes around a name with an @"),
    ("alice@example.org, x <bob@evil.example> y", "expected a comma"),
    ("<alice@example.org>bob@evil.example", "expected a comma"),
    ("<alice@example.org>@evil.example", "expected a comma"),
    ("<alice@example.org> <bob@evil.example>", "expected a comma"),
    ("<<alice@example.org>>", "expected an address"),
    ("<alice@example.org", "expected a closing angle bracket, got nothing"),
    ("alice@example.org>", "expected a comma"),
    ("<alice@example.org,bob@evil.example>", "expected a closing angle bracket"),
    ("Joe <Joe <alice@example.org>>", "expected a closing angle bracket"),
    ("alice@example.org bob@evil.example", "domain is malformed"),
    ("alice@example.org; bob@evil.example", "expected a comma"),
    ("alice@example.org\\, bob@evil.example", "\\ has no place there"),
    ("=?utf-8?q?alice?=@example.org", "encoded word stands in an address"),
    ("a.=?utf-8?q?alice?=@example.org", "encoded word stands in an address"),
    ("alice@=?utf-8?q?example.org?=", "encoded word stands in an address"),
    ("=?utf-8?q?alice=40example.org?=", "encoded word stands in an address"),
    ("<=?utf-8?q?alice?=@example.org>", "encoded word stands in an address"),
    ("=?utf-8?b?<a@b.c>?= <bob@evil.example>", "expected a comma"),
    (".joe@x.example", "expected an address"),
    ("joe.@x.example", "expected an address"),
    ("joe..smith@x.example", "expected an address"),
    ('joe"smith"@x.example', "expected an address"),
    ('"joe""smith"@x.example', "expected an address"),
    ('"joe@x.example', "quoted string is not closed"),
    ('"joe\\"@x.example', "quoted string is not closed"),
    ('"""@x.example', "quoted string is not closed"),
    ("joe@", "expected a domain"),
    ("@x.example", "expected an address"),
    ("@", "expected an address"),
    ("joe@.x.example", "domain is malformed"),
    ("joe@x..example", "domain is malformed"),
    ("joe@x.example..", "domain is malformed"),
    ("joe@-x.example", "domain is malformed"),
    ("joe@x-.example", "domain is malformed"),
    ("joe@x_y.example", "domain is malformed"),
    ("joe@x/y.example", "domain is malformed"),
    ('joe@"x".example', "domain is malformed"),
    ("joe@💩.example", "domain is malformed"),
    (f"joe@{'x' * 64}.example", "domain is malformed"),
    (f"{'x' * 257}@x.example", "local part is too long"),
    ("joe@x[192.0.2.1]", "expected a comma"),
    ("joe@[192.0.2]", "address literal is malformed"),
    ("joe@[192.0.2.256]", "address literal is malformed"),
    ("joe@[2001:db8::1]", "address literal is malformed"),
    ("joe@[IPv6:2001::db8::1]", "address literal is malformed"),
    ("joe@[192.0.2.1", "bracket is not closed"),
    ("joe@[192.0.2.1\\]", "bracket is not closed"),
    ("joe@[a[b]", "bracket is not closed"),
    ("joe@[192.0.2.1]]", "] has no place there"),
    ("<@a.example>", "expected a comma"),
    ("<@a.example c@d.example>", "domain is malformed"),
    ("<@:c@d.example>", "expected a domain"),
    ("<,c@d.example>", "expected an @"),
    ("<:c@d.example>", "expected an address"),
    ("@a.example:c@d.example", "expected an address"),
    (":c@d.example;", "expected an address"),
    ("friends: c@d.example", "expected a semicolon at the end of the group, got nothing"),
    ("friends: c@d.example, ", "expected a semicolon at the end of the group, got nothing"),
    ("friends:", "expected a semicolon at the end of the group, got nothing"),
    ("friends: a: c@d.example;;", "expected a comma"),
    ("friends: c@d.example;;", "expected a comma"),
    ("friends: c@d.example; x@d.example", "expected a comma"),
    ("a@b: c@d.example;", "expected a comma"),
    (";", "expected an address"),
    ("joe@x.example\0", "U+0000"),
    ('"\a"@x.example', "U+0007"),
    ("(\x7f)joe@x.example", "U+007F"),
    ('"\x9b" <joe@x.example>', "U+009B"),
    ("Joe\u2028 <joe@x.example>", "U+2028"),
    ("Jo\udce9 <joe@x.example>", "U+DCE9"),
    ("joe@x.example\n", "U+000A"),
    ("joe@x.example\r", "U+000D"),
    ("joe@x.example\r\n", "U+000D"),
    ("joe@x.example\r\n\r\n bob@evil.example", "U+000D"),
    ('"a\tb"@x.example', "local part is malformed"),
]  # fmt: skip


def rewrite(text: str) -> str:
    return format_addresses(parse_addresses(text).addresses)


@pytest.mark.parametrize(("text", "canonical"), MENDED)
def test_B18_obsolete_lists_are_understood_and_written_canonically(text: str, canonical: str) -> None:
    assert not parse_addresses(text).is_canonical
    assert rewrite(text) == canonical
    assert rewrite(canonical) == canonical
    assert parse_addresses(canonical).is_canonical is not canonical.endswith(".")


@pytest.mark.parametrize("text", CANONICAL)
def test_B18_what_is_not_obsolete_is_known_as_canonical(text: str) -> None:
    assert parse_addresses(text).is_canonical
    assert parse_addresses(rewrite(text)) == parse_addresses(text)


@pytest.mark.parametrize(("text", "complaint"), REFUSED)
def test_B6_B18_what_two_could_read_in_two_ways_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(FieldError) as caught:
        parse_addresses(text)
    assert complaint in str(caught.value)
    assert str(caught.value).isascii()
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 150


def test_what_a_list_holds() -> None:
    found = parse_addresses('Joe  "Q."(x) Smith <joe@X.example>(y), friends (z): a, <"b c"@d>; (w)')
    assert found.addresses == (
        Named(Mailbox("joe", "X.example"), 'Joe "Q." Smith', ("x", "y"), is_bracketed=True),
        Group(
            "friends", (Named(Mailbox("a", "")), Named(Mailbox("b c", "d"), is_bracketed=True)), ("z", "w")
        ),
    )
    assert [named.mailbox.local for named in found.mailboxes] == ["joe", "a", "b c"]


def test_B9_a_dot_behind_a_domain_is_kept_for_who_completes_it() -> None:
    (named,) = parse_addresses("joe@sales.").mailboxes
    assert named.mailbox == Mailbox("joe", "sales.")


PHRASES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]) | st.sampled_from(' ab.,"\\@<é'))
NAMES = PHRASES.map(quote_phrase) | PHRASES.map(quote_phrase).map(encode_phrase)
COMMENTS = st.lists(st.text(st.sampled_from(" aé,@<"), max_size=8), max_size=2).map(tuple)
# What looks like an encoded word is legal in an envelope only (RFC 2047 §5).
MAILBOXES = ENVELOPE_MAILBOXES.filter(lambda mailbox: "=?" not in mailbox.local)
NAMED = st.builds(Named, MAILBOXES, NAMES, COMMENTS, is_bracketed=st.just(value=True)) | st.builds(
    Named, MAILBOXES, comments=COMMENTS
)
GROUPS = st.builds(Group, NAMES.filter(bool), st.lists(NAMED, max_size=3).map(tuple), COMMENTS)


@given(st.lists(NAMED | GROUPS, min_size=1, max_size=4))
def test_B18_what_is_written_reads_the_same(addresses: list[Named | Group]) -> None:
    written = format_addresses(addresses)
    found = parse_addresses(written)
    assert found.addresses == tuple(addresses)
    assert found.is_canonical
    check_addresses(written)


def test_B18_a_blank_beyond_ascii_is_part_of_a_word() -> None:
    (named,) = parse_addresses("\u00a0a\u3000@x.example").mailboxes
    assert named.mailbox.local == "\u00a0a\u3000"
    assert rewrite("\u00a0a\u3000@x.example") == "\u00a0a\u3000@x.example"


PIECES = [
    *'<>()@,;:.\\"[]-=?_ \tab1é',
    *("\r\n ", "\r\n", "a@b.example", "<a@b.example>", "Joe", '"J. Q."', "(c)", "<@a:", "=?utf-8?q?a?="),
    *(
        "=?utf-8?q?",
        "?=",
        "[192.0.2.1]",
        "friends: ",
        ";",
        ", ",
        "xn--bcher-kva",
        "日本語",
        "\x00",
        "\x85",
        "\udcff",
    ),
]


@given(st.lists(st.sampled_from(PIECES), max_size=16).map("".join))
def test_B18_any_pieces_of_lists_are_understood_or_refused(text: str) -> None:
    check_addresses(text)
    check_words(text)


LENGTH = 2**16


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece", [*PIECES, "a ", "a.", "a,", "a@b,", "(a", "()", '""', '"a" ', "\\a", "<a@b>,", "a:;,"]
)
def test_S11_no_list_takes_more_than_linear_time(piece: str) -> None:
    # Were one step needed for each pair of characters, this would run for minutes.
    for head in ("", '"', "(", "<@a", "=?a?q?"):
        text = head + piece * (LENGTH // len(piece))
        glanced = are_canonical_addresses(text.encode("utf-8", "surrogateescape"))
        try:
            assert parse_addresses(text).is_canonical or not glanced
        except FieldError:
            assert not glanced
