"""The parts of a body, told apart while it passes in chunks (RFC 2046 §5.1, §5.2.1).

Used by body.py, which looks at the parts, and by encoder.py, which changes some: both must see the same. The
pieces that come out are the octets that went in. Strict: a line that only begins as a delimiter does makes
the walk ambiguous, and then nothing is changed. Held back is what may still be a delimiter, and headers.
"""

from dataclasses import dataclass
from enum import Enum

from paperpath.submission.canonical.mime import OPAQUE, MimeFacts, read_mime_facts

MOST_PARTS = 10_000
_MOST_DEPTH = 50
_MOST_HEADER_OCTETS = 64 * 1024
_MOST_PADDING_OCTETS = 1000  # behind a delimiter
_LINE_END = b"\r\n"
_MARK = _LINE_END + b"--"
_HELD_BACK = tuple(_MARK[:length] for length in range(len(_MARK) - 1, 0, -1))
_SEALING = ("multipart/signed", "multipart/encrypted")  # requirement B-23
_ENCLOSING = ("message/rfc822", "message/global")


class Role(Enum):
    """What a piece is: a part's header with the empty line, its body, or what stands around parts."""

    HEADER = "header"
    BODY = "body"
    FRAME = "frame"


@dataclass(frozen=True, slots=True)
class Part:
    """One part, counted from 0 in the order of their headers; the message is the first.

    `is_sealed`: it is signed or encrypted, or in something that is. `is_message`: its header is a message's.
    """

    number: int
    mime: MimeFacts
    is_sealed: bool = False
    is_message: bool = False


@dataclass(slots=True)
class Piece:
    """Some octets; those of a frame are with the part that they belong to."""

    part: Part
    role: Role
    octets: bytes


class PartWalker:
    """Walks through one body."""

    def __init__(self, mime: MimeFacts) -> None:
        """Begin with what the message's header says."""
        self.is_ambiguous = False
        self._count = 0
        self._open: list[Part] = []
        self._delimiters: tuple[bytes, ...] = ()
        self._reads_header = False
        self._header: list[bytes] = []  # the lines so far of the one that is being read
        self._header_octets = 0
        self._carry = _LINE_END  # as if the empty line ended now, for the first line may be a delimiter
        self._skipped = len(_LINE_END)  # octets at the begin of the next piece that are given already
        self._pieces: list[Piece] = []
        self._part = Part(0, mime, is_sealed=mime.kind in _SEALING, is_message=True)
        self._role = Role.BODY
        self._enter(self._part)
        if self._reads_header:
            self._carry, self._skipped = b"", 0

    def feed(self, octets: bytes) -> list[Piece]:
        """Take the next octets; return the pieces that are certain."""
        buffer = self._carry + octets
        at, is_going_on = 0, True
        while is_going_on:
            read = self._read_header if self._reads_header else self._read_body
            at, is_going_on = read(buffer, at)
        self._carry = buffer[at:]
        return self._take_pieces()

    def finish(self) -> list[Piece]:
        """Return the rest."""
        rest, self._carry = self._carry, b""
        if self._reads_header:
            self._header.append(rest)
            self._end_header()
        else:
            is_delimiter = self._match(rest.removeprefix(_LINE_END)) is not None
            self._give(Role.FRAME if is_delimiter else self._role, rest)
        return self._take_pieces()

    def _read_body(self, buffer: bytes, at: int) -> tuple[int, bool]:
        """Read up to a delimiter; return how far that was, and whether there is more to read."""
        search = at if self._open else len(buffer)
        while (cut := buffer.find(_MARK, search)) >= 0:
            begin = cut + len(_LINE_END)
            end = buffer.find(_LINE_END, begin)
            if end < 0:
                if self._may_become_delimiter(buffer, begin):
                    self._give(self._role, buffer[at:cut])
                    return cut, False
            elif (found := self._match(buffer[begin:end])) is not None:
                self._give(self._role, buffer[at:cut])
                return self._pass_delimiter(buffer, cut, end, *found), True
            search = begin
        held = next((len(mark) for mark in _HELD_BACK if buffer.endswith(mark, at)), 0) if self._open else 0
        self._give(self._role, buffer[at : len(buffer) - held])
        return len(buffer) - held, False

    def _read_header(self, buffer: bytes, at: int) -> tuple[int, bool]:
        """Read one line of a part's header; return as above."""
        end = buffer.find(_LINE_END, at)
        if end < 0 and len(buffer) - at <= _MOST_HEADER_OCTETS:
            return at, False
        behind = len(buffer) if end < 0 else end + len(_LINE_END)
        line = buffer[at:behind]
        if end >= 0 and line.startswith(b"--") and (found := self._match(buffer[at:end])) is not None:
            self._end_header()  # without an empty line, so the part has no body
            return self._pass_delimiter(buffer, at, end, *found), True
        self._header.append(line)
        self._header_octets += len(line)
        if line != _LINE_END and self._header_octets <= _MOST_HEADER_OCTETS:
            return behind, True
        self._end_header()
        if self._reads_header or line != _LINE_END:  # the header of a message that is the body follows
            return behind, True
        self._skipped = len(_LINE_END)  # a delimiter may follow at once, and this is the line end before it
        return end, True

    def _end_header(self) -> None:
        """Give the header that has been read, and go into its part; what is too much for us stays unread."""
        self._reads_header = False
        octets, outer = b"".join(self._header), self._part
        self._count += 1
        if self._count >= MOST_PARTS or len(octets) > _MOST_HEADER_OCTETS:
            mime = OPAQUE
            self._close(0)
        else:
            default = "message/rfc822" if outer.mime.kind == "multipart/digest" else "text/plain"
            mime = read_mime_facts(octets, default)
        is_sealed = outer.is_sealed or mime.kind in _SEALING
        self._part = Part(self._count, mime, is_sealed, is_message=outer.mime.kind in _ENCLOSING)
        self._give(Role.HEADER, octets)
        self._enter(self._part)

    def _enter(self, part: Part) -> None:
        """Begin the body of a part."""
        mime = part.mime
        self._part, self._role = part, Role.BODY
        if not mime.is_identity:
            return
        if mime.kind in _ENCLOSING:
            self._begin_header()
        elif mime.boundary and len(self._open) < _MOST_DEPTH:
            delimiter = b"--" + mime.boundary
            if delimiter in self._delimiters:
                self.is_ambiguous = True
            else:
                self._role = Role.FRAME
                self._open.append(part)
                self._delimiters = (*self._delimiters, delimiter)

    def _begin_header(self) -> None:
        self._reads_header, self._header, self._header_octets = True, [], 0

    def _pass_delimiter(self, buffer: bytes, cut: int, end: int, depth: int, is_last: bool) -> int:
        """Give a delimiter with the line end before it, and go where it leads; return how far that was."""
        self._reads_header = False
        if not self._open:  # there were too many parts, and this is in the last
            return cut
        self._part, self._role = self._open[depth], Role.FRAME
        if is_last:
            self._close(depth)
            self._give(Role.FRAME, buffer[cut:end])
            return end  # the line end may belong to another delimiter
        self._close(depth + 1)
        self._give(Role.FRAME, buffer[cut : end + len(_LINE_END)])
        self._begin_header()
        return end + len(_LINE_END)

    def _close(self, depth: int) -> None:
        """Leave the multiparts from a depth on."""
        del self._open[depth:]
        self._delimiters = self._delimiters[:depth]

    def _match(self, line: bytes) -> tuple[int, bool] | None:
        """Tell of which multipart, by its depth, a line is a delimiter, and whether it is the last there."""
        if not line.startswith(self._delimiters):
            return None
        bare = line.rstrip(b" \t")
        for depth in range(len(self._delimiters) - 1, -1, -1):
            delimiter = self._delimiters[depth]
            if bare in (delimiter, delimiter + b"--"):
                return depth, bare != delimiter
        self.is_ambiguous = True
        return None

    def _may_become_delimiter(self, buffer: bytes, begin: int) -> bool:
        """Tell whether a line without an end may be a delimiter once it has one."""
        for delimiter in self._delimiters:
            if buffer.startswith(delimiter, begin):
                if len(buffer) - begin <= len(delimiter) + _MOST_PADDING_OCTETS:
                    return True
                self.is_ambiguous = True
            elif delimiter.startswith(buffer[begin : begin + len(delimiter)]):
                return True
        return False

    def _give(self, role: Role, octets: bytes) -> None:
        if self._skipped:
            skipped = min(self._skipped, len(octets))
            self._skipped -= skipped
            octets = octets[skipped:]
        if octets:
            self._pieces.append(Piece(self._part, role, octets))

    def _take_pieces(self) -> list[Piece]:
        pieces, self._pieces = self._pieces, []
        return pieces
