"""A message's octets as served: the stored ones with CRLF (requirements F-9, K-5).

What was stored by us had no bare CR or LF, or is marked as stored verbatim, so these are exactly the octets
that came. Of files that other programs wrote, each LF that no CR precedes gets one.
"""

import hashlib
import math
import os
from bisect import bisect_right
from collections.abc import Iterator

_STORED_AT_ONCE = 65536  # becomes twice that at most


class ServedFile:
    """An open file, read as served. `starts`: where its pieces begin as served, as far as that is known."""

    def __init__(self, descriptor: int, *, verbatim: bool, starts: list[int] | None = None) -> None:
        """Read from a descriptor, which `close` closes; `starts` is extended, and serves the next reader."""
        self._descriptor = descriptor
        self._verbatim = verbatim
        self._starts = [0] if starts is None else starts
        self._octets: int | None = None
        self._last: tuple[int, bytes] = -1, b""  # the piece that was read last, and which it is
        self._end: float = math.inf  # so many pieces there are at most

    def close(self) -> None:
        """Let go."""
        os.close(self._descriptor)

    @property
    def octets(self) -> int:
        """How many there are; reads what was not read yet."""
        if self._octets is None:
            while self._read_piece(len(self._starts) - 1):
                pass
            self._octets = self._starts[-1]
        return self._octets

    def read(self, begin: int, end: int) -> bytes:
        """Return those from `begin` on, up to `end`."""
        return b"".join(self.chunks(begin, end))

    def chunks(self, begin: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Give them piece by piece."""
        place = bisect_right(self._starts, begin) - 1
        while end is None or self._starts[place] < end:
            piece = self._read_piece(place)
            if not piece:
                return
            start = self._starts[place]
            wanted = piece[max(begin - start, 0) : None if end is None else end - start]
            if wanted:
                yield wanted
            place += 1

    def measure(self) -> tuple[int, str]:
        """Return how many there are, and what tells them from any others, as RFC 8474 §4 has it."""
        digest, octets = hashlib.sha256(), 0
        for chunk in self.chunks():
            digest.update(chunk)
            octets += len(chunk)
        return octets, f"M{digest.hexdigest()[:40]}"

    def _read_piece(self, place: int) -> bytes:
        """Return a piece as served, and note where the next one begins."""
        if place == self._last[0]:
            return self._last[1]
        if place >= self._end:
            return b""
        stored = os.pread(self._descriptor, _STORED_AT_ONCE, place * _STORED_AT_ONCE)
        piece = stored if self._verbatim else self._to_served(stored, place)
        if place + 1 == len(self._starts) and piece:
            self._starts.append(self._starts[place] + len(piece))
        if len(stored) < _STORED_AT_ONCE:
            self._end = min(self._end, place + 1)
        if piece:  # that there is none is the end, and what was read last may be wanted still
            self._last = place, piece
        return piece

    def _to_served(self, stored: bytes, place: int) -> bytes:
        if b"\r" not in stored and not stored.startswith(b"\n"):
            return stored.replace(b"\n", b"\r\n")
        follows_cr = place > 0 and os.pread(self._descriptor, 1, place * _STORED_AT_ONCE - 1) == b"\r"
        first, rest = (stored[:1], stored[1:]) if follows_cr and stored.startswith(b"\n") else (b"", stored)
        return first + rest.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
