"""Whether lines are too long (RFC 5322 §2.1.1), told without looking at each of them.

Called for headers and for bodies, these in pieces. From the end of one line it looks back from the farthest
place where the next may end, so it does one search in a thousand octets.
"""

MOST_LINE_OCTETS = 998  # without its CRLF
_MOST_WITH_END = MOST_LINE_OCTETS + 2


class LineMeter:
    """Looks at octets, however they are cut, until there was a line that is too long."""

    def __init__(self) -> None:
        """Begin at the begin of a line."""
        self._length = 0  # of the line that has not ended
        self.has_long_line = False

    def add(self, octets: bytes) -> None:
        """Look at the next octets."""
        if self.has_long_line:
            return
        begin = octets.find(b"\n") + 1
        if begin == 0:
            self._length += len(octets)
        else:
            self.has_long_line = self._length + begin > _MOST_WITH_END
            while len(octets) - begin > _MOST_WITH_END:
                end = octets.rfind(b"\n", begin, begin + _MOST_WITH_END) + 1
                if end == 0:
                    self.has_long_line = True
                    return
                begin = end
            begin = max(begin, octets.rfind(b"\n") + 1)
            self._length = len(octets) - begin
        # The CR of a line's end may be the last octet of these, its LF the first of the next.
        self.has_long_line = self.has_long_line or self._length > _MOST_WITH_END - 1

    def finish(self) -> bool:
        """Tell whether any line was too long, the last one, which nothing ends, among them."""
        return self.has_long_line or self._length > MOST_LINE_OCTETS


def has_long_line(octets: bytes) -> bool:
    """Tell whether any line is too long."""
    meter = LineMeter()
    meter.add(octets)
    return meter.finish()
