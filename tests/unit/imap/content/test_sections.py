"""ENVELOPE, BODYSTRUCTURE and the sections that agree with it (K-14)."""

import pytest
from hypothesis import given

from paperpath.imap.content.binary import find_binary, measure_binary, read_binary
from paperpath.imap.content.envelope_text import write_envelope
from paperpath.imap.content.sections import read_section
from paperpath.imap.content.structure_text import write_structure
from paperpath.imap.fetch_items import Partial, Section, SectionText
from tests.fuzz.fuzz_mime import check_sections
from tests.support.mime import messages, read_said, structure_of, text

MESSAGE = text("""\
From: Fred Foobar <foobar@x.example>
Subject: torture
Content-Type: multipart/mixed; boundary=a

--a
Content-Type: text/plain; charset=us-ascii

one
--a
Content-Type: message/rfc822
Content-Description: a letter

Subject: letter
To: b@x.example
X-Other: z
Content-Type: multipart/alternative; boundary=b

--b

plain
--b
Content-Type: text/html
Content-Transfer-Encoding: base64

PHA+

--b--
--a
Content-Type: message/rfc822

Subject: simple

body
--a--
""")


def fetch(section: Section, partial: Partial | None = None, message: bytes = MESSAGE) -> bytes | None:
    return read_section(structure_of(message), section, partial, lambda begin, end: message[begin:end])


@pytest.mark.parametrize(
    ("part", "kind", "octets"),
    [
        ((), SectionText.WHOLE, MESSAGE),
        ((1,), SectionText.WHOLE, b"one"),
        ((1,), SectionText.MIME, b"Content-Type: text/plain; charset=us-ascii\r\n\r\n"),
        ((1,), SectionText.HEADER, None),
        ((1, 1), SectionText.WHOLE, None),
        ((2, 1), SectionText.WHOLE, b"plain"),
        ((2, 1), SectionText.MIME, b"\r\n"),
        ((2, 2), SectionText.WHOLE, b"PHA+\r\n"),
        ((2, 3), SectionText.WHOLE, None),
        ((3,), SectionText.WHOLE, b"Subject: simple\r\n\r\nbody"),
        ((3,), SectionText.HEADER, b"Subject: simple\r\n\r\n"),
        ((3,), SectionText.TEXT, b"body"),
        ((3, 1), SectionText.WHOLE, b"body"),
        ((3, 1, 1), SectionText.WHOLE, None),
        ((4,), SectionText.WHOLE, None),
        ((0,), SectionText.WHOLE, None),
    ],
)
def test_K14_sections(part: tuple[int, ...], kind: SectionText, octets: bytes | None) -> None:
    assert fetch(Section(part, kind)) == octets


def test_K14_some_fields_come_as_they_stand_with_the_empty_line() -> None:
    some = Section((2,), SectionText.FIELDS, ("SUBJECT", "x-other", "absent"))
    assert fetch(some) == b"Subject: letter\r\nX-Other: z\r\n\r\n"
    others = Section((), SectionText.FIELDS_NOT, ("content-type", "from"))
    assert fetch(others) == b"Subject: torture\r\n\r\n"
    assert fetch(others, Partial(9, 4)) == b"tort"


@pytest.mark.parametrize(
    ("partial", "octets"),
    [(Partial(0, 2), b"on"), (Partial(1, 99), b"ne"), (Partial(3, 1), b""), (Partial(2**32 - 1, 2**63), b"")],
)
def test_K14_partials(partial: Partial, octets: bytes) -> None:
    assert fetch(Section((1,)), partial) == octets


def test_K14_body_structure() -> None:
    alternative = [
        [b"text", b"plain", [b"charset", b"us-ascii"], None, None, b"7bit", 5, 0, None, None, None, None],
        [b"text", b"html", None, None, None, b"base64", 6, 1, None, None, None, None],
        b"alternative", [b"boundary", b"b"], None, None, None,
    ]  # fmt: skip
    said = read_said(write_structure(structure_of(MESSAGE), extended=True))
    assert isinstance(said, list)
    assert said[0] == [b"text", b"plain", [b"charset", b"us-ascii"], None, None, b"7bit", 3, 0, *[None] * 4]
    letter = said[1]
    assert isinstance(letter, list)
    assert letter[:7] == [
        b"message",
        b"rfc822",
        None,
        None,
        b"a letter",
        b"7bit",
        len(fetch(Section((2,))) or b""),
    ]
    nobody = [None] * 4
    assert letter[7] == [None, b"letter", *nobody[:3], [[None, None, b"b", b"x.example"]], *nobody]
    assert letter[8] == alternative
    assert said[3:] == [b"mixed", [b"boundary", b"a"], None, None, None]
    short = read_said(write_structure(structure_of(MESSAGE), extended=False))
    assert isinstance(short, list)
    assert short[0] == said[0][:8]
    assert short[3:] == [b"mixed"]


def test_K14_an_envelope() -> None:
    header = text("""\
Date: Mon, 7 Feb 1994
 21:52:25 -0800
Subject: =?utf-8?q?=C3=A9?= "q"
From: Joe "Q." Public <@route:joe@x.example>, old@x.example (Old (nested) Hand)
To: undisclosed: ;, friends: a@x, "b c"@y;, nobody
Sender:
Message-ID: <1@x>
""")
    joe = [b"Joe Q. Public", b"@route", b"joe", b"x.example"]
    authors = [joe, [b"Old (nested) Hand", None, b"old", b"x.example"]]
    to = [
        [None, None, b"undisclosed", None], [None] * 4, [None, None, b"friends", None],
        [None, None, b"a", b"x"], [None, None, b"b c", b"y"], [None] * 4, [None, None, b"nobody", b""],
    ]  # fmt: skip
    date, subject = b"Mon, 7 Feb 1994 21:52:25 -0800", b'=?utf-8?q?=C3=A9?= "q"'
    said = read_said(write_envelope(header))
    assert said == [date, subject, authors, authors, authors, to, None, None, None, b"<1@x>"]


@given(messages)
def test_K14_sections_agree_with_the_body_structure(message: bytes) -> None:
    check_sections(message)


def test_K27_binary() -> None:
    whole = structure_of(MESSAGE)
    found = find_binary(whole, (2, 2))
    assert found is not None
    extent, encoding = found
    pieces = [MESSAGE[slice(*extent)]]
    assert b"".join(read_binary(encoding, pieces, None)) == b"<p>"
    assert b"".join(read_binary(encoding, pieces, Partial(1, 1))) == b"p"
    assert b"".join(read_binary(encoding, pieces, Partial(9, 1))) == b""
    assert measure_binary(encoding, pieces) == 3
    assert find_binary(whole, (9,)) is None
    assert find_binary(whole, ()) == (whole.extent, b"binary")
