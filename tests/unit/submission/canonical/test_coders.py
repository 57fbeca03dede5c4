"""Quoted-printable and base64 in chunks: what others decode from it is what went in."""

import base64
import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.submission.canonical.coders import Base64, Coder, QuotedPrintable

CHUNKS = st.lists(
    st.binary(max_size=300) | st.sampled_from([b"\r\n", b"\r", b"-", b"=", b" ", b"x" * 5000]), max_size=8
)


def write(coder: Coder, chunks: list[bytes]) -> bytes:
    return b"".join([*map(coder.encode, chunks), coder.finish()])


def assert_lines(written: bytes, most: int = 76) -> None:
    assert max(map(len, written.split(b"\r\n"))) <= most


@given(CHUNKS)
def test_B23_quoted_printable_decodes_to_the_same(chunks: list[bytes]) -> None:
    octets = b"".join(chunks)
    written = write(QuotedPrintable(is_encoded=False), chunks)
    assert_lines(written)
    assert written.isascii()
    # The decoder takes any LF for a line's end and writes LF; so tell what is encoded apart before.
    assert quopri.decodestring(written.replace(b"\r\n", b"\n")) == octets.replace(b"\r\n", b"\n")


@given(CHUNKS)
def test_B23_base64_decodes_to_the_same(chunks: list[bytes]) -> None:
    written = write(Base64(is_encoded=False), chunks)
    assert_lines(written)
    assert base64.b64decode(written, validate=False) == b"".join(chunks)
    assert not written.endswith(b"\r\n")
    again = write(Base64(is_encoded=True), [written[:50], written[50:].replace(b"\r\n", b" \r\n\r\n!")])
    assert again == written


@given(CHUNKS)
def test_B23_long_lines_of_quoted_printable_are_cut(chunks: list[bytes]) -> None:
    octets = b"".join(chunks)
    encoded = quopri.encodestring(octets.replace(b"\r\n", b"\n")).replace(b"=\n", b"").replace(b"\n", b"\r\n")
    cuts = [encoded[at : at + 700] for at in range(0, len(encoded), 700)]
    written = write(QuotedPrintable(is_encoded=True), cuts)
    assert_lines(written, 998)
    assert quopri.decodestring(written) == quopri.decodestring(encoded)


def test_lines_that_are_short_and_plain_stay() -> None:
    text = b"plain\r\n\r\n--dashes\r\nFrom x\r\n\ttab in front\r\nend"
    assert write(QuotedPrintable(is_encoded=False), [text]) == text
    encoded = b"=41=\r\n" + b"x" * 998 + b"\r\n"
    assert write(QuotedPrintable(is_encoded=True), [encoded]) == encoded


@pytest.mark.parametrize("is_encoded", [False, True])
def test_B23_no_line_that_was_not_there_begins_with_a_hyphen(is_encoded: bool) -> None:
    written = write(QuotedPrintable(is_encoded=is_encoded), [b"x" * 75 + b"--b" * 3000, b"\r\n--b"])
    lines = written.split(b"\r\n")
    assert [line for line in lines if line.startswith(b"-")] == [b"--b"]
    assert quopri.decodestring(written) == b"x" * 75 + b"--b" * 3000 + b"\r\n--b"


def test_B23_a_line_without_an_end_is_not_held() -> None:
    coder = QuotedPrintable(is_encoded=False)
    assert len(coder.encode(b"x" * 100_000)) >= 100_000
    assert len(coder.finish()) < 5000
