"""The canonical forms of a body, written while it passes (RFC 6376 §3.4.3, §3.4.4).

For who signs and who verifies; `write` is mostly a hash's `update`. Chunks may be cut anywhere. Whatever the
body is, this takes time linear in it, and memory for one chunk: empty lines that may be the last ones are
only counted.
"""

from collections.abc import Callable
from typing import Protocol

from paperpath.dkim.form import Form

_LINE_END = b"\r\n"
_LINES_AT_ONCE = 4096
_TAB_TO_SPACE = bytes.maketrans(b"\t", b" ")


class CanonicalBody(Protocol):
    """Where a body goes in, chunk by chunk."""

    def add(self, octets: bytes) -> None:
        """Take the next octets."""

    def finish(self) -> None:
        """Write what is left: there are no more."""


def make_body(form: Form, write: Callable[[bytes], object]) -> CanonicalBody:
    """Begin a body in that form."""
    return SimpleBody(write) if form is Form.SIMPLE else RelaxedBody(write)


class SimpleBody:
    """As it is, but ended by exactly one CRLF: so an empty body is a CRLF."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        """Begin before the first octet."""
        self._lines = _Lines(write)

    def add(self, octets: bytes) -> None:
        """Take the next octets."""
        self._lines.add(octets)

    def finish(self) -> None:
        """End it."""
        self._lines.finish()
        self._lines.write(_LINE_END)


class RelaxedBody:
    """Blanks made one space, none at the end of a line; an empty body stays empty."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        """Begin before the first octet."""
        self._lines = _Lines(write)
        self._held = b""  # a space and a CR, or one of them: what comes next decides

    def add(self, octets: bytes) -> None:
        """Take the next octets."""
        octets = (self._held + octets).translate(_TAB_TO_SPACE)
        while b"  " in octets:  # halves each run: what is left of a chunk is soon short
            octets = octets.replace(b"  ", b" ")
        octets = octets.replace(b" \r\n", _LINE_END)
        kept = octets.removesuffix(b"\r").removesuffix(b" ")
        self._held = octets[len(kept) :]
        self._lines.add(kept)

    def finish(self) -> None:
        """End it."""
        self._lines.add(self._held.removesuffix(b" "))
        self._lines.finish()
        if not self._lines.is_empty:
            self._lines.write(_LINE_END)


class _Lines:
    """Holds line ends back until something follows them: those at the end are never written."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self.write = write
        self.is_empty = True
        self._waiting = 0  # how many CRLF
        self._held = b""  # a CR, whose LF may come

    def add(self, octets: bytes) -> None:
        octets = self._held + octets
        kept = octets.removesuffix(b"\r")
        self._held = octets[len(kept) :]
        end = _find_last_lines(kept)
        if end:
            self._write_waiting()
            self.write(kept[:end])
            self.is_empty = False
        self._waiting += (len(kept) - end) // len(_LINE_END)

    def finish(self) -> None:
        if self._held:
            self._write_waiting()
            self.write(self._held)
            self.is_empty = False

    def _write_waiting(self) -> None:
        while self._waiting:
            lines = min(self._waiting, _LINES_AT_ONCE)
            self.write(_LINE_END * lines)
            self._waiting -= lines


def _find_last_lines(octets: bytes) -> int:
    """Return where the CRLFs begin that the octets end with."""
    text = len(octets.rstrip(_LINE_END))
    ends = octets[text:]
    if not ends.endswith(b"\n"):
        return len(octets)
    # Behind the last place where CR and LF do not alternate; before the first LF there must be a CR.
    begin = max(ends.rfind(b"\n\n"), ends.rfind(b"\r\r")) + 1
    return text + begin + (ends[begin : begin + 1] == b"\n")
