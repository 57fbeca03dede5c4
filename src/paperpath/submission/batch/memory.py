"""Which messages of a batch were processed before, should it have been interrupted (requirement J-24).

The maildrop takes each message under a key that it takes once only, in the same transaction; so whenever a
run dies, what was taken is known, and nothing else is. A key is made of all octets of the batch up to the end
of its message: whoever mends a batch behind it, or gives one again that was cut short, goes on behind it.

The keys are forgotten when the batch has come to its end, for the next one may be equal and meant so. A file
for each batch says that it was begun, when that was last, and by a lock that it is being read; that it has a
new name is when the batch has ended. What nobody came back to for 30 days is forgotten, too.
"""

import fcntl
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from paperpath.maildrop.interface import Maildrop
from paperpath.service.durable import flush_directory
from paperpath.submission.batch.errors import InterruptedBatchError

REMEMBERED_S = 30 * 24 * 3600
_ENDED = ".ended"
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
            _make_folder(self._folder)
            await self._forget_others()
            self._begin(place)
        return _make_prefix(self._first) + place

    def has(self, key: str) -> bool:
        """Tell whether a message was processed. Raises: MaildropError."""
        # Keys end in a digest: between this one and its own beginning there is no other.
        return list(self._maildrop.read_unique(key[:-1], 1)) == [key]

    async def end(self) -> None:
        """Take note that the batch has come to its end, and forget it. Raises: MaildropError, OSError."""
        if self._first:
            ended = self._folder / f"{self._first}{_ENDED}"
            (self._folder / self._first).rename(ended)
            flush_directory(self._folder)
            await self._forget(ended)

    def close(self) -> None:
        """Let others read the batch."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _begin(self, first: str) -> None:
        file = self._folder / first
        lock = _lock(file)
        if lock is not None and file.with_name(f"{first}{_ENDED}").exists():  # whose keys are being forgotten
            file.unlink()
            os.close(lock)
            lock = None
        if lock is None:
            raise InterruptedBatchError("another process is reading the same batch")
        self._first, self._lock = first, lock
        os.utime(lock, (self._now_s(), self._now_s()))
        flush_directory(self._folder)

    async def _forget_others(self) -> None:
        """Forget batches that ended while whoever read them died, and those that nobody came back to."""
        for file in list(self._folder.iterdir()):
            with suppress(FileNotFoundError):
                age_s = self._now_s() - file.stat().st_mtime
                if file.suffix == _ENDED or age_s > REMEMBERED_S:
                    await self._forget_unlocked(file)

    async def _forget_unlocked(self, file: Path) -> None:
        lock = _lock(file)
        if lock is not None:
            try:
                await self._forget(file)
            finally:
                os.close(lock)

    async def _forget(self, file: Path) -> None:
        """Forget the keys of a batch, then its file."""
        after = prefix = _make_prefix(file.stem)
        while keys := [
            key for key in self._maildrop.read_unique(after, _KEYS_AT_ONCE) if key.startswith(prefix)
        ]:
            after = keys[-1]
            await self._maildrop.forget_unique(keys)
        file.unlink(missing_ok=True)  # noqa: ASYNC240 - it takes no time


def _make_prefix(first: str) -> str:
    return f"batch:{first}:"


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        return
    flush_directory(folder.parent)


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
