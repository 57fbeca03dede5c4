"""Files attached to a message: opened, named, typed, and read as base64 (requirements J-18, J-19).

Used by mailto, with the rights of whoever calls it. Only regular files: to open a FIFO or a device may hang,
or do something to it. A file that changes while it is read is not sent, for nobody would know of the tear.
"""

import codecs
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from paperpath.commands.exits import Exit, ExitError, choose_exit_of_system
from paperpath.commands.plain_process import read_word
from paperpath.mail.fields.folding import fold_pieces
from paperpath.mail.fields.parameters import write_parameter
from paperpath.mail.letter import clean_line
from paperpath.submission.canonical.coders import Base64

_PIECE_OCTETS = 57 * 1024  # whole lines of base64
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_OCTETS = "application/octet-stream"
# Of what is packed the packing is the type: what is in it only who unpacks it sees.
_PACKED = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}


@dataclass(frozen=True, slots=True)
class Attachment:
    """An open file; close it. `name` is what the recipient sees of it."""

    path: str
    name: str
    _descriptor: int

    @property
    def size(self) -> int:
        """How many octets the file has now."""
        return os.fstat(self._descriptor).st_size

    def write_header(self) -> bytes:
        """Write the header of its part. Raises: ExitError."""
        kind = _guess_type(self.name)
        pieces = [f" {kind}"]
        if kind.startswith("text/"):
            pieces = [f" {kind};", *write_parameter("charset", find_charset(self._read()))]
        disposition = [" attachment;", *write_parameter("filename", self.name)]
        return (
            fold_pieces(b"Content-Type", pieces)
            + b"Content-Transfer-Encoding: base64\r\n"
            + fold_pieces(b"Content-Disposition", disposition)
        )

    def read(self) -> Iterator[bytes]:
        """Give it in base64, without the last line's end, as often as it is asked for. Raises: ExitError."""
        coder = Base64(is_encoded=False)
        yield from map(coder.encode, self._read())
        yield coder.finish()

    def close(self) -> None:
        """Let go of it."""
        os.close(self._descriptor)

    def _read(self) -> Iterator[bytes]:
        """Give its octets. Raises: ExitError."""
        before, at = self._look(), 0
        try:
            while octets := os.pread(self._descriptor, _PIECE_OCTETS, at):
                at += len(octets)
                yield octets
        except OSError as error:
            code = choose_exit_of_system(error)
            raise ExitError(code, f"{self.path!a}: cannot be read: {error.strerror}") from error
        if self._look() != before:
            raise ExitError(Exit.LATER, f"{self.path!a}: it was changed while it was read")

    def _look(self) -> tuple[int, int]:
        """Return what is another when somebody has written."""
        status = os.fstat(self._descriptor)
        return status.st_size, status.st_mtime_ns


def attach(word: str) -> Attachment:
    """Open what an argument names, as the system has it. Raises: ExitError."""
    path = Path(word)
    try:
        _require_file(word, path.stat())
        descriptor = os.open(path, _READ)
    except OSError as error:
        hint = "; -C adds a field to the header" if ":" in word else ""
        raise ExitError(Exit.NO_INPUT, f"-a {word!a}: cannot be opened: {error.strerror}{hint}") from error
    try:
        _require_file(word, os.fstat(descriptor))  # what was looked at may have been replaced since
    except ExitError:
        os.close(descriptor)
        raise
    return Attachment(word, clean_line(read_word(path.name)), descriptor)


def _require_file(word: str, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ExitError(Exit.NO_INPUT, f"-a {word!a}: this is no file")


def find_charset(pieces: Iterable[bytes]) -> str:
    """Name the charset of a text: UTF-8 if that is what it is, else one that nobody knows (RFC 1428)."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_ascii = True
    try:
        for octets in pieces:
            if not is_ascii or not octets.isascii():
                is_ascii = False
                decoder.decode(octets)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "unknown-8bit"
    return "us-ascii" if is_ascii else "utf-8"


def _guess_type(name: str) -> str:
    """Tell the type by the end of the name; of what must not be in base64, only that it has octets."""
    import mimetypes  # for who attaches something only: it costs a tenth of the time that a message may take

    kind, packing = mimetypes.guess_type(f"./{name}")  # so that no name is taken for a URL
    if packing is not None:
        return _PACKED.get(packing, _OCTETS)
    if kind is None or kind.startswith(("message/", "multipart/")):  # RFC 2046 §5.1, §5.2.1
        return _OCTETS
    return kind
