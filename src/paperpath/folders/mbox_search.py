"""Looking in an mbox for an entry that an earlier attempt may have left there (promise P4).

Called by mbox.py, with the file locked. An entry is known by its octets, of which the trace fields on top are
like no other's, but for what the Authentication-Results on top say, which may be something else at each
attempt, for the DNS may. Mail programs add fields of theirs at the end of a header, such as Status; whatever
else they change makes it another entry, and whatever is not found whole is delivered again: rather twice than
never.
"""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

_MOST_LOOKED_AT = 256 * 2**20  # from the end; so much is read within a second
_PIECE_OCTETS = 2**20
_MOST_HEADER_OCTETS = 2**20
_MOST_ADDED_OCTETS = 4096
_MOST_RESULTS_OCTETS = 16 * 1024
_NEXT = b"From "
_RESULTS = b"Authentication-Results:"
_FIELD_END = re.compile(rb"\n(?=[^ \t])")


class Likeness(Enum):
    """How what stands in the file at some place is like the entry that is looked for."""

    WHOLE = "whole"
    BEGUN = "begun"  # its begin, after which the file ends
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Found:
    """Where an entry begins, and whether all of it is there or its begin alone, at the end of the file."""

    begin: int
    is_whole: bool


def find_entry(descriptor: int, make_entry: Callable[[], Iterator[bytes]]) -> Found | None:
    """Look for an entry in an open mbox; what `make_entry` gives, more than once, is what it should be.

    One with a header of more than a MiB is not looked for. Raises: OSError, and what `make_entry` raises.
    """
    header, _ = _split(make_entry())
    if not header:
        return None
    from_line = header[: header.index(b"\n") + 1]
    for begin in _find_lines(descriptor, from_line):
        likeness = _compare(descriptor, begin, make_entry())
        if likeness is not Likeness.OTHER:
            return Found(begin, likeness is Likeness.WHOLE)
    return None


def _split(entry: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Divide an entry into its header, with its first line, and the rest, from the empty line on.

    The header is empty where it does not end within a MiB.
    """
    octets = b""
    for chunk in entry:
        octets += chunk
        if (end := octets.find(b"\n\n")) >= 0:
            return octets[: end + 1], _chain(octets[end + 1 :], entry)
        if len(octets) > _MOST_HEADER_OCTETS:
            break
    return b"", entry


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _find_lines(descriptor: int, line: bytes) -> Iterator[int]:
    """Give where a line stands, the last place first."""
    end = os.fstat(descriptor).st_size
    least = max(0, end - _MOST_LOOKED_AT)
    while end > least:
        begin = max(least, end - _PIECE_OCTETS)
        octets = os.pread(descriptor, end - begin + len(line) - 1, begin)
        place = octets.rfind(line)
        while place >= 0:
            if _begins_line(descriptor, begin + place):
                yield begin + place
            place = octets.rfind(line, 0, place + len(line) - 1)
        end = begin


def _begins_line(descriptor: int, place: int) -> bool:
    return place == 0 or os.pread(descriptor, 1, place - 1) == b"\n"


def _compare(descriptor: int, place: int, entry: Iterator[bytes]) -> Likeness:
    """Compare an entry with what stands at a place, but for fields that were added to its header."""
    header, rest = _split(entry)
    top, below = _cut_out_results(header)
    if (likeness := _compare_octets(descriptor, place, top)) is not Likeness.WHOLE:
        return likeness
    place += len(top)
    if len(top) + len(below) < len(header):
        skipped = _skip_results(descriptor, place)
        if isinstance(skipped, Likeness):
            return skipped
        place = skipped
    if (likeness := _compare_octets(descriptor, place, below)) is not Likeness.WHOLE:
        return likeness
    body = _skip_added(descriptor, place + len(below))
    if body is None:
        return Likeness.OTHER
    for chunk in rest:
        if (likeness := _compare_octets(descriptor, body, chunk)) is not Likeness.WHOLE:
            return likeness
        body += len(chunk)
    return Likeness.WHOLE if os.pread(descriptor, len(_NEXT), body) in (b"", _NEXT) else Likeness.OTHER


def _compare_octets(descriptor: int, place: int, octets: bytes) -> Likeness:
    stored = os.pread(descriptor, len(octets), place)
    if stored == octets:
        return Likeness.WHOLE
    return Likeness.BEGUN if octets.startswith(stored) else Likeness.OTHER


def _cut_out_results(header: bytes) -> tuple[bytes, bytes]:
    """Return what is above and what is below the first field of results; if there is none, nothing is."""
    begin = header.find(b"\n" + _RESULTS) + 1
    if not begin:
        return header, b""
    end = _FIELD_END.search(header, begin)
    return header[:begin], header[end.end() :] if end else b""


def _skip_results(descriptor: int, place: int) -> int | Likeness:
    """Return where the field of results ends that may be at a place, or what the entry is if that tells."""
    octets = os.pread(descriptor, _MOST_RESULTS_OCTETS, place)
    if not octets.startswith(_RESULTS):
        return Likeness.BEGUN if _RESULTS.startswith(octets) else place
    end = _FIELD_END.search(octets)
    if end is not None:
        return place + end.end()
    return Likeness.OTHER if len(octets) == _MOST_RESULTS_OCTETS else Likeness.BEGUN


def _skip_added(descriptor: int, place: int) -> int | None:
    """Return where the empty line is behind a header; `None` where none comes soon, and the file goes on."""
    octets = os.pread(descriptor, _MOST_ADDED_OCTETS, place)
    if not octets or octets.startswith(b"\n"):
        return place
    end = octets.find(b"\n\n")
    return None if end < 0 else place + end + 1
