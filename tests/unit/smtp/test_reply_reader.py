"""Replies of careless, chatty and hostile peers (G-19, S-12)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.mail.reply import Reply
from paperpath.smtp.reply_reader import (
    MOST_LINE_OCTETS,
    MOST_LINES,
    MOST_REPLY_OCTETS,
    NonsenseError,
    ReplyReader,
)
from tests.support.core import cuts


def read(segments: list[bytes]) -> list[Reply]:
    reader, found = ReplyReader(), []
    for segment in segments:
        reader.receive(segment)
        while (reply := reader.next_reply()) is not None:
            found.append(reply)
    return found


@pytest.mark.parametrize(
    ("octets", "reply"),
    [
        (b"250\r\n", Reply(250, "", ("",))),
        (b"250\n", Reply(250, "", ("",))),
        (b"250 \r\n", Reply(250, "", ("",))),
        (b"299 x\n", Reply(299, "", ("x",))),
        (b"250-a\r\n250 b\r\n", Reply(250, "", ("a", "b"))),
        (b"250-a\n251\n", Reply(251, "", ("a", ""))),
        (b"250 2.1.0 Ok\r\n", Reply(250, "2.1.0", ("Ok",))),
        (b"250 2.1.0\r\n", Reply(250, "2.1.0", ("",))),
        (b"550 2.1.0 no\r\n", Reply(550, "", ("2.1.0 no",))),
        (b"354 3.0.0 go\r\n", Reply(354, "", ("3.0.0 go",))),
        (b"550 5.1.1000 no\r\n", Reply(550, "", ("5.1.1000 no",))),
        (b"550 5.1.1x no\r\n", Reply(550, "", ("5.1.1x no",))),
        (b"550-5.1.1 no\r\n550-5.7.1 nor\r\n550 5.1.1\r\n", Reply(550, "5.1.1", ("no", "5.7.1 nor", ""))),
        (b"250 a\x00b\rc\x1b[0m\xc3\xa9\r\n", Reply(250, "", ("a?b?c?[0m??",))),
    ],
)
def test_G19_replies_at_every_cut(octets: bytes, reply: Reply) -> None:
    for segments in cuts(octets):
        assert read(segments) == [reply]


@pytest.mark.parametrize(
    "octets",
    [
        b"\r\n", b"x\r\n", b"25 x\r\n", b"2500 x\r\n", b"250x\r\n", b"150 x\r\n", b"650 x\r\n", b" 250 x\r\n",
        b"250-a\r\n550 b\r\n", b"\xb2\xb5\xb0 x\r\n",
        b"250 " + b"a" * MOST_LINE_OCTETS + b"\r\n", b"a" * 2 * MOST_LINE_OCTETS,
        b"250-x\r\n" * (MOST_LINES + 1), (b"250-" + b"a" * 4000 + b"\r\n") * 20,
    ],
)  # fmt: skip
def test_G19_S12_what_is_no_reply_or_too_much_of_one(octets: bytes) -> None:
    with pytest.raises(NonsenseError):
        read([octets])
    with pytest.raises(NonsenseError):
        read([octets[place : place + 999] for place in range(0, len(octets), 999)])


def test_G19_ten_megabytes_of_one_reply_are_not_kept() -> None:
    reader = ReplyReader()
    line = b"250-" + b"x" * 3996
    for _ in range(MOST_REPLY_OCTETS // len(line)):
        reader.receive(line + b"\r\n")
        assert reader.next_reply() is None
    reader.receive(line + b"\r\n")
    with pytest.raises(NonsenseError):
        reader.next_reply()


@given(st.lists(st.binary(max_size=20), max_size=10))
def test_whatever_is_read_is_fit_to_be_shown(segments: list[bytes]) -> None:
    try:
        found = read([b"250 ", *segments, b"\r\n"])
    except NonsenseError:
        return
    assert all(line.isascii() and (line.isprintable() or not line) for reply in found for line in reply.lines)
