"""Content on its way in: in memory while small, in a flushed file beyond.

A large content is written to a file named by its queue id, which nobody opens before a message names it. File
and directory are flushed before that transaction, so a message never names a file that might not be there.
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


class SpooledContent:
    """The `ContentWriter` of engines that keep large content in files below `folder`."""

    def __init__(self, folder: Path, queue_id: str, executor: Executor) -> None:
        """Begin; nothing is on disk before the content has grown beyond 64 KiB."""
        self._folder = folder
        self._queue_id = queue_id
        self._executor = executor
        self._digest = hashlib.sha256()
        self._size = 0
        self._chunks: list[bytes] = []
        self._descriptor: int | None = None
        self._file: Path | None = None

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
        file, self._file = self._file, None
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with suppress(OSError):
                os.close(descriptor)
        if file is not None:
            with suppress(OSError):  # what cannot be removed now harms nobody
                file.unlink(missing_ok=True)

    def _spill(self) -> None:
        file = content_file(self._folder, self._queue_id)
        try:
            self._descriptor = os.open(file, _NEW, 0o600)
        except FileNotFoundError:
            self._make_folder(file.parent)
            self._descriptor = os.open(file, _NEW, 0o600)
        self._file = file
        _write_all(self._descriptor, b"".join(self._chunks))
        self._chunks.clear()

    def _make_folder(self, folder: Path) -> None:
        """Make a folder and flush its name, or make none: whoever finds it takes it for flushed."""
        folder.mkdir(mode=0o700, exist_ok=True)
        try:
            flush_directory(self._folder)
        except OSError:
            with suppress(OSError):  # another process has put something there
                folder.rmdir()
            raise

    def _flush(self) -> Content:
        descriptor, file = self._descriptor, self._file
        if descriptor is None or file is None:
            raise StorageError("the content was given up", no_space=False)

        def flush() -> None:
            os.fsync(descriptor)
            flush_directory(file.parent)
            self._descriptor = None
            os.close(descriptor)

        _storing(flush)
        return Content(self._size, self._digest.digest(), None, file)


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
