"""A body that waits until its header is done: in memory while small, in a file without a name beyond.

Used by the reception, which can write a message only when all of it has been seen (requirements B-23, B-25).
"""

import errno
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from paperpath.maildrop.errors import StorageError
from paperpath.maildrop.values import SMALL_CONTENT_OCTETS

_PIECE_OCTETS = 256 * 1024
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


class WaitingBody:
    """The octets of one body. Close it."""

    def __init__(self, folder: Path) -> None:
        """Begin with nothing; `folder` is where a file may be made, which no other process can find."""
        self._folder = folder
        self._pieces: list[bytes] = []
        self._octets = 0
        self._file: IO[bytes] | None = None

    @property
    def is_in_file(self) -> bool:
        """Whether to read it takes the disk."""
        return self._file is not None

    def write(self, octets: bytes) -> None:
        """Append. Raises: StorageError."""
        if self._file is not None:
            with _storing():
                self._file.write(octets)
            return
        self._pieces.append(octets)
        self._octets += len(octets)
        if self._octets > SMALL_CONTENT_OCTETS:
            with _storing():
                self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - `close` does
                self._file.write(b"".join(self._pieces))
            self._pieces.clear()

    def read(self) -> Iterator[bytes]:
        """Give it back, from its beginning, in pieces. Raises: StorageError."""
        if self._file is None:
            yield from self._pieces
            return
        with _storing():
            self._file.seek(0)
            while octets := self._file.read(_PIECE_OCTETS):
                yield octets

    def close(self) -> None:
        """Let go of it."""
        self._pieces.clear()
        if self._file is not None:
            with suppress(OSError):  # what could not be written need not be
                self._file.close()


@contextmanager
def _storing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"body: {error}", no_space=error.errno in _NO_SPACE) from error
