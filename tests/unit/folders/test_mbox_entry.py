"""Entries of an mbox (F-13): any message comes back, whatever it has for lines, however it is cut."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.folders.mbox_entry import format_entry, quote_from_lines
from paperpath.mail.address import Mailbox, parse_mailbox

ARRIVED_US = 1_700_000_000_999_999
PIECES = st.sampled_from([b">", b"From ", b"From", b"Fro", b"F", b"m ", b" ", b"\n", b"\n\n", b"x"])


def unquote(octets: bytes) -> bytes:
    """Do what a reader of mboxrd does."""
    return re.sub(rb"(?m)^>(>*From )", rb"\1", octets)


@pytest.mark.parametrize(
    ("sender", "name"),
    [
        (Mailbox("a", "b.example"), b"a@b.example"),
        (None, b"MAILER-DAEMON"),
        (parse_mailbox('"john  doe"@b.example'), b'"john--doe"@b.example'),
        (Mailbox("jörg\u00a0x", "b.example"), "jörg-x@b.example".encode()),
    ],
)
def test_F13_an_entry_has_its_line_the_message_and_an_empty_line(sender: Mailbox | None, name: bytes) -> None:
    octets = b"".join(format_entry(sender, ARRIVED_US, [b"A: b\n", b"\nbody\n"]))
    assert octets == b"From " + name + b" Tue Nov 14 22:13:20 2023\nA: b\n\nbody\n\n"


@pytest.mark.parametrize("chunks", [[b"A: b\n\nno end"], [b"A: b\n\nno", b" end"], [b"A: b\n\nno end", b""]])
def test_F13_a_last_line_without_an_end_gets_one(chunks: list[bytes]) -> None:
    assert b"".join(format_entry(None, ARRIVED_US, chunks)).endswith(b"A: b\n\nno end\n\n")


@pytest.mark.parametrize(
    ("line", "stored"),
    [
        (b"From x\n", b">From x\n"),
        (b">From y\n", b">>From y\n"),
        (b">>>>From \n", b">>>>>From \n"),
        (b"From\n", b"From\n"),
        (b"from x\n", b"from x\n"),
        (b" From x\n", b" From x\n"),
        (b"> From x\n", b"> From x\n"),
        (b"x From y\n", b"x From y\n"),
        (b"From", b"From"),
    ],
)
def test_F13_lines_that_read_like_the_begin_of_an_entry_get_a_sign_more(line: bytes, stored: bytes) -> None:
    for before in (b"", b"x\n", b"\n\n"):
        assert b"".join(quote_from_lines([before + line])) == before + stored


@given(st.lists(PIECES), st.data())
def test_F13_every_cut_gives_the_same_and_reading_gives_the_message_back(
    pieces: list[bytes], data: st.DataObject
) -> None:
    octets = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(octets)))))
    chunks = [octets[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(octets)], strict=True)]
    stored = b"".join(quote_from_lines(chunks))
    assert stored == re.sub(rb"(?m)^(>*From )", rb">\1", octets)
    assert unquote(stored) == octets
    assert not re.search(rb"(?m)^From ", stored)


def test_P6_no_more_than_a_word_is_held_back_of_a_line_that_never_ends() -> None:
    given = 0
    seen = 0
    for chunk in quote_from_lines(b">" * 100_000 for _ in range(10)):
        seen += len(chunk)
        given += 100_000
        assert given - seen <= 100_000 + 4
    assert seen == 1_000_000
