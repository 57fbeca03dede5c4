"""The body of DATA on its way out: dots put on, no bare CR or LF let through (RFC 5321 §4.5.2, §2.3.8).

The opposite of data.py. Work is done per chunk by `replace`; no loop of ours runs over lines or octets, and
nothing is held back but a CR at the very end of a chunk.
"""

from paperpath.mail.newlines import has_bare_newline

_NEWLINE = b"\r\n"


class BareNewlineError(ValueError):
    """A CR or LF stands alone: what a careless peer might take for the end of a line, and of the content."""


class Stuffer:
    """Writes the content behind one 354."""

    def __init__(self) -> None:
        """Begin at the start of a line, since the first one may begin with a dot."""
        self._at_line_start = True
        self._holds_cr = False

    def feed(self, content: bytes) -> bytes:
        """Take some content; return what goes out for it.

        Raises: BareNewlineError. Nothing of this content may be sent then.
        """
        if self._holds_cr:
            content = b"\r" + content
        self._holds_cr = content.endswith(b"\r")
        if self._holds_cr:
            content = content[:-1]
        if not content:
            return content
        if has_bare_newline(content):
            raise BareNewlineError
        starts_with_dot = self._at_line_start and content.startswith(b".")
        self._at_line_start = content.endswith(_NEWLINE)
        if b"\r\n." in content:
            content = content.replace(b"\r\n.", b"\r\n..")
        return b"." + content if starts_with_dot else content

    def end(self) -> bytes:
        """Return the end of the data; with a CRLF before it where the content has none at its end.

        Raises: BareNewlineError.
        """
        if self._holds_cr:
            raise BareNewlineError
        return b".\r\n" if self._at_line_start else b"\r\n.\r\n"
