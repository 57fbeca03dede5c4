"""Invariant: a line of a journal is nothing, or an event, written as it was read and told in one line."""

from typing import get_args

from paperpath.journal.events import Event
from paperpath.journal.lines import Told, decode_line, encode_event
from paperpath.journal.story import Story
from paperpath.journal.telling import describe_story, describe_told
from tests.fuzz.pace import at_pace

MOST_OCTETS = 4096
WORDS = (
    *(f'"event":"{kind.NAME}"'.encode() for kind in get_args(Event)),
    b'{"time_us":', b"}\n", b'"queue_id":"', b'"client":"', b'"reply":"', b'"recipients":["',
    b"\\u001b[2J", b"\\n", b"1e9", b'"count":', b'"session":', b"[]", b"null", b"\\ud800",
)  # fmt: skip


def check(octets: bytes) -> None:
    """Read each line as one of a file; tell them one by one, and as a story."""
    at_pace(lambda: tell(octets), len(octets), 100)


def tell(octets: bytes) -> None:
    """Look at what is said of each event."""
    found = [
        told for line in octets.splitlines(keepends=True) if (told := decode_line("smtprd", line)) is not None
    ]
    for told in found:
        check_line(describe_told(told))
        written = encode_event(told.event, told.time_us).encode("ascii")
        again = decode_line(told.program, written)
        assert again is not None
        assert (again.time_us, again.event) == (told.time_us, told.event)
    if found:
        check_line(describe_story(make_story(found)))


def make_story(told: list[Told]) -> Story:
    """Put events together, whether they belong together or not."""
    return Story("", tuple(told))


def check_line(line: str) -> None:
    """Assert that no terminal is told anything by it (attack S-6)."""
    assert line.isascii()
    assert line.isprintable()
