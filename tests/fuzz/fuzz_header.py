"""Invariant: the header's end and its fields are found as by a reader of lines, however it came in pieces."""

import re

from paperpath.intake.hops import HopCounter
from paperpath.mail.header import count_fields, header_section
from tests.fuzz.pace import at_pace
from tests.fuzz.session import segments

MOST_OCTETS = 4096
MOST_LINE_OCTETS = 1000  # of a line whose field's name may be looked for
WORDS = (b"\r\n", b"\r\n\r\n", b"Received:", b"\r\nrEceIved \t:", b"\r\n Received:", b":", b"\n", b"\r")

_SWELLS = 255  # the cut with which it is made so long that copying its pieces again and again would show
_SWOLLEN_OCTETS = 500_000
_RECEIVED = re.compile(rb"received[ \t]*:", re.I)


def check(octets: bytes) -> None:
    """The first octet says how the rest is cut."""
    cut, content = sum(octets[:1]), octets[1:]
    lines = []
    for line in content.split(b"\r\n"):
        if not line:
            break
        lines.append(line)
    header = header_section(content)
    assert [line for line in header.split(b"\r\n") if line] == lines
    assert content.startswith(header)
    at_pace(lambda: count_fields(header, b"received"), len(header), 20)
    assert count_fields(header, b"received") == sum(_RECEIVED.match(line) is not None for line in lines)
    check_pieces(content, cut)
    if cut == _SWELLS and header == content:
        swollen = content * (_SWOLLEN_OCTETS // max(len(content), 1))
        at_pace(lambda: check_pieces(swollen, cut), len(swollen), 2)


def check_pieces(content: bytes, cut: int) -> None:
    """Let it come in pieces, and see what is counted of it."""
    counter = HopCounter()
    for segment in segments(content, cut):
        counter.add(segment)
    header = header_section(content)
    if all(len(line) < MOST_LINE_OCTETS for line in header.split(b"\r\n")):
        assert counter.count == count_fields(header, b"received")
