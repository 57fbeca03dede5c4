"""How many hosts a message has been through, and its Message-ID: read off its header while it comes in.

Used by the reception: the hops are counted against loops, the id is for the journal and decides nothing.
Promise: whatever the pieces, both are those of the whole header, and no more of it is held than the beginning
of one line and of the id; a sender could else fill the memory with headers that do not end.
"""

from paperpath.mail.header import count_fields, find_field, header_section, skip_folds

_MOST_OCTETS = 2**20  # how much of a header is looked at (attack S-10)
_MOST_ID_OCTETS = 1000
_MOST_LINE_OCTETS = 1024  # of a line that has not ended; the field's name is in them
_REST_OF_LINE = b"..."  # neither white space nor a colon, so no field's name ends here that did not before


class HopCounter:
    """Counts the Received fields of one header section (RFC 5321 §6.3), and keeps the first Message-ID."""

    def __init__(self) -> None:
        """Begin before the first line."""
        self._count = 0
        self._octets = 0
        self._line = b""  # the one that has not ended
        self._ended = False
        self._id: bytes | None = None
        self._id_goes_on = False  # its last line may be continued by the next

    @property
    def message_id(self) -> str:
        """The first Message-ID, unfolded (RFC 5322 §2.2.3), at most 1000 octets; empty if there is none."""
        return _show_id(self._id or b"")

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
            section = header_section(lines)
            self._count += count_fields(section, b"received")
            if self._id is None or self._id_goes_on:
                self._note_id(section)
            self._ended = lines.startswith(b"\r\n") or b"\r\n\r\n" in lines
        if len(octets) > 2 * _MOST_LINE_OCTETS:
            octets = octets[:_MOST_LINE_OCTETS] + _REST_OF_LINE + octets[-1:]  # which may be half a line end
        self._line = octets
        if self._octets >= _MOST_OCTETS:
            self._count = self.count
            self._ended = True

    def _note_id(self, section: bytes) -> None:
        """Look for the Message-ID in whole lines, or for what continues it."""
        if self._id is None:
            found = find_field(section, b"message-id")
            if found is None:
                return
            begin, end = found
        else:
            begin, end = 0, skip_folds(section, 0)
        self._id = ((self._id or b"") + section[begin:end])[:_MOST_ID_OCTETS]
        self._id_goes_on = end == len(section)


def read_message_id(header: bytes) -> str:
    """Return the same of a header section that is there as a whole; each line ends with CRLF."""
    found = find_field(header, b"message-id")
    return "" if found is None else _show_id(header[slice(*found)][:_MOST_ID_OCTETS])


def _show_id(octets: bytes) -> str:
    return octets.replace(b"\r\n", b"").strip(b" \t").decode("utf-8", "replace")
