"""A message as an mbox holds it, in the form called mboxrd: pure (requirement F-13).

Used by mbox.py and whoever looks for an entry again: the same message, sender and time make the same octets.
Lines of a message that read like the begin of an entry get a `>` more than they have, so that taking one off
gives the message back.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from paperpath.mail.address import Mailbox

_NULL_SENDER = "MAILER-DAEMON"
_BLANKS = re.compile(r"\s")
_QUOTABLE = re.compile(rb"^>*From ", re.MULTILINE)
_OPEN_END = re.compile(rb">*(F?|Fr|Fro|From)\Z")


def format_entry(sender: Mailbox | None, arrived_us: int, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Give the entry of a message, whose line ends are LF: its line, the message quoted, an empty line.

    The time of its line is in UTC.
    """
    line = _from_line(sender, arrived_us)
    last = b"\n"
    for chunk in quote_from_lines(chunks):
        yield line + chunk  # in one write, for a message is small most often
        line, last = b"", chunk[-1:] or last
    yield line + (b"\n" if last == b"\n" else b"\n\n")


def quote_from_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Put a `>` before each line that begins with any number of them and "From ", whatever the cuts.

    No more than the word is held back, however many `>` are before it.
    """
    held = b""
    is_open = True  # what came last can still turn out to begin such a line
    for chunk in chunks:
        octets = held + chunk
        if not is_open and b"\n" not in octets:
            yield octets
            continue
        begin = 0 if is_open else octets.index(b"\n") + 1
        open_end = _OPEN_END.match(octets, max(begin, octets.rfind(b"\n") + 1))
        is_open = open_end is not None
        settled = len(octets) if open_end is None else open_end.start(1)
        held = octets[settled:]
        yield octets[:begin] + _quote(octets[begin:settled])
    yield held


def _quote(octets: bytes) -> bytes:
    """Quote in octets that begin a line, or what is before them does, but for `>`."""
    return _QUOTABLE.sub(rb">\g<0>", octets) if b"From " in octets else octets


def _from_line(sender: Mailbox | None, arrived_us: int) -> bytes:
    """Write the line that begins an entry. Blanks in a sender would end it for those who read it."""
    name = _NULL_SENDER if sender is None else _BLANKS.sub("-", str(sender))
    arrived = datetime.fromtimestamp(arrived_us // 1_000_000, UTC)
    return f"From {name} {arrived.ctime()}\n".encode()
