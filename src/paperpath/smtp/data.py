"""The body of DATA: finds its end, takes the dots off, tells whether it is clean (RFC 5321 §4.1.1.4, §4.5.2).

Rule 1: only CRLF.CRLF ends the data, and .CRLF as the very first octets; no other sequence does, however it
        is cut into segments. So nobody can smuggle a second message past us.
Rule 2: content goes out in chunks as it came, less one dot per line that began with one. No octet is held
        back for longer than it may still belong to the end: four at most.
Rule 3: bare CR and LF are noticed, never mended; the caller refuses the message (RFC 5321 §2.3.8).

The work is done per chunk by `find` and `replace`; no loop of ours runs over lines or octets.
"""

from paperpath.mail.newlines import has_bare_newline

_END = b"\r\n.\r\n"
_HELD_BACK = tuple(_END[:length] for length in range(len(_END) - 1, 0, -1))


class DataReader:
    """Reads the octets behind one 354, up to and including the end of data."""

    def __init__(self) -> None:
        """Begin as if a CRLF had just been read, since the first line may begin with a dot."""
        self._carry = b"\r\n"
        self._to_skip = 2  # that CRLF is no content
        self._ended = False
        self.has_bare_newline = False

    @property
    def ended(self) -> bool:
        """Whether the end of data has been read."""
        return self._ended

    def feed(self, octets: bytes) -> tuple[bytes, bytes]:
        """Take octets; return the content they yield, and what lies behind the end of data."""
        buffer = self._carry + octets
        end = buffer.find(_END)
        if end >= 0:
            self._ended = True
            self._carry = b""
            return self._take(buffer[: end + 2]), buffer[end + len(_END) :]
        held = next((len(start) for start in _HELD_BACK if buffer.endswith(start)), 0)
        split = len(buffer) - held
        self._carry = buffer[split:]
        return self._take(buffer[:split]), b""

    def _take(self, raw: bytes) -> bytes:
        # A CR at the end of a chunk is always held back, so no CRLF is ever looked at in halves.
        if has_bare_newline(raw):
            self.has_bare_newline = True
        content = raw.replace(b"\r\n.", b"\r\n") if b"\r\n." in raw else raw
        if self._to_skip and content:
            skipped = min(self._to_skip, len(content))
            self._to_skip -= skipped
            return content[skipped:]
        return content
