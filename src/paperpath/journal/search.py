"""Finding lines in the journal's files: octets are looked for in chunks, and only lines with them are read.

A GiB takes about a second for each expression, and no more memory than a chunk and what is found. No program
need run, and what is written meanwhile may be found or not.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from paperpath.journal.files import JournalFile
from paperpath.journal.lines import Told, decode_line

Pattern = re.Pattern[bytes]
_CHUNK_OCTETS = 8 * 2**20
_MOST_LINE_OCTETS = 2**20  # more than the journal writes into one


def find_told(
    files: Sequence[JournalFile], patterns: Collection[Pattern], since_us: int = 0
) -> Iterator[Told]:
    """Give the events whose lines have one of the expressions in them; in no certain order.

    The expressions go fast if they begin with characters that stand for themselves. Raises: OSError.
    """
    for file in files:
        for chunk in _read_chunks(file.path):
            for line in _find_lines(chunk, patterns):
                told = decode_line(file.program, line)
                if told is not None and told.time_us >= since_us:
                    yield told


def _read_chunks(path: Path) -> Iterator[bytes]:
    """Read a file in chunks of whole lines. One that was removed meanwhile has none."""
    try:
        file = path.open("rb", buffering=0)
    except FileNotFoundError:
        return
    rest = b""
    with file:
        while octets := file.read(_CHUNK_OCTETS):
            octets = rest + octets
            end = octets.rfind(b"\n") + 1
            rest = octets[end:]
            if len(rest) > _MOST_LINE_OCTETS:
                rest = b""
            yield octets[:end]
    yield rest  # a line without its end is torn, and will not be read


def _find_lines(chunk: bytes, patterns: Collection[Pattern]) -> Iterator[bytes]:
    """Give each line once, in order."""
    begins = set()
    for pattern in patterns:
        place = 0
        while (match := pattern.search(chunk, place)) is not None:
            begins.add(chunk.rfind(b"\n", 0, match.start()) + 1)
            place = chunk.find(b"\n", match.end())
            if place < 0:
                break
    for begin in sorted(begins):
        end = chunk.find(b"\n", begin)
        yield chunk[begin : end if end >= 0 else len(chunk)]
