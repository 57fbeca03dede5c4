"""The line ends of a batch: as the first line has them, LF or CRLF, and never both (requirement J-27).

Called with the octets of the batch as they come; pure. What it gives has CRLF alone. Who could mix them could
end a message where another reader sees none, so the mixture is where the batch ends.
"""

import re

from paperpath.mail.newlines import has_bare_newline

_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_UNDECIDED, _CRLF, _LF = b"", b"\r\n", b"\n"


class LineEnds:
    """Turns the lines of one batch into those of SMTP."""

    def __init__(self) -> None:
        """Begin before the first octet."""
        self._end = _UNDECIDED
        self._held = b""  # a CR whose LF may come next
        self.is_mixed = False
        """Whether a line ended otherwise than the first one, or a CR stood alone."""
        self.rest = b""
        """What lies behind the last octet that was given, where they are mixed."""

    def feed(self, octets: bytes) -> bytes:
        """Take octets; return those before the first line end that is another."""
        octets = self._held + octets
        self._held = b""
        if self._end is _UNDECIDED:
            self._decide(octets)
        if self._end is _LF:
            found = octets.find(b"\r")
            return self._cut(octets, found).replace(b"\n", b"\r\n")
        if octets.endswith(b"\r"):
            self._held, octets = b"\r", octets[:-1]
        return self._cut(octets, _find_bare(octets))

    def finish(self) -> None:
        """Take note that nothing comes any more."""
        if self._held:
            self.is_mixed, self.rest, self._held = True, self._held, b""

    def _decide(self, octets: bytes) -> None:
        newline = octets.find(b"\n")
        if newline >= 0:
            self._end = _CRLF if octets[:newline].endswith(b"\r") else _LF

    def _cut(self, octets: bytes, place: int) -> bytes:
        if place < 0:
            return octets
        self.is_mixed, self.rest, self._held = True, octets[place:] + self._held, b""
        return octets[:place]


def _find_bare(octets: bytes) -> int:
    """Return where a CR or LF stands alone, -1 where none does."""
    if not has_bare_newline(octets):
        return -1
    match = _BARE.search(octets)
    return -1 if match is None else match.start()
