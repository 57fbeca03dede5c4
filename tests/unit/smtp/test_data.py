"""End of data, dots and bare newlines, at every cut (A-34 to A-40, M-1, M-5)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.smtp.data import DataReader
from tests.support.core import cuts

SMUGGLING = [
    b"\n.\n", b"\n.\r\n", b"\n.\r", b"\r\n.\n", b"\r\n.\rx", b"\r.\r", b"\r.\r\n", b"\r.\n", b"\n\r.\r\n",
    b"\r\n\x00.\r\n", b"\r\n.\x00\r\n", b"\r\n.\r\r\n", b"\r\r\n.\r\r\n", b"\r\n. \r\n", b"\n\n.\r\n",
]  # fmt: skip
HARMLESS = {b"\r\n\x00.\r\n", b"\r\n.\x00\r\n", b"\r\n. \r\n"}  # no bare CR or LF: ordinary content


def read(segments: list[bytes]) -> tuple[bytes, bytes, DataReader]:
    reader = DataReader()
    content = behind = b""
    for segment in segments:
        if reader.ended:
            behind += segment
            continue
        octets, behind = reader.feed(segment)
        content += octets
    return content, behind, reader


@pytest.mark.parametrize(
    ("wire", "content"),
    [
        (b".\r\n", b""),
        (b"S: x\r\n\r\nb\r\n.\r\n", b"S: x\r\n\r\nb\r\n"),
        (b"..\r\n.\r\n", b".\r\n"),
        (b"...x\r\n.\r\n", b"..x\r\n"),
        (b".x\r\n.\r\n", b"x\r\n"),
        (b"a\r\n..\r\n..b\r\n.\r\n", b"a\r\n.\r\n.b\r\n"),
        (bytes(octet for octet in range(128) if octet not in b"\r\n") + b"\r\n.\r\n", None),
        (bytes(range(128, 256)) + b"\r\n.\r\n", None),
    ],
)
def test_A39_A40_dots_and_octets_at_every_cut(wire: bytes, content: bytes | None) -> None:
    for segments in cuts(wire + b"NOOP\r\n"):
        got, behind, reader = read(segments)
        assert reader.ended
        assert got == (wire[:-3] if content is None else content)
        assert behind == b"NOOP\r\n"
        assert not reader.has_bare_newline


@pytest.mark.parametrize("sequence", SMUGGLING)
def test_A35_nothing_but_crlf_dot_crlf_ends_the_data(sequence: bytes) -> None:
    wire = b"text" + sequence + b"MAIL FROM:<evil@x.example>\r\n.\r\n"
    for segments in cuts(wire + b"NOOP\r\n"):
        content, behind, reader = read(segments)
        assert behind == b"NOOP\r\n"
        assert reader.has_bare_newline is (sequence not in HARMLESS)
        assert content.endswith(b"MAIL FROM:<evil@x.example>\r\n")


@pytest.mark.parametrize("boundary", [4095, 4096, 65535, 65536])
def test_A39_a_dot_at_a_buffer_boundary(boundary: int) -> None:
    wire = b"a" * (boundary - 2) + b"\r\n..b\r\n.\r\n"
    for shift in range(-3, 4):
        place = boundary + shift
        assert read([wire[:place], wire[place:]])[0] == b"a" * (boundary - 2) + b"\r\n.b\r\n"


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"a", b"\x00"]), max_size=20), st.data())
def test_any_cut_gives_the_same(parts: list[bytes], data: st.DataObject) -> None:
    wire = b"".join(parts) + b"\r\n.\r\nrest"
    places = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=4)))
    segments = [wire[start:end] for start, end in zip([0, *places], [*places, len(wire)], strict=True)]
    whole, cut = read([wire]), read(segments)
    assert whole[:2] == cut[:2]
    assert whole[2].has_bare_newline == cut[2].has_bare_newline


@given(st.binary(max_size=200))
def test_stuffing_and_reading_are_inverses(octets: bytes) -> None:
    content = octets.replace(b"\r", b"").replace(b"\n", b"\r\n") + b"\r\n"
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    wire = (b"." if stuffed.startswith(b".") else b"") + stuffed + b".\r\n"
    got, behind, reader = read([wire])
    assert (got, behind, reader.has_bare_newline) == (content, b"", False)
