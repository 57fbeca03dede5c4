"""Line ends as programs of this host write them, brought to those of mail: each LF becomes CRLF (J-3, X-12).

Pure; for sendmail and mailto, chunk by chunk. A CRLF stays one, and a bare CR is refused: there is no telling
what was meant, and for some reader it would be the end of a line (RFC 5321 §2.3.8).
"""

_LONE_DOT = b".\r\n"


class BareCRError(ValueError):
    """A CR stands alone."""


class LineEnds:
    """Turns one text."""

    def __init__(self) -> None:
        """Begin at the start of a line."""
        self._holds_cr = False
        self._line_ended = True

    def feed(self, octets: bytes) -> bytes:
        """Take the next octets; return what goes out for them. Raises: BareCRError."""
        if self._holds_cr:
            octets = b"\r" + octets
        self._holds_cr = octets.endswith(b"\r")
        if self._holds_cr:
            octets = octets[:-1]
        if not octets:
            return octets
        if b"\r" in octets:
            octets = octets.replace(b"\r\n", b"\n")
            if b"\r" in octets:
                raise BareCRError
        self._line_ended = octets.endswith(b"\n")
        return octets.replace(b"\n", b"\r\n")

    def finish(self) -> bytes:
        """Return what the last line lacks of its end. Raises: BareCRError."""
        if self._holds_cr:
            raise BareCRError
        return b"" if self._line_ended else b"\r\n"


class LoneDot:
    """Finds the line of one dot that ends a text (J-2). The text is what `LineEnds` gives, all of it."""

    def __init__(self) -> None:
        """Begin at the start of a line."""
        self._at_line_start = True
        self._holds_dot = False  # which may be alone on its line

    def feed(self, octets: bytes) -> tuple[bytes, bool]:
        """Take the next octets; return what goes out for them, and whether the dot came."""
        if self._holds_dot:
            octets = b"." + octets
        if self._at_line_start and octets.startswith(_LONE_DOT):
            return b"", True
        end = octets.find(b"\r\n" + _LONE_DOT)
        if end >= 0:
            return octets[: end + 2], True
        self._holds_dot = octets.endswith(b"\r\n.") or (self._at_line_start and octets == b".")
        if self._holds_dot:
            octets = octets[:-1]
        if octets:
            self._at_line_start = octets.endswith(b"\n")
        return octets, False
