"""Fields taken out of a header that comes in pieces, however long it is.

For local delivery. At most one field is held back, and of one that is too long its begin. What a field is,
is seen as any reader of what is stored may see it: what came by BINARYMIME can have CR and LF alone.
"""

import re
from collections.abc import Callable
from enum import Enum, auto

_MOST_HELD_OCTETS = 64 * 1024
_FIELD_END = re.compile(rb"\r\n(?=[^ \t])|\n(?=[^ \t])|\r(?=[^ \t\n])")
_HEADER_END = re.compile(rb"\n\r?\n")
_EMPTY_LINE = (b"\r\n", b"\n")


class _Now(Enum):
    """What becomes of the field that has begun."""

    HELD = auto()  # that is judged when all of it is there
    KEPT = auto()
    DROPPED = auto()


class FieldSieve:
    """Lets a content pass but for the unwanted ones among the fields of one name, which is lower case.

    `is_unwanted` gets what is behind the colon. Of one name, a field of more than 64 KiB is unwanted.
    """

    def __init__(self, name: bytes, is_unwanted: Callable[[bytes], bool]) -> None:
        """Begin before the first octet."""
        self._name = name
        self._begin = re.compile(re.escape(name) + rb"[ \t]*+(?:(?:\r\n|[\r\n])[ \t]++)*+:", re.IGNORECASE)
        self._is_unwanted = is_unwanted
        self._held = b""
        self._now = _Now.HELD
        self._is_over = False

    def sift(self, octets: bytes) -> bytes:
        """Take the next piece; return what is to go on."""
        if self._is_over or self._has_none(octets):
            self._is_over = True
            return octets
        octets = self._held + octets
        kept: list[bytes] = []
        place = 0
        while True:
            if self._now is _Now.HELD and octets.startswith(_EMPTY_LINE, place):
                self._is_over = True
                self._held = b""
                return b"".join(kept) + octets[place:]
            end = _FIELD_END.search(octets, place)
            if end is None:
                kept.append(self._hold(octets[place:]))
                return b"".join(kept)
            kept.append(self._judge(octets[place : end.end()]))
            self._now = _Now.HELD
            place = end.end()

    def end(self) -> bytes:
        """Return what is still to go on when nothing more comes."""
        held, self._held = self._held, b""
        return self._judge(held)

    def _has_none(self, octets: bytes) -> bool:
        """Tell whether all of the header is in the first piece, and no field of that name."""
        if self._held or self._now is not _Now.HELD:
            return False
        end = _HEADER_END.search(octets)
        return end is not None and self._name not in octets[: end.start()].lower()

    def _hold(self, octets: bytes) -> bytes:
        """Hold the begin of a field back; return of it what may go on."""
        if len(octets) <= _MOST_HELD_OCTETS:
            self._held = octets
            return b""
        if self._now is _Now.HELD:
            self._now = _Now.KEPT if self._begin.match(octets) is None else _Now.DROPPED
        self._held = octets[-2:]  # which may be the begin of its end
        return octets[:-2] if self._now is _Now.KEPT else b""

    def _judge(self, octets: bytes) -> bytes:
        """Return what is to go on of a field, or of the end of one."""
        if self._now is _Now.HELD:
            begin = self._begin.match(octets)
            is_short = len(octets) <= _MOST_HELD_OCTETS
            is_kept = begin is None or (is_short and not self._is_unwanted(octets[begin.end() :]))
        else:
            is_kept = self._now is _Now.KEPT
        return octets if is_kept else b""
