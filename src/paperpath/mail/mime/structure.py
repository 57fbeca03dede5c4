"""The parts of a message found in one pass over its octets (RFC 2045, 2046).

Called by whoever shows structures or parts to mail programs. Any octets have a structure. What is nested too
deep, or is one part too many, is not looked into: its octets belong to the part they stand in. So time is
linear in the octets, and memory bounded, whatever comes.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from paperpath.mail.mime.boundaries import Boundaries
from paperpath.mail.mime.content_fields import find_parameter, read_content_fields
from paperpath.mail.mime.envelope import ENVELOPE_FIELDS
from paperpath.mail.mime.fields import keep_fields
from paperpath.mail.mime.part import OPAQUE, PLAIN_TEXT, About, Extent, Media, Part
from paperpath.mail.mime.window import LINE_END, Window

MOST_DEPTH = 100
MOST_PARTS = 10_000
MOST_HEADER_OCTETS = 256 * 1024  # of one header; nothing is understood of what stands behind
MOST_OCTETS_OF_HEADERS = 4 * 1024 * 1024  # of all of them
_MOST_BOUNDARY_OCTETS = 256  # RFC 2046 §5.1.1 allows 70
_MOST_LINE_OCTETS = 998
_MARK_IN_HEADER = re.compile(rb"\r\n(?:\r\n|--)")
_MARK_IN_BODY = re.compile(rb"\r\n--")
_MARK_OCTETS = 4
_MESSAGE = Media(b"message", b"rfc822")


def read_structure(pieces: Iterable[bytes]) -> Part:
    """Read a message, its octets in pieces of any length."""
    return _Reader(pieces).read()


@dataclass(slots=True)
class _Draft:
    """A part whose end has not come. `body_begin` is -1 as long as its header has no end."""

    is_message: bool
    default: Media
    header_begin: int
    media: Media = PLAIN_TEXT
    about: About = field(default_factory=About)
    body_begin: int = -1
    line_ends_before: int = 0
    envelope: bytes = b""
    children: list[Part] = field(default_factory=list)


class _Reader:
    """Where we are: the parts that are open, each within the one before it."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._window = Window(pieces)
        self._boundaries = Boundaries()
        self._open: list[_Draft] = []
        self._done = _nothing_at(0)
        self._parts = 0
        self._room = MOST_OCTETS_OF_HEADERS

    def read(self) -> Part:
        self._begin(is_message=True)
        while (mark := self._next_mark()) is not None:
            begin = self._window.position
            if mark == LINE_END * 2:
                self._end_header(begin + _MARK_OCTETS)
            elif not self._take_delimiter(begin):
                self._window.go_to(begin + len(LINE_END))
        self._close(0)
        return self._done

    def _next_mark(self) -> bytes | None:
        """Go to the next line end behind which something may begin; or to the end."""
        if self._open[-1].body_begin < 0:
            mark = self._window.find(_MARK_IN_HEADER, _MARK_OCTETS)
        elif self._boundaries:
            mark = self._window.find(_MARK_IN_BODY, _MARK_OCTETS)
        else:
            self._window.skip_all()
            return None
        return None if mark is None else mark[0]

    def _begin(self, *, is_message: bool, default: Media = PLAIN_TEXT) -> None:
        """Begin a part behind the line end where we are."""
        self._open.append(_Draft(is_message, default, self._window.position + len(LINE_END)))
        self._parts += 1
        self._window.keep(min(self._room, MOST_HEADER_OCTETS) + len(LINE_END))

    def _end_header(self, end: int) -> None:
        """Go on with the body, of which the line end before it is left, and with what begins in it."""
        self._window.go_to(end - len(LINE_END))
        draft = self._open[-1]
        self._understand(draft, end)
        if draft.media.is_multipart:
            boundary = find_parameter(draft.media.parameters, b"boundary")
            self._boundaries.add(len(self._open) - 1, boundary or b"")
        elif draft.media.is_message:
            self._begin(is_message=True)

    def _understand(self, draft: _Draft, header_end: int) -> None:
        header = self._take_header()
        media, draft.about = read_content_fields(header, draft.default)
        draft.media = self._judge(media)
        draft.body_begin = header_end
        draft.line_ends_before = self._window.line_ends + 1
        if draft.is_message:
            draft.envelope = keep_fields(header, ENVELOPE_FIELDS)

    def _take_header(self) -> bytes:
        """Return the header that was kept, in whole lines."""
        most = min(self._room, MOST_HEADER_OCTETS)
        header = self._window.take_kept()[len(LINE_END) :]
        self._room -= len(header)
        return header[: header.rfind(LINE_END) + len(LINE_END)] if len(header) == most else header

    def _judge(self, media: Media) -> Media:
        """Return as what a part is shown."""
        if media.is_multipart and not _has_boundary(media):
            return PLAIN_TEXT
        is_full = len(self._open) >= MOST_DEPTH or self._parts >= MOST_PARTS
        return OPAQUE if is_full and (media.is_multipart or media.is_message) else media

    def _take_delimiter(self, begin: int) -> bool:
        """End parts, and begin the next, if the line behind a line end is a delimiter."""
        line = self._window.line(begin + len(LINE_END), _MOST_LINE_OCTETS)
        delimiter = None if line is None else self._boundaries.find(line)
        if line is None or delimiter is None or (not delimiter.is_end and self._parts >= MOST_PARTS):
            return False
        self._close(delimiter.depth + 1)
        self._window.go_to(begin + len(LINE_END) + len(line))
        if delimiter.is_end:
            self._boundaries.remove(delimiter.depth)
        else:
            is_digest = self._open[-1].media.subtype.lower() == b"digest"  # RFC 2046 §5.1.5
            self._begin(is_message=False, default=_MESSAGE if is_digest else PLAIN_TEXT)
        return True

    def _close(self, depth: int) -> None:
        """End the parts from a depth on, where we are.

        Where a delimiter stands right behind a header, the line end between them belongs to both.
        """
        end, line_ends = self._window.position, self._window.line_ends
        if any(draft.body_begin > end for draft in self._open[depth:]):
            end, line_ends = end + len(LINE_END), line_ends + 1
        self._boundaries.remove(depth)
        while len(self._open) > depth:
            draft = self._open[-1]
            if draft.body_begin < 0:
                draft.header_begin = min(draft.header_begin, end)
                self._understand(draft, end)
                draft.line_ends_before = line_ends
            self._done = _finish(draft, end, line_ends)
            self._open.pop()
            if self._open:
                self._open[-1].children.append(self._done)


def _finish(draft: _Draft, end: int, line_ends: int) -> Part:
    """Make a part of what is known at its end."""
    header, body = Extent(draft.header_begin, draft.body_begin), Extent(draft.body_begin, end)
    if not draft.children and (draft.media.is_multipart or draft.media.is_message):
        draft.children.append(_nothing_at(end))  # RFC 9051 §9, body: there is one
    return Part(
        draft.media,
        draft.about,
        header,
        body,
        line_ends - draft.line_ends_before,
        tuple(draft.children),
        draft.envelope,
    )


def _nothing_at(place: int) -> Part:
    """Make the part of a multipart without parts, or of a message that is cut off."""
    nowhere = Extent(place, place)
    return Part(PLAIN_TEXT, About(), nowhere, nowhere, 0)


def _has_boundary(media: Media) -> bool:
    boundary = find_parameter(media.parameters, b"boundary")
    return boundary is not None and 0 < len(boundary.rstrip(b" \t")) <= _MOST_BOUNDARY_OCTETS
