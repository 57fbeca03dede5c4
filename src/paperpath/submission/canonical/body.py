"""The body looked at as it passes: what the canonical form has to know of it, and no more.

Called by whoever takes a message in, with each chunk of the body; holds a line of it, or a part's header. A
body that needs nothing costs a search for octets above 7F, one for long lines, and, if it has parts, one for
delimiters.
"""

import codecs
from collections.abc import Iterable
from dataclasses import dataclass

from paperpath.submission.canonical.lines import LineMeter
from paperpath.submission.canonical.mime import read_mime_facts
from paperpath.submission.canonical.parts import Part, PartWalker, Piece, Role

# Without these words in its header a body is one part; its type is of interest only if it needs something.
_MAY_HAVE_PARTS = (b"multipart/", b"message/")


@dataclass(frozen=True, slots=True)
class PartFacts:
    """What was seen in the body of one part that is not short lines of ASCII."""

    part: Part
    is_eight_bit: bool
    has_long_lines: bool


@dataclass(frozen=True, slots=True)
class BodyFacts:
    """What was seen of a body; short lines of ASCII, and a body that is not there, are all defaults.

    `is_utf8` is about its octets, whatever the MIME fields say. `parts` are those that may need something.
    The frame is what stands around the bodies of parts: headers, delimiters, text before and after.
    `is_ambiguous`: where parts end can be understood in two ways.
    """

    is_eight_bit: bool = False
    is_utf8: bool = True
    parts: tuple[PartFacts, ...] = ()
    is_frame_eight_bit: bool = False
    has_frame_long_lines: bool = False
    is_ambiguous: bool = False

    @property
    def has_long_lines(self) -> bool:
        """Whether any line is too long."""
        return self.has_frame_long_lines or any(facts.has_long_lines for facts in self.parts)


NO_BODY = BodyFacts()
_MAKE_DECODER = codecs.getincrementaldecoder("utf-8")


class BodyScan:
    """Looks at one body."""

    def __init__(self, header: bytes) -> None:
        """Begin; the header section as it came in says which parts there are."""
        self._header = header
        self._utf8 = _Utf8()
        may_have_parts = any(map(header.lower().__contains__, _MAY_HAVE_PARTS))
        self._walker = PartWalker(read_mime_facts(header)) if may_have_parts else None
        self._part: Part | None = None  # whose body it is that passes
        self._body = _Octets()
        self._frame = _Octets()
        self._found: list[PartFacts] = []

    def add(self, octets: bytes) -> None:
        """Look at the next octets behind the empty line, however they are cut."""
        self._utf8.add(octets)
        if self._walker is None:
            self._body.add(octets)
        else:
            self._look(self._walker.feed(octets))

    def finish(self) -> BodyFacts:
        """Say what was seen."""
        if self._walker is not None:
            self._look(self._walker.finish())
        elif self._body.needs_attention:
            self._part = Part(0, read_mime_facts(self._header), is_message=True)
        self._end_part()
        return BodyFacts(
            self._utf8.is_needed,
            self._utf8.finish(),
            tuple(self._found),
            self._frame.is_eight_bit,
            self._frame.has_long_lines,
            self._walker is not None and self._walker.is_ambiguous,
        )

    def _look(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            if piece.role is not Role.BODY:
                self._frame.add(piece.octets)
                continue
            if piece.part is not self._part:
                self._end_part()
                self._part = piece.part
            self._body.add(piece.octets)

    def _end_part(self) -> None:
        body, self._body = self._body, _Octets()
        if self._part is not None and body.needs_attention:
            self._found.append(PartFacts(self._part, body.is_eight_bit, body.has_long_lines))


class _Octets:
    """What is seen of one part's body, or of the frame."""

    def __init__(self) -> None:
        self.is_eight_bit = False
        self._meter = LineMeter()

    @property
    def has_long_lines(self) -> bool:
        return self._meter.finish()

    @property
    def needs_attention(self) -> bool:
        return self.is_eight_bit or self.has_long_lines

    def add(self, octets: bytes) -> None:
        self.is_eight_bit = self.is_eight_bit or not octets.isascii()
        self._meter.add(octets)


class _Utf8:
    """Whether octets are UTF-8, from the first one on that is not ASCII."""

    def __init__(self) -> None:
        self.is_needed = False
        self._decoder: codecs.IncrementalDecoder | None = None  # there once it is needed
        self._is_utf8 = True

    def add(self, octets: bytes, *, is_last: bool = False) -> None:
        self.is_needed = self.is_needed or not octets.isascii()
        if self.is_needed and self._is_utf8:
            self._decoder = self._decoder or _MAKE_DECODER()
            try:
                self._decoder.decode(octets, is_last)
            except UnicodeDecodeError:
                self._is_utf8 = False

    def finish(self) -> bool:
        self.add(b"", is_last=True)
        return self._is_utf8
