"""mbox files: entries are put at the end of a file that other programs read and rewrite meanwhile.

Called by local delivery, in threads; everything here blocks. The file is locked for a batch of deliveries
(mbox_lock.py). What fails leaves the file as it was, and what `flush` has returned for stays (requirement
F-13). An entry that may be there from an earlier attempt is looked for by its octets (mbox_search.py), for an
mbox has no names.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from paperpath.folders.mbox_lock import Waiting, open_locked
from paperpath.folders.mbox_search import find_entry
from paperpath.folders.steps import refuse_open_to_all
from paperpath.service.durable import open_directory, write_all

WAITING = Waiting()


class Mbox:
    """An mbox, open and locked for a batch of deliveries: `with` it. Raises: OSError, from every method."""

    def __init__(self, file: Path, waiting: Waiting = WAITING) -> None:
        """Open the file, which is made where it is missing, and lock it.

        Raises: OSError; FileNotFoundError where the folder is missing, TimeoutError where the file is locked.
        """
        with ExitStack() as opened:
            folder = open_directory(file.parent)
            opened.callback(os.close, folder)
            refuse_open_to_all(folder)
            locked = open_locked(folder, file.name, waiting, opened)
            self._descriptor, self._lock = locked.descriptor, locked.lock
            self._flushed = self._size()
            if (
                not self._flushed
            ):  # then its name may not be durable, and before anything is in it, it must be
                os.fsync(folder)
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # nothing hangs on them: what was delivered is flushed, or was said not to be
            self._opened.close()

    def append(self, chunks: Iterable[bytes]) -> None:
        """Write an entry at the end; `flush` makes it durable. After an error the file is as it was."""
        begin = self._size()
        try:
            gap = self._find_gap(begin)
            for chunk in chunks:
                write_all(self._descriptor, gap + chunk)
                gap = b""
                self._lock.touch()
        except BaseException:
            self._cut_off(begin)
            raise

    def flush(self) -> None:
        """Make all entries durable. After an error none of them is there that came since the last flush."""
        try:
            os.fsync(self._descriptor)
        except OSError:
            self._cut_off(self._flushed)
            raise
        self._flushed = self._size()

    def keep(self, make_entry: Callable[[], Iterator[bytes]]) -> bool:
        """Tell whether the file holds an entry whole; `flush` makes that durable.

        The begin of one that an attempt left at the end when it died is cut off. An entry behind which
        256 MiB of others came is not found.
        """
        found = find_entry(self._descriptor, make_entry)
        if found is None:
            return False
        if not found.is_whole:
            os.ftruncate(self._descriptor, found.begin)
            self._flushed = min(self._flushed, found.begin)
        return found.is_whole

    def _size(self) -> int:
        return os.fstat(self._descriptor).st_size

    def _find_gap(self, size: int) -> bytes:
        """Return what is missing of the empty line that must be before an entry."""
        end = os.pread(self._descriptor, 2, max(0, size - 2))
        if not end or end == b"\n\n":
            return b""
        return b"\n" if end.endswith(b"\n") else b"\n\n"

    def _cut_off(self, size: int) -> None:
        """Take back what was written after a place; where even that fails, a piece of it stays."""
        with suppress(OSError):
            os.ftruncate(self._descriptor, size)
            os.fsync(self._descriptor)
