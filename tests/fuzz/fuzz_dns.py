"""Invariant: any octets are an answer to the question or none, in bounded time, and name nothing unusual."""

import struct

from paperpath.dns.answer import Status
from paperpath.dns.names import parse_name
from paperpath.dns.records import AAAA, CNAME, MX, PTR, TLSA, TXT, A
from paperpath.dns.wire import MOST_RECORDS, Question, make_question, read_answer
from tests.fuzz.pace import at_pace

MOST_OCTETS = 4096
WORDS = (
    b"\xc0\x0c", b"\xc0\x1d", b"\x00\x0f\x00\x01", b"\x00\x01\x00\x01", b"\x00\x05\x00\x01",
    b"\x00\x06\x00\x01", b"\x00\x00\x01\x2c", b"\xff\xff\xff\xff", b"\x00\x04", b"\x00\x0a\x02mx\xc0\x0c",
    b"\x01a" * 60,
    b"\x00\x00\x29\x04\xd0\x00\x00\x80\x00\x00\x00", b"\x00\x00\xfa\x00\xff",
)  # fmt: skip
KINDS = (A, AAAA, MX, TXT, TLSA, PTR, CNAME)


def check(octets: bytes) -> None:
    """The first octet chooses the type; the rest is a message, and what stands behind header and question."""
    kind = KINDS[sum(octets[:1]) % len(KINDS)]
    name = parse_name("example.org")
    assert name is not None
    question = make_question(name, kind)
    rest = octets[1:]
    at_pace(lambda: read(rest, question), len(rest), 100)
    counts = rest[:4].ljust(4, b"\0")
    head = struct.pack("!HHHBBBBH", 7, 0x8180, 1, counts[0] % 4, counts[1], 0, counts[2], 0)
    at_pace(lambda: read(head + question.octets + rest[4:], question), len(rest), 100)


def read(message: bytes, question: Question) -> None:
    """Read a message, and look at what it came to."""
    reading = read_answer(message, question, trusted=True)
    if reading is None:
        return
    answer = reading.answer
    assert len(answer.records) <= MOST_RECORDS
    assert bool(answer.records) is (answer.status is Status.FOUND)
    assert answer.canonical.isascii()
    assert answer.canonical == answer.canonical.lower()
    assert 0 <= reading.age_s < 2**31
    assert bool(answer.detail) is answer.is_temporary
