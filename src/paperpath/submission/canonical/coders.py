"""Quoted-printable and base64, in chunks (RFC 2045 §6.7, §6.8).

Used by encoder.py. Each coder takes octets as they are and encodes them, or, where they are encoded already
and in lines that are too long, cuts these anew; what is decoded from that is the same. No line that was not
there begins with a hyphen, so none can be taken for a delimiter.
"""

import binascii
from collections.abc import Iterator
from typing import Protocol

from paperpath.submission.canonical.lines import MOST_LINE_OCTETS

_MOST_QUOTED_OCTETS = 75  # of a line, before the "=" that says that it goes on
_MOST_REST_OCTETS = 4096  # of a line whose end has not come
_BASE64_LINE_OCTETS = 76
_BASE64_GROUP_OCTETS = 57  # as many octets make one line
_NOT_BASE64 = bytes(
    octet for octet in range(256) if not (octet < 128 and (chr(octet).isalnum() or chr(octet) in "+/="))
)
_SOFT_BREAK = b"=\r\n"


class Coder(Protocol):
    """Encodes one part's body."""

    def encode(self, octets: bytes) -> bytes:
        """Take the next octets; return what can be written."""

    def finish(self) -> bytes:
        """Return the rest."""


class QuotedPrintable:
    """Writes quoted-printable; lines that end stay lines that end."""

    def __init__(self, *, is_encoded: bool) -> None:
        """Begin; `is_encoded`: the octets are quoted-printable already."""
        self._is_encoded = is_encoded
        self._rest = b""
        self._goes_on = False  # the rest continues a line of which the begin is written

    def encode(self, octets: bytes) -> bytes:
        """Take the next octets; return the lines that are whole, and most of one that is very long."""
        lines = (self._rest + octets).split(b"\r\n")
        self._rest = lines.pop()
        written = [self._write_line(line) + b"\r\n" for line in lines]
        if len(self._rest) > _MOST_REST_OCTETS:
            written.append(self._write_begin())
        return b"".join(written)

    def finish(self) -> bytes:
        """Return the last line, which may have no end."""
        return self._write_line(self._rest)

    def _write_line(self, line: bytes) -> bytes:
        goes_on, self._goes_on = self._goes_on, False
        text = self._quote(line)
        most = MOST_LINE_OCTETS if self._is_encoded else _MOST_QUOTED_OCTETS
        if len(text) <= most and not goes_on:
            return text
        return _SOFT_BREAK.join(_cut(text, goes_on=goes_on))

    def _write_begin(self) -> bytes:
        """Write what there is of a line, but for what may belong together with what comes."""
        end = _find_cut(self._rest, 0, len(self._rest) - 1)
        begin, self._rest = self._rest[:end], self._rest[end:]
        goes_on, self._goes_on = self._goes_on, True
        return b"".join(piece + _SOFT_BREAK for piece in _cut(self._quote(begin), goes_on=goes_on))

    def _quote(self, octets: bytes) -> bytes:
        if self._is_encoded:
            return octets
        # Its lines may begin with a hyphen, so they are put together again.
        return binascii.b2a_qp(octets, istext=False).replace(b"=\n", b"")


class Base64:
    """Writes base64 in lines, the last of which has no end."""

    def __init__(self, *, is_encoded: bool) -> None:
        """Begin; `is_encoded`: the octets are base64 already."""
        self._is_encoded = is_encoded
        self._rest = b""
        self._begun = False

    def encode(self, octets: bytes) -> bytes:
        """Take the next octets; return the lines that are whole."""
        if self._is_encoded:
            octets = octets.translate(None, _NOT_BASE64)  # which decoders ignore (RFC 2045 §6.8)
        known = self._rest + octets
        whole = len(known) - len(known) % self._group
        self._rest = known[whole:]
        return self._write(known[:whole])

    def finish(self) -> bytes:
        """Return the last line."""
        return self._write(self._rest)

    @property
    def _group(self) -> int:
        return _BASE64_LINE_OCTETS if self._is_encoded else _BASE64_GROUP_OCTETS

    def _write(self, octets: bytes) -> bytes:
        if not octets:
            return b""
        text = octets if self._is_encoded else binascii.b2a_base64(octets, newline=False)
        lines = [text[at : at + _BASE64_LINE_OCTETS] for at in range(0, len(text), _BASE64_LINE_OCTETS)]
        if self._begun:
            lines.insert(0, b"")
        self._begun = True
        return b"\r\n".join(lines)


def _cut(text: bytes, *, goes_on: bool) -> Iterator[bytes]:
    """Cut quoted-printable into pieces for lines; `goes_on`: the first of them continues a line as well."""
    at = 0
    while True:
        hyphen = b""
        if (at or goes_on) and text.startswith(b"-", at):
            hyphen, at = b"=2D", at + 1
        room = _MOST_QUOTED_OCTETS - len(hyphen)
        if len(text) - at <= room:
            yield hyphen + text[at:]
            return
        end = _find_cut(text, at, at + room)
        yield hyphen + text[at:end]
        at = end


def _find_cut(text: bytes, begin: int, end: int) -> int:
    """Return where to cut, at `end` or before the encoded octet that it would cut in two.

    An equals sign that encodes nothing stays with what is behind it, unless a whole line is made of them.
    """
    equals = text.rfind(b"=", end - 2, end)
    if equals < 0:
        return end
    kept = len(text[begin:equals].rstrip(b"="))
    return begin + kept if kept else equals
