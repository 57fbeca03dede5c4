"""The boundaries of the multiparts that are open, and whose delimiter a line is (RFC 2046 §5.1.1).

Used by structure.py. A delimiter is the whole line but for white space at its end, so of boundaries that
begin alike each has its own lines; of equal ones the innermost has them.
"""

from typing import NamedTuple

_DASHES = b"--"
_BLANKS = b" \t"


class Delimiter(NamedTuple):
    """Which multipart a line belongs to, and whether it ends that."""

    depth: int
    is_end: bool


class Boundaries:
    """The boundaries, each at the depth of its multipart."""

    def __init__(self) -> None:
        """Begin with none."""
        self._open: list[tuple[int, bytes]] = []
        self._depths: dict[bytes, list[int]] = {}

    def __bool__(self) -> bool:
        return bool(self._open)

    def add(self, depth: int, boundary: bytes) -> None:
        """Open a multipart, deeper than all that are open."""
        boundary = boundary.rstrip(_BLANKS)
        self._open.append((depth, boundary))
        self._depths.setdefault(boundary, []).append(depth)

    def remove(self, depth: int) -> None:
        """Close those that are as deep as that, or deeper."""
        while self._open and self._open[-1][0] >= depth:
            _, boundary = self._open.pop()
            self._depths[boundary].pop()

    def find(self, line: bytes) -> Delimiter | None:
        """Tell what a line is that begins with two dashes."""
        text = line[len(_DASHES) :].rstrip(_BLANKS)
        begin = self._innermost(text)
        end = self._innermost(text.removesuffix(_DASHES)) if text.endswith(_DASHES) else -1
        if begin < 0 and end < 0:
            return None
        return Delimiter(max(begin, end), end > begin)

    def _innermost(self, boundary: bytes) -> int:
        depths = self._depths.get(boundary)
        return depths[-1] if depths else -1
