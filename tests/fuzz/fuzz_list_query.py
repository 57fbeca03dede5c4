"""Invariant: any octets get one answer that others can read, or silence, bounded; no answer gets one."""

import dns.flags
import dns.message

from paperpath.dns.header import HEADER
from paperpath.dnslist.answering import MOST_TCP_OCTETS, MOST_UDP_OCTETS, answer
from tests.fuzz.pace import at_pace
from tests.unit.dnslist.zones import ZONES

MOST_OCTETS = 4096
WORDS = (
    b"\x03bad\x07example\x03org\x00", b"\x015\x012\x010\x03192", b"\x012\x010\x010\x03127",
    b"\x00\x01\x00\x01", b"\x00\x10\x00\x01", b"\x00\xff\x00\x01",
    b"\x00\x06\x00\x01", b"\xc0\x0c", b"\xc0\x1d",
    b"\x00\x00\x29\x04\xd0\x00\x00\x80\x00\x00\x00", b"\x01f" * 31, b"\x3f", b"\x80", b"\x00\xfa\x00\xff",
)  # fmt: skip


def check(octets: bytes) -> None:
    """Take it for a message, and for what stands behind the head of a query with one question."""
    at_pace(lambda: check_message(octets), len(octets), 50)
    head = HEADER.pack(7, 0x0100, 1, 0, 0, sum(octets[:1]) % 10)
    at_pace(lambda: check_message(head + octets[1:]), len(octets), 50)


def check_message(octets: bytes) -> None:
    """Answer, and look at what was said."""
    for most_octets in (MOST_UDP_OCTETS, MOST_TCP_OCTETS):
        said = answer(octets, ZONES, most_octets)
        if said is None:
            assert len(octets) < HEADER.size or octets[2] & 0x80
            continue
        assert len(said.octets) <= most_octets
        assert said.octets[:2] == octets[:2]
        assert dns.message.from_wire(said.octets).flags & dns.flags.QR
        assert answer(said.octets, ZONES, most_octets) is None
