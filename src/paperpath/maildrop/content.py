"""Content on its way in: in memory while small, in a flushed file beyond.

A large content is written to a file named by its queue id, which nobody opens before a message names it. File
and folder, and the folder's own name, are flushed before that transaction, so a message never names a file
that might not be there.
"""

import asyncio
import errno
import hashlib
import os
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path

from paperpath.maildrop.errors import StorageError
from paperpath.maildrop.values import SMALL_CONTENT_OCTETS, Content
from paperpath.service.durable import flush_directory

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


class ContentFolder:
    """Where new large content goes, as one process sees it: spread over folders that are made when needed.

    Who finds one may be ahead of the process that made it, so each process flushes the names of those that it
    uses: of all that are there at once, and then only of those that were not.
    """

    def __init__(self, path: Path) -> None:
        """Begin without knowing of any name that it was flushed."""
        self._path = path
        self._flushed: frozenset[str] = frozenset()

    def place(self, queue_id: str) -> Path:
        """Tell where the content of a message goes; the folder for it may be missing."""
        return content_file(self._path, queue_id)

    def make(self, folder: Path) -> None:
        """Make the folder for a file, which was missing, unless another has just made it. Raises: OSError."""
        self._flushed -= {folder.name}
        folder.mkdir(mode=0o700, exist_ok=True)

    def flush(self, file: Path) -> None:
        """Make the name of a file durable, and that of its folder. Raises: OSError."""
        flush_directory(file.parent)
        if file.parent.name not in self._flushed:
            there = frozenset(folder.name for folder in self._path.iterdir())
            flush_directory(self._path)
            self._flushed |= there


class SpooledContent:
    """The `ContentWriter` of engines that keep large content in files."""

    def __init__(self, folder: ContentFolder, queue_id: str, executor: Executor) -> None:
        """Begin; nothing is on disk before the content has grown beyond 64 KiB."""
        self._folder = folder
        self._file = folder.place(queue_id)
        self._executor = executor
        self._digest = hashlib.sha256()
        self._size = 0
        self._chunks: list[bytes] = []
        self._descriptor: int | None = None
        self._is_made = False  # the file

    def write(self, octets: bytes) -> None:
        """Append; see `ContentWriter`."""
        self._digest.update(octets)
        self._size += len(octets)
        if self._descriptor is None:
            self._chunks.append(octets)
            if self._size > SMALL_CONTENT_OCTETS:
                _storing(self._spill)
        else:
            descriptor = self._descriptor
            _storing(lambda: _write_all(descriptor, octets))

    def finish(self) -> asyncio.Future[Content]:
        """Complete; see `ContentWriter`."""
        loop = asyncio.get_running_loop()
        if self._descriptor is not None:
            return loop.run_in_executor(self._executor, self._flush)
        done: asyncio.Future[Content] = loop.create_future()
        done.set_result(Content(self._size, self._digest.digest(), b"".join(self._chunks), None))
        return done

    def discard(self) -> None:
        """Give up; see `ContentWriter`."""
        self._chunks.clear()
        if not self._is_made:
            return
        self._is_made = False
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with suppress(OSError):
                os.close(descriptor)
        with suppress(OSError):  # what cannot be removed now harms nobody
            self._file.unlink(missing_ok=True)

    def _spill(self) -> None:
        try:
            self._descriptor = os.open(self._file, _NEW, 0o600)
        except FileNotFoundError:
            self._folder.make(self._file.parent)
            self._descriptor = os.open(self._file, _NEW, 0o600)
        self._is_made = True
        _write_all(self._descriptor, b"".join(self._chunks))
        self._chunks.clear()

    def _flush(self) -> Content:
        descriptor = self._descriptor
        if descriptor is None:
            raise StorageError("the content was given up", no_space=False)

        def flush() -> None:
            os.fsync(descriptor)
            self._folder.flush(self._file)
            self._descriptor = None
            os.close(descriptor)

        _storing(flush)
        return Content(self._size, self._digest.digest(), None, self._file)


def content_file(folder: Path, queue_id: str) -> Path:
    """Tell where the large content of a message lies; spread over folders by the id's fastest digits."""
    return folder / queue_id[9:11] / queue_id


def read_content(content: Content) -> bytes:
    """Return all octets of a content. Raises OSError where its file cannot be read."""
    if content.octets is not None:
        return content.octets
    if content.file is None:
        raise StorageError("the content lies nowhere", no_space=False)
    return content.file.read_bytes()


def _write_all(descriptor: int, octets: bytes) -> None:
    view = memoryview(octets)
    while view:
        view = view[os.write(descriptor, view) :]


def _storing(action: Callable[[], None]) -> None:
    try:
        action()
    except OSError as error:
        raise StorageError(f"content: {error}", no_space=error.errno in _NO_SPACE) from error
