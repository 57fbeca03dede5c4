"""A batch as it is read: octets with CRLF line ends, and the place in it.

Used by the reader of the batch. Memory is bounded: what was not processed yet, which the postmaster may have
to be sent, waits in a file once it is long.
"""

import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

from paperpath.submission.batch.line_ends import LineEnds
from paperpath.submission.body import WaitingBody

CHUNK_OCTETS = 64 * 1024
_PLACE_DIGITS = 32  # 128 bits of SHA-256

Read = Callable[[int], Awaitable[bytes]]


class BatchSource:
    """One batch. Close it.

    `behind` is in each case how many octets of those given were not looked at yet.
    """

    def __init__(self, read: Read, folder: Path) -> None:
        """Begin; `read` gives no octets at the end, and `folder` is where a file may be made."""
        self._read = read
        self._folder = folder
        self._ends = LineEnds()
        self._chunk = b""
        self._lines = 0  # of all chunks before
        self._digest = hashlib.sha256()
        self._marked = 0  # what lies before, in the chunk, belongs to messages that have ended
        self._waiting: WaitingBody | None = None  # what lies between the last of these and the chunk

    @property
    def is_mixed(self) -> bool:
        """Whether the batch ends here because a line ends otherwise than the first one."""
        return self._ends.is_mixed

    async def read(self) -> bytes:
        """Return the next octets; none at the end. Raises: OSError, StorageError."""
        self._keep_chunk()
        while not self._ends.is_mixed:
            octets = await self._read(CHUNK_OCTETS)
            if not octets:
                self._ends.finish()
                return b""
            self._chunk = self._ends.feed(octets)
            if self._chunk:
                return self._chunk
        return b""

    def mark(self, behind: int) -> str:
        """Take note that a message ends here; return what tells it, with all before it, from others."""
        place = len(self._chunk) - behind
        self._digest.update(memoryview(self._chunk)[self._marked : place])
        self._marked = place
        self._forget_waiting()
        return self._digest.hexdigest()[:_PLACE_DIGITS]

    def find_line(self, behind: int) -> int:
        """Return the number of the line that ends here."""
        return self._lines + self._chunk.count(b"\n", 0, max(len(self._chunk) - behind, 0))

    def find_text(self, behind: int) -> bytes:
        """Return what has come of the octets that were not looked at."""
        return self._chunk[len(self._chunk) - behind :]

    async def read_rest(self) -> AsyncGenerator[bytes, None]:
        """Give everything behind the last message that ended, to the end of the batch; nothing comes after.

        Behind a line that ends otherwise it is as it came. Raises: OSError, StorageError.
        """
        if self._waiting is not None:
            for octets in self._waiting.read():
                yield octets
        yield self._chunk[self._marked :]
        while not self._ends.is_mixed and (octets := await self._read(CHUNK_OCTETS)):
            yield self._ends.feed(octets)
        self._ends.finish()
        yield self._ends.rest
        while octets := await self._read(CHUNK_OCTETS):
            yield octets

    def close(self) -> None:
        """Let go of what waits."""
        self._forget_waiting()

    def _keep_chunk(self) -> None:
        """Put what belongs to no message that has ended to what waits."""
        kept = self._chunk[self._marked :]
        if kept:
            self._digest.update(kept)
            if self._waiting is None:
                self._waiting = WaitingBody(self._folder)
            self._waiting.write(kept)
        self._lines += self._chunk.count(b"\n")
        self._chunk, self._marked = b"", 0

    def _forget_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.close()
            self._waiting = None
