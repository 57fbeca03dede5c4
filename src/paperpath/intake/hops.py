"""How many hosts a message has been through: its trace fields, counted while it comes in.

Used by the reception. Promise: whatever the pieces, the count is that of the whole header, and no more of it
is held than the beginning of one line; a sender could else fill the memory with headers that do not end.
"""

from paperpath.mail.header import count_fields, header_section

_MOST_OCTETS = 2**20  # how much of a header is looked at (attack S-10)
_MOST_LINE_OCTETS = 1024  # of a line that has not ended; the field's name is in them
_REST_OF_LINE = b"..."  # neither white space nor a colon, so no field's name ends here that did not before


class HopCounter:
    """Counts the Received fields of one header section (RFC 5321 §6.3)."""

    def __init__(self) -> None:
        """Begin before the first line."""
        self._count = 0
        self._octets = 0
        self._line = b""  # the one that has not ended
        self._ended = False

    @property
    def count(self) -> int:
        """How many there were so far."""
        return self._count if self._ended else self._count + count_fields(self._line, b"received")

    def add(self, octets: bytes) -> None:
        """Look at the next octets of the message, which may be those of its body."""
        if self._ended:
            return
        octets = self._line + octets
        self._octets += len(octets) - len(self._line)
        end = octets.rfind(b"\r\n") + 2
        if end >= 2:
            lines, octets = octets[:end], octets[end:]
            self._count += count_fields(header_section(lines), b"received")
            self._ended = lines.startswith(b"\r\n") or b"\r\n\r\n" in lines
        if len(octets) > 2 * _MOST_LINE_OCTETS:
            octets = octets[:_MOST_LINE_OCTETS] + _REST_OF_LINE + octets[-1:]  # which may be half a line end
        self._line = octets
        if self._octets >= _MOST_OCTETS:
            self._count = self.count
            self._ended = True
