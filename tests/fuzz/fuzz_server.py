"""Invariant: whatever comes, and however cut, a session comes to what the model reads off the whole wire."""

from tests.fuzz.model import check as check_session
from tests.fuzz.pace import at_pace
from tests.fuzz.session import Script, perform
from tests.fuzz.wire import ALL_SETTINGS, INTO_TLS, TOKENS

MOST_OCTETS = 2048
WORDS = TOKENS


def check(octets: bytes) -> None:
    """Four octets say how the session is driven; the rest is what the client sends."""
    how, cut, *judgements = octets[:4].ljust(4, b"\0")
    parts = tuple(octets[4:].split(INTO_TLS))
    script = Script(
        ALL_SETTINGS[how % 4 + (how >> 2 & 4)],
        parts,
        bool(how & 4),
        bytes(judgements) if any(judgements) else b"",
        bool(how & 8),
    )
    at_pace(lambda: perform(script), len(octets), 1000)
    for played in {0, cut}:
        check_session(script, perform(script, played))
