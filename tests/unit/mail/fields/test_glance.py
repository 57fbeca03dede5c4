"""What may stay as it is, known at a glance: never more than the parser says (B-18, B-26, S-11)."""

import pytest

from paperpath.mail.fields.addresses import parse_addresses
from paperpath.mail.fields.glance import are_canonical_addresses, is_canonical_date, is_canonical_message_id
from tests.unit.mail.fields.test_addresses import MENDED, REFUSED

KNOWN = [
    b" joe@x.example",
    b" <joe@x.example>",
    b" Joe <joe@x.example>",
    b"Joe<joe@x.example>",
    b' "Joe Q. \\"Public\\"" Jr <joe@x.example>  ',
    b" =?utf-8?q?J=C3=B6?= =?UTF-8?B?w7Y=?= <joe@x.example>",
    b" joe@x.example (Joe \\) the \\( boss)(x)",
    b' a@b.example,c@d.example ,\r\n\te@f.example\t,\r\n "G\r\n H" <g@h.example>\r\n (x\r\n y)',
    b"\r\n joe@x.example",
    b" undisclosed-recipients:;",
    b' "Un. Disclosed" : \r\n ;, joe@x.example',
    b" !#$%&'*+-/=?^_`{|}~.x@x--y.z-1.example",
    b" " + b"a" * 256 + b"@x.example",
    b" a@" + b"b" * 63 + b".example",
    b" a@" + b"b." * 127 + b"c",
]
UNKNOWN = [
    b"",
    b" ",
    b" joe",
    b" joe@example",
    b" joe@x.example.",
    b" joe@.example",
    b" joe@x..example",
    b" joe@-x.example",
    b" joe@x-.example",
    b" joe@x_y.example",
    b" joe.@x.example",
    b" .joe@x.example",
    b" joe..q@x.example",
    b" =?utf-8?q?joe?=@x.example",
    b" a.=?utf-8?q?joe?=@x.example",
    b" =?utf-8?q?joe <joe@x.example>",
    b" =?utf-8?q?a:;(?=)",
    b" Joe Q. Public <joe@x.example>",
    b' "joe"@x.example',
    b' "a b"@x.example',
    b" joe@[192.0.2.1]",
    b" joe @x.example",
    b" joe@ x.example",
    b" joe@x.example, ",
    b" ,joe@x.example",
    b" joe@x.example,,joe@x.example",
    b" joe@x.example joe@x.example",
    b" joe@x.example <joe@x.example>",
    b" <joe@x.example",
    b" <joe@x.example>>",
    b" <@a.example:joe@x.example>",
    b" joe@x.example)",
    b" joe@x.example (a(b))",
    b" joe@x.example (a",
    b' "a <joe@x.example>',
    b" friends: joe@x.example;",
    b" friends:",
    b" joe@x.example;",
    b" joe@x.example\r\n",
    b" joe@x.example\r\n ",
    b" joe@x.example\r\n \r\n , joe@x.example",
    b" joe@x.example,\r\n\r\n joe@x.example",
    b' "a\r\n \r\n b" <joe@x.example>',
    b" joe@x.example (a\r\n \r\n b)",
    b" joe@x.example (a\r\nb)",
    b" joe@x.example (a\0b)",
    b" joe@x.example\n",
    b" J\xc3\xb6 <joe@x.example>",
    b" joe@b\xc3\xbccher.example",
    b" " + b"a" * 257 + b"@x.example",
    b" a@" + b"b" * 64 + b".example",
    b" a@" + b"b." * 128 + b"c",
]


@pytest.mark.parametrize("octets", KNOWN)
def test_B26_what_may_stay_is_known(octets: bytes) -> None:
    assert are_canonical_addresses(octets)
    assert parse_addresses(octets.decode()).is_canonical


@pytest.mark.parametrize("octets", UNKNOWN)
def test_B18_everything_else_is_for_the_parser(octets: bytes) -> None:
    assert not are_canonical_addresses(octets)


@pytest.mark.parametrize("text", [text for text, _ in MENDED + REFUSED])
def test_B18_what_must_be_mended_is_not_taken_for_canonical(text: str) -> None:
    assert not are_canonical_addresses(text.encode("utf-8", "surrogateescape"))


LENGTH = 2**18
PIECES = [
    *(
        b"a",
        b" ",
        b"a ",
        b"a.",
        b"a,",
        b"a@b.c,",
        b"<a@b.c>,",
        b"a:;,",
        b"(",
        b"()",
        b"(a)",
        b"( ",
        b'"',
        b'""',
    ),
    *(
        b'"a" ',
        b'"\\"" ',
        b"\\",
        b"\r\n ",
        b"a\r\n ",
        b"=?",
        b"=?a?q?",
        b"=?a?q??= ",
        b"-",
        b"a-",
        b"@",
        b"a@",
        b"1:",
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize("piece", PIECES)
def test_S11_no_glance_takes_more_than_linear_time(piece: bytes) -> None:
    # Were one step needed for each pair of octets, this would run for the better part of an hour.
    for head in (
        b"",
        b" a",
        b'"',
        b"(",
        b"<",
        b"<a@",
        b"a@b.c (",
        b"a@b.c, ",
        b"=?a?q?",
        b"1 Jan 2000 00:00:00 +0000 (",
    ):
        for end in (b"", b">", b")", b'"', b"<a@b.c>", b"@b.c"):
            octets = head + piece * (LENGTH // len(piece)) + end
            are_canonical_addresses(octets)
            is_canonical_date(octets)
            is_canonical_message_id(octets)
