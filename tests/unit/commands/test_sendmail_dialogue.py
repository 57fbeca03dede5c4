"""J-9, X-12: the lines of a dialogue, however they come."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.commands.exits import ExitError
from paperpath.commands.sendmail_dialogue import Lines


@contextmanager
def piped(pieces: list[bytes]) -> Iterator[Lines]:
    """Write pieces into a pipe, one after the other, and read them as lines."""
    reading, writing = os.pipe()

    def write() -> None:
        for piece in pieces:
            os.write(writing, piece)
        os.close(writing)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield Lines(reading)
    finally:
        while os.read(reading, 65536):
            pass
        writer.join()
        os.close(reading)


def read_all(pieces: list[bytes]) -> list[bytes]:
    with piped(pieces) as lines:
        return list(iter(lines.read, None))


@given(st.lists(st.sampled_from([b"a", b".", b"\r\n", b"", b"\nb"]), max_size=8), st.booleans())
def test_X12_where_the_first_line_ends_with_lf_all_lines_may(pieces: list[bytes], begins: bool) -> None:
    octets = b"HELO x\n" + b"".join(pieces)
    lines = octets.replace(b"\r\n", b"\n").split(b"\n")[:-1]  # behind the last end stands no line
    assert read_all([b"HELO x\n" if begins else b"HELO", b"" if begins else b" x\n", *pieces]) == [
        line + b"\r\n" for line in lines
    ]


@given(st.lists(st.sampled_from([b"a", b".", b"\r\n", b"\n", b"\n.\n"]), max_size=8))
def test_S8_where_it_ends_with_crlf_a_lone_lf_stays_within_a_line(pieces: list[bytes]) -> None:
    octets = b"".join(pieces)
    lines = octets.split(b"\r\n")[:-1]
    assert read_all([b"HELO x\r", b"\n", *pieces]) == [b"HELO x\r\n", *(line + b"\r\n" for line in lines)]


def test_J13_a_line_that_does_not_end_is_none() -> None:
    assert read_all([b"NOOP\nQUI"]) == [b"NOOP\r\n"]
    assert read_all([b""]) == []


def test_a_long_line_comes_in_parts() -> None:
    parts = read_all([b"HELO x\n", *[b"x" * 1000] * 200, b"\n"])
    assert b"".join(parts) == b"HELO x\r\n" + b"x" * 200_000 + b"\r\n"
    assert max(map(len, parts)) < 140_000


def test_J9_octets_are_counted_and_not_changed() -> None:
    with piped([b"BDAT 5\n", b"a\n", b"b\r\nNOOP\n"]) as lines:
        assert lines.read() == b"BDAT 5\r\n"
        assert b"".join(lines.read_octets(5)) == b"a\nb\r\n"
        assert lines.read() == b"NOOP\r\n"
        with pytest.raises(ExitError, match="not sent") as caught:
            list(lines.read_octets(1))
    assert caught.value.exit_code == 74
