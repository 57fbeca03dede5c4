"""Invariant: content read in pieces is octet for octet that of the whole wire, bare newlines are seen."""

from paperpath.smtp.chunks import ChunkReader
from paperpath.smtp.data import DataReader
from tests.fuzz.model import find_end_of_data, has_bare_newline, unstuff
from tests.fuzz.pace import at_pace
from tests.fuzz.session import segments

MOST_OCTETS = 4096
WORDS = (b"\r\n", b"\r\n.", b"\r\n.\r\n", b"\r\n..", b"\n.\n", b"\r.\r")


def check(octets: bytes) -> None:
    """The first octet says how the rest is cut."""
    cut, wire = sum(octets[:1]), octets[1:]
    at_pace(lambda: check_data(wire, cut), len(wire), 50)
    at_pace(lambda: check_chunks(wire, cut), len(wire), 50)


def check_data(wire: bytes, cut: int) -> None:
    """Read it as what follows DATA."""
    reader = DataReader()
    content = behind = b""
    for segment in segments(wire, cut):
        if reader.ended:
            behind += segment
        else:
            octets, behind = reader.feed(segment)
            content += octets
    end = find_end_of_data(wire)
    assert reader.ended is (end >= 0)
    if end >= 0:
        assert content == unstuff(wire[:end])
        assert behind == wire[end + 3 :]
        assert reader.has_bare_newline is has_bare_newline(wire[:end])
    else:
        whole = unstuff(wire)
        assert whole.startswith(content)
        assert len(whole) - len(content) <= 4


def check_chunks(wire: bytes, cut: int) -> None:
    """Read it as chunks, the size of each in the octet before it, cut without regard to them."""
    chunks, sizes, at = [], [], 0
    while at < len(wire):
        sizes.append(wire[at])
        chunks.append(wire[at + 1 : at + 1 + wire[at]])
        at += 1 + wire[at]
    reader = ChunkReader()
    content = b""
    for size, chunk in zip(sizes, chunks, strict=True):
        reader.begin(size)
        for segment in segments(chunk, cut):
            octets, behind = reader.feed(segment + b"behind" if len(segment) == reader.left else segment)
            content += octets
            assert behind == (b"" if reader.left else b"behind")
    assert content == b"".join(chunks)
    assert reader.octets == len(content)
    assert reader.left == sum(sizes) - len(content)
    assert reader.has_bare_newline is has_bare_newline(content)
