"""The content of a message on its way into the model."""

import asyncio
import hashlib

from paperpath.maildrop.values import Content


class MemoryContent:
    """A `ContentWriter` that keeps everything in memory, whatever its size."""

    def __init__(self) -> None:
        """Begin empty."""
        self._chunks: list[bytes] = []

    def write(self, octets: bytes) -> None:
        """See `ContentWriter`."""
        self._chunks.append(octets)

    def finish(self) -> asyncio.Future[Content]:
        """See `ContentWriter`."""
        octets = b"".join(self._chunks)
        future: asyncio.Future[Content] = asyncio.get_running_loop().create_future()
        future.set_result(Content(len(octets), hashlib.sha256(octets).digest(), octets, None))
        return future

    def discard(self) -> None:
        """See `ContentWriter`."""
        self._chunks.clear()
