"""Which messages of a batch were processed before, should it have been interrupted (requirement J-24).

The maildrop takes each message under a key that it takes once only, in the same transaction; so whenever a
run dies, what was taken is known, and nothing else is. A key is made of all octets of the batch up to the end
of its message: whoever mends a batch behind it, or gives one again that was cut short, goes on behind it.
The keys are forgotten when the batch has come to its end. A file for each batch that was begun says that it
is being read, by a lock, and when it was begun last: what nobody came back to for 30 days is forgotten too.
"""

import fcntl
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from paperpath.maildrop.interface import Maildrop
from paperpath.submission.batch.errors import InterruptedBatchError

REMEMBERED_S = 30 * 24 * 3600
_KEYS_AT_ONCE = 500


class BatchMemory:
    """What is remembered of the batch at hand. Close it."""

    def __init__(self, maildrop: Maildrop, folder: Path, now_s: Callable[[], float] = time.time) -> None:
        """Know of no batch yet; `folder` is made when it is needed."""
        self._maildrop = maildrop
        self._folder = folder
        self._now_s = now_s
        self._first = ""
        self._lock = -1

    async def find_key(self, place: str) -> str:
        """Return the key of the message that ends at a place; the first one says which batch it is.

        Raises: InterruptedBatchError, where another process reads the same batch; MaildropError, OSError.
        """
        if not self._first:
            await self._begin(place)
        return _make_prefix(self._first) + place

    def has(self, key: str) -> bool:
        """Tell whether a message was processed. Raises: MaildropError."""
        # Keys end in a digest: between this one and its own beginning there is no other.
        return list(self._maildrop.read_unique(key[:-1], 1)) == [key]

    async def forget(self) -> None:
        """Forget the batch, which has come to its end. Raises: MaildropError, OSError."""
        if self._first:
            await self._forget_keys(self._first)
            _remove(self._folder / self._first)

    def close(self) -> None:
        """Let others read the batch."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    async def _begin(self, first: str) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        await self._forget_abandoned()
        lock = _lock(self._folder / first)
        if lock is None:
            raise InterruptedBatchError("another process is reading the same batch")
        self._first, self._lock = first, lock
        os.utime(lock, (self._now_s(), self._now_s()))

    async def _forget_abandoned(self) -> None:
        """Forget batches that nobody came back to."""
        for file in self._folder.iterdir():
            with suppress(FileNotFoundError):
                if self._now_s() - file.stat().st_mtime > REMEMBERED_S:
                    await self._forget_one(file)

    async def _forget_one(self, file: Path) -> None:
        lock = _lock(file)
        if lock is None:
            return
        try:
            await self._forget_keys(file.name)
            _remove(file)
        finally:
            os.close(lock)

    async def _forget_keys(self, first: str) -> None:
        prefix = _make_prefix(first)
        after = prefix
        while keys := [
            key for key in self._maildrop.read_unique(after, _KEYS_AT_ONCE) if key.startswith(prefix)
        ]:
            after = keys[-1]
            await self._maildrop.forget_unique(keys)


def _make_prefix(first: str) -> str:
    return f"batch:{first}:"


def _remove(file: Path) -> None:
    file.unlink(missing_ok=True)


def _lock(file: Path) -> int | None:
    """Lock a file, which is made where it is missing; `None` where another process has it."""
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(descriptor).st_nlink:
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # who had it has removed it
