"""The token in each message, by which our sink knows what came, and how long it was on its way.

Pure; written by the source, read by the sink. A field of the header says the run, the message's number, and
when it was sent by the monotonic clock in microseconds, which is one clock for all programs of a host.
"""

import re
from dataclasses import dataclass

FIELD = b"X-Paperpath-Bench"
TEMPLATE = FIELD + b": %b %012d %016d\r\n"
MOST_OCTETS_BEFORE = 32 * 1024  # the traces that a message collects on its way, and the token itself

_TOKEN = re.compile(FIELD + rb": ([0-9a-f]{16}) ([0-9]{12}) ([0-9]{16})")


@dataclass(frozen=True, slots=True)
class Token:
    """What a message says of itself."""

    run: str
    number: int
    sent_us: int


def find_token(content: bytes) -> Token | None:
    """Find the token in what a message begins with."""
    found = _TOKEN.search(content)
    return None if found is None else Token(found[1].decode(), int(found[2]), int(found[3]))
