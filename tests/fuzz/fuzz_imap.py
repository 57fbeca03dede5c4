"""Invariant: whatever comes, however cut, an IMAP session says and tells the same, and holds one command."""

from tests.fuzz.imap_session import perform
from tests.fuzz.imap_wire import ALL_SETTINGS, TOKENS
from tests.fuzz.pace import at_pace

MOST_OCTETS = 2048
WORDS = TOKENS


def check(octets: bytes) -> None:
    """Two octets say how the session is driven; the rest is what the client sends."""
    how, cut = octets[:2].ljust(2, b"\0")
    settings = ALL_SETTINGS[how % len(ALL_SETTINGS)]
    wire = octets[2:]
    at_pace(lambda: perform(wire, settings), len(wire), 200)
    whole, crumbs, pieces = (perform(wire, settings, how) for how in (0, 1, cut))
    assert whole == crumbs == pieces
