"""Octets that come piece by piece, looked through for marks in one pass, with few of them in memory.

Used by structure.py. Positions are counted from the begin of all octets. Before the first octet stands a line
end that is not there, so every line begins behind one; its position is -2.
"""

import re
from collections.abc import Iterable, Iterator

LINE_END = b"\r\n"


class Window:
    """What was read and not let go of."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        """Begin before the first octet."""
        self._pieces: Iterator[bytes] = iter(pieces)
        self._octets = LINE_END
        self._begin = -len(LINE_END)
        self._ends = -1  # line ends before the window: the first one is none
        self._counted = 0  # octets in the window whose line ends are in `_ends`
        self._kept = bytearray()
        self._most_kept = 0

    @property
    def position(self) -> int:
        """How far the octets were counted: those behind are the only ones that can be found."""
        return self._begin + self._counted

    @property
    def line_ends(self) -> int:
        """How many lines ended before the position."""
        return self._ends

    def find(self, mark: re.Pattern[bytes], longest: int) -> re.Match[bytes] | None:
        """Go to the next mark, which has at most so many octets; or to the end, where there is none."""
        while True:
            match = mark.search(self._octets, self._counted)
            if match is not None:
                self._count(match.start())
                return match
            self._count(max(len(self._octets) - longest + 1, self._counted))
            if not self._load():
                self._count(len(self._octets))
                return None

    def line(self, begin: int, most: int) -> bytes | None:
        """Return the line that begins at a position not yet passed, or `None` if it has more octets."""
        while True:
            start = begin - self._begin
            end = self._octets.find(LINE_END, start, start + most + len(LINE_END))
            if end >= 0:
                return self._octets[start:end]
            if len(self._octets) - start >= most + len(LINE_END):
                return None
            if not self._load():
                rest = self._octets[start:]
                return rest if len(rest) <= most else None

    def go_to(self, position: int) -> None:
        """Pass all before a position that was read, unless it lies before where we are."""
        self._count(max(min(position - self._begin, len(self._octets)), self._counted))

    def skip_all(self) -> None:
        """Go to the end."""
        self._count(len(self._octets))
        while self._load():
            self._count(len(self._octets))

    def keep(self, most: int) -> None:
        """From now on, keep what is passed, but no more than so many octets."""
        self._kept.clear()
        self._most_kept = most

    def take_kept(self) -> bytes:
        """Return what was kept, and keep no more."""
        kept = bytes(self._kept)
        self.keep(0)
        return kept

    def _count(self, end: int) -> None:
        self._ends += self._octets.count(b"\n", self._counted, end)
        room = self._most_kept - len(self._kept)
        if room > 0:
            self._kept += self._octets[self._counted : min(end, self._counted + room)]
        self._counted = end

    def _load(self) -> bool:
        """Let go of what was passed, and read a piece; tell whether there was one."""
        for piece in self._pieces:
            self._octets = self._octets[self._counted :] + piece
            self._begin += self._counted
            self._counted = 0
            return True
        return False
