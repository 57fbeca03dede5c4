"""What is handed to sendmail or mailto: read to its end, before anything is said to anybody (J-13).

To sendmail it is a message, to mailto a text without a header. What cannot be read whole is not sent at all.
A header is held in memory, and so are short bodies; the rest of a longer one waits in a file without a name.
"""

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from paperpath.commands.exits import Exit, ExitError
from paperpath.commands.line_ends import BareCRError, LineEnds, LoneDot
from paperpath.submission.canonical.section import MOST_HEADER_OCTETS
from paperpath.submission.canonical.standard_input import drop_mbox_line, split_message

_PIECE_OCTETS = 64 * 1024
_MOST_OCTETS_IN_MEMORY = MOST_HEADER_OCTETS + _PIECE_OCTETS


@dataclass(frozen=True, slots=True)
class HandedMessage:
    """A message with CRLF at the end of its lines; close it.

    `beginning` is that of the body, `rest` the file with what follows, if there is one; `is_ascii`: no octet
    of the body is above 7F.
    """

    header: bytes
    beginning: bytes
    rest: IO[bytes] | None
    is_ascii: bool

    @property
    def size(self) -> int:
        """How many octets it has."""
        rest = 0 if self.rest is None else os.fstat(self.rest.fileno()).st_size
        return len(self.header) + 2 + len(self.beginning) + rest

    @property
    def has_8bit(self) -> bool:
        """Whether some octet is above 7F."""
        return not (self.is_ascii and self.header.isascii())

    def read(self) -> Iterator[bytes]:
        """Give it all in pieces, as often as it is asked for. Raises: OSError."""
        yield self.header + b"\r\n" + self.beginning
        yield from self._read_rest()

    def read_body(self) -> Iterator[bytes]:
        """Give what stands behind the empty line, in the same way. Raises: OSError."""
        yield self.beginning
        yield from self._read_rest()

    def close(self) -> None:
        """Let go of it."""
        if self.rest is not None:
            self.rest.close()

    def _read_rest(self) -> Iterator[bytes]:
        if self.rest is not None:
            self.rest.seek(0)
            while octets := self.rest.read(_PIECE_OCTETS):
                yield octets


def read_message(descriptor: int, *, ends_at_dot: bool) -> HandedMessage:
    """Read a message to the end of the input, or else to a line of one dot.

    Raises: ExitError, for input that cannot be read, is not there, or is no text; OSError, where there is no
    room for it.
    """
    return _collect(descriptor, ends_at_dot=ends_at_dot).finish_message()


def read_text(descriptor: int, *, ends_at_dot: bool) -> HandedMessage:
    """Read a body in the same way; the header is empty. Raises: as `read_message`."""
    return _collect(descriptor, ends_at_dot=ends_at_dot).finish_text()


class _Collected:
    """What has come so far: in memory, and beyond what a header may have in a file."""

    def __init__(self) -> None:
        self._beginning = bytearray()
        self._rest: IO[bytes] | None = None
        self._is_ascii = True

    def add(self, octets: bytes) -> None:
        """Take the next octets. Raises: OSError."""
        if self._rest is None and len(self._beginning) + len(octets) <= _MOST_OCTETS_IN_MEMORY:
            self._beginning += octets
            return
        if self._rest is None:
            self._rest = _open_file()
        self._is_ascii = self._is_ascii and octets.isascii()
        self._rest.write(octets)

    def finish_message(self) -> HandedMessage:
        """Make a message of it. Raises: OSError, ExitError."""
        text = self.finish_text()
        octets = drop_mbox_line(text.beginning)
        header, body = split_message(octets)
        # A field that is cut off, where the file begins, would be taken for the body.
        is_cut = self._rest is not None and b"\r\n" not in octets[len(header) :]
        if len(header) > MOST_HEADER_OCTETS or is_cut:
            self.close()
            raise ExitError(Exit.BAD_DATA, f"the header does not end within {MOST_HEADER_OCTETS} octets")
        return HandedMessage(header, body, self._rest, is_ascii=self._is_ascii and body.isascii())

    def finish_text(self) -> HandedMessage:
        """Make a body of it. Raises: OSError."""
        if self._rest is not None:
            self._rest.flush()
        beginning = bytes(self._beginning)
        return HandedMessage(b"", beginning, self._rest, is_ascii=self._is_ascii and beginning.isascii())

    def close(self) -> None:
        """Let go of it."""
        if self._rest is not None:
            self._rest.close()


def _collect(descriptor: int, *, ends_at_dot: bool) -> _Collected:
    """Read all of it. Raises: ExitError, OSError."""
    collected = _Collected()
    try:
        for octets in _convert(_read_input(descriptor), LoneDot() if ends_at_dot else None):
            collected.add(octets)
    except BareCRError:
        collected.close()
        raise ExitError(Exit.BAD_DATA, "the message has a CR that ends no line") from None
    except BaseException:
        collected.close()
        raise
    return collected


def _read_input(descriptor: int) -> Iterator[bytes]:
    """Give what comes. Whether who writes a pipe ended or died cannot be told; an error can (J-13)."""
    while True:
        try:
            octets = os.read(descriptor, _PIECE_OCTETS)
        except OSError as error:
            code = Exit.NO_INPUT if error.errno == errno.EBADF else Exit.IO
            raise ExitError(code, f"the message cannot be read: {error.strerror}") from error
        if not octets:
            return
        yield octets


def _convert(pieces: Iterator[bytes], lone_dot: LoneDot | None) -> Iterator[bytes]:
    """Give the text with line ends of mail, up to the dot where one is looked for. Raises: BareCRError."""
    line_ends = LineEnds()

    def convert() -> Iterator[bytes]:
        for piece in pieces:
            yield line_ends.feed(piece)
        yield line_ends.finish()

    for octets in convert():
        is_over = False
        if lone_dot is not None:
            octets, is_over = lone_dot.feed(octets)
        yield octets
        if is_over:
            return


def _open_file() -> IO[bytes]:
    import tempfile  # long messages only: it costs a tenth of the time that a short one may take

    return tempfile.TemporaryFile()
