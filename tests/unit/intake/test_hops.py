"""Trace fields counted piece by piece (A-51, S-10)."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from paperpath.intake.hops import HopCounter
from paperpath.mail.header import count_fields, header_section

PARTS = (
    b"Received: x",
    b"received \t:",
    b"Received",
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
