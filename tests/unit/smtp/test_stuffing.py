"""Dots on the way out, and no bare CR or LF, at every cut (G-21, G-22)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.smtp.data import DataReader
from paperpath.smtp.stuffing import BareNewlineError, Stuffer
from tests.support.core import cuts

BARE = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r.\r",
    b"\r\n.\n",
    b"\r\n.\r\r\n",
    b"\r\r\n.\r\n",
    b"\n\r.\r\n",
    b"\r\n.\rx",
    b"a\r",
]


def stuff(segments: list[bytes]) -> bytes:
    stuffer = Stuffer()
    return b"".join([stuffer.feed(segment) for segment in segments]) + stuffer.end()


@pytest.mark.parametrize(
    ("content", "wire"),
    [
        (b"", b".\r\n"),
        (b".", b"..\r\n.\r\n"),
        (b"x", b"x\r\n.\r\n"),
        (b"x\r\n", b"x\r\n.\r\n"),
        (b"\r\n", b"\r\n.\r\n"),
        (b".\r\n.\r\n", b"..\r\n..\r\n.\r\n"),
        (b"a.\r\n..b\r\n\r\n.", b"a.\r\n...b\r\n\r\n..\r\n.\r\n"),
        (b"\x00.\r\n\xff", b"\x00.\r\n\xff\r\n.\r\n"),
    ],
)
def test_G21_dots_at_every_cut(content: bytes, wire: bytes) -> None:
    for segments in cuts(content):
        assert stuff(segments) == wire


@pytest.mark.parametrize("sequence", BARE)
def test_G22_nothing_of_a_chunk_with_a_bare_newline_goes_out(sequence: bytes) -> None:
    for segments in cuts(b"text" + sequence + b"MAIL FROM:<evil@x.example>\r\n"):
        stuffer, sent = Stuffer(), b""
        for segment in segments:
            try:
                sent += stuffer.feed(segment)
            except BareNewlineError:
                break
        else:
            pytest.fail("it was let through")
        newlines = sent.count(b"\r\n")
        assert sent.count(b"\r") == sent.count(b"\n") == newlines
        assert b"MAIL" not in sent


@given(st.lists(st.sampled_from([b"\r\n", b".", b"a", b"\x00"]), max_size=30), st.integers(1, 9))
def test_G21_what_we_send_our_reader_gives_back(parts: list[bytes], size: int) -> None:
    content = b"".join(parts)
    wire = stuff([content[place : place + size] for place in range(0, len(content), size)])
    got, behind, reader = (lambda it: (*it.feed(wire), it))(DataReader())
    assert reader.ended
    assert not behind
    assert got == content + (b"" if content.endswith(b"\r\n") or not content else b"\r\n")
