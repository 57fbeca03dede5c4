"""Trace fields counted piece by piece (A-51, S-10)."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.intake.hops import HopCounter, read_message_id
from paperpath.mail.header import count_fields, header_section

PARTS = (
    b"Received: x",
    b"received \t:",
    b"Received",
    b"Message-ID:",
    b"message-id \t:",
    b"<x@y>",
    b"X-Received: ",
    b"a" * 3000,
    b" ",
    b":",
    b"\r",
    b"\r\n",
)


def count(*pieces: bytes) -> int:
    counter = HopCounter()
    for piece in pieces:
        counter.add(piece)
    return counter.count


@given(st.lists(st.sampled_from(PARTS), max_size=30).map(b"".join), st.lists(st.integers(0, 20_000)))
def test_A51_the_pieces_make_no_difference(octets: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(octets), *(cut for cut in cuts if cut < len(octets))})
    pieces = [octets[begin:end] for begin, end in itertools.pairwise(places)]
    assert count(*pieces) == count_fields(header_section(octets), b"received")


def find_id(*pieces: bytes) -> str:
    counter = HopCounter()
    for piece in pieces:
        counter.add(piece)
    return counter.message_id


MESSAGE_ID = re.compile(rb"(?im)^message-id[ \t]*:((?:[^\r\n]|\r(?!\n)|(?<!\r)\n|\r\n(?=[ \t]))*)\r\n")


@given(st.lists(st.sampled_from(PARTS), max_size=30).map(b"".join), st.lists(st.integers(0, 20_000)))
def test_P9_the_message_id_is_the_same_however_it_comes(octets: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(octets), *(cut for cut in cuts if cut < len(octets))})
    pieces = [octets[begin:end] for begin, end in itertools.pairwise(places)]
    found = [
        match[1] for match in MESSAGE_ID.finditer(header_section(octets)) if begins_a_line(octets, match)
    ]
    expected = found[0][:1000].replace(b"\r\n", b"").strip(b" \t").decode("utf-8", "replace") if found else ""
    assert find_id(*pieces) == expected


def begins_a_line(octets: bytes, match: re.Match[bytes]) -> bool:
    return match.start() == 0 or octets[: match.start()].endswith(b"\r\n")


@pytest.mark.parametrize(
    ("header", "message_id"),
    [
        (b"Message-ID: <1@x.example>\r\n", "<1@x.example>"),
        (b"A: b\r\nMESSAGE-id\t :\r\n <1@x.example>\r\n\t(again)\r\nB: c\r\n", "<1@x.example>\t(again)"),
        (b"Message-ID:\r\nSubject: x\r\n <no@x.example>\r\n", ""),
        (
            b"Message-IDs: <0@x>\r\nX-Message-ID: <0@x>\r\n Message-ID: <0@x>\r\nMessage-ID: <1@x>\r\n",
            "<1@x>",
        ),
        (b"Message-ID: <1@x>\r\nMessage-ID: <2@x>\r\n", "<1@x>"),
        (b"Subject: x\r\n\r\nMessage-ID: <1@x>\r\n", ""),
        (b"Message-ID: \xff\r\n", "\ufffd"),
    ],
)
def test_P9_the_first_message_id_of_the_header_is_kept(header: bytes, message_id: str) -> None:
    assert find_id(header) == message_id
    assert find_id(*[header[place : place + 1] for place in range(len(header))]) == message_id


def test_P6_no_more_than_the_beginning_of_a_message_id_is_held() -> None:
    counter = HopCounter()
    counter.add(b"Message-ID: <")
    for _ in range(500):
        counter.add(b"x" * 1000 + b"\r\n ")
        assert len(counter._id or b"") <= 1000
    assert counter.message_id == "<" + "x" * 998


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"Subject: x\r\n",
        b"To: a\r\nMessage-ID :\r\n <folded@\r\n\there>  \r\nMESSAGE-ID: <second@here>\r\n",
        b"message-id: <" + b"x" * 2000 + b"\r\n",
        b"Message-ID: <\xff@here>\r\n",
    ],
)
def test_P9_the_id_of_a_whole_header_is_that_of_its_pieces(header: bytes) -> None:
    counter = HopCounter()
    for place in range(len(header)):
        counter.add(header[place : place + 1])
    assert read_message_id(header) == counter.message_id


def test_A51_octet_by_octet() -> None:
    octets = b"Received: a\r\n Received: folded\r\nreceived\t: b\r\n\r\nReceived: in the body\r\n"
    assert count(*[octets[place : place + 1] for place in range(len(octets))]) == 2


def test_S10_no_more_than_the_beginning_of_a_line_is_held() -> None:
    counter = HopCounter()
    for _ in range(500):
        counter.add(b"Received: x" + b"x" * 1000)
        assert len(counter._line) < 4096
    counter.add(b"\r\nReceived: y\r\n")
    assert counter.count == 2


def test_S10_a_mebibyte_is_looked_at_and_no_more() -> None:
    filler = b"X-Filler: " + b"x" * 10_000 + b"\r\n"
    assert count(*[filler] * 103, b"Received: x\r\n") == 1
    assert count(*[filler] * 105, b"Received: x\r\n") == 0
