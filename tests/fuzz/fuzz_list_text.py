"""Invariant: any text is a list that every test of lists passes, or mistakes with a line that is there."""

import itertools

from paperpath.dns.lists import POINTS
from paperpath.dnslist.list_text import ListTextError, parse_list
from tests.fuzz.fuzz_aliases import check_mistakes
from tests.fuzz.pace import at_pace

MOST_OCTETS = 4096
WORDS = (
    b"192.0.2.0/24", b"192.0.2.7", b"-", b"/", b"\n", b" ", b"\t", b"#", b"127.0.0.4", b"127.0.0.1", b"spam",
    b"2001:db8::/32", b"2001:db8::1-2001:db8::9", b"0.0.0.0/1", b"/0", b"%eth0", b"{address}", b"\r\n",
    b"::ffff:",
)  # fmt: skip


def check(octets: bytes) -> None:
    """Read it as a file's text."""
    text = octets.decode("utf-8", "replace")
    at_pace(lambda: check_text(text), len(text), 100)


def check_text(text: str) -> None:
    """Read it; look at what is said about it, or at the list."""
    try:
        entries = parse_list(text)
    except ListTextError as error:
        check_mistakes(error.mistakes, text.count("\n") + 1)
        return
    assert all(entries.find(points.unlisted) is None for points in POINTS.values())
    assert entries.entries <= text.count("\n") + 1
    starts = [*entries.four._starts]
    assert all(one < other for one, other in itertools.pairwise(starts))
