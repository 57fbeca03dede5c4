"""A file that people edit and programs read: each look notices that it was replaced.

Used by the accounts and the aliases. What cannot be read keeps in force what was read before, and the reason
is given once, for the log.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Generic, TypeVar

_Table = TypeVar("_Table", bound=Iterable[Any])
Sight = tuple[int, int, int, int]
"""What is another when a file was replaced or changed, or somebody else may read or write it now.

The last of it is the size.
"""


def look_at(file: str) -> Sight | None:
    """Look at a file; `None` where there is none."""
    try:
        found = os.stat(file)  # noqa: PTH116 - on the path of every message, and Path takes twice as long
    except OSError:
        return None
    return make_sight(found)


def make_sight(found: os.stat_result) -> Sight:
    """Make what is another when something of that happened: chmod changes no time but that of the inode."""
    return found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size


class WatchedFile(Generic[_Table]):
    """What a file says now."""

    def __init__(self, file: Path, load: Callable[[Path], _Table], error: type[Exception]) -> None:
        """Read the file with `load`, which may raise `error`, and does so here."""
        self._file = file
        self._name = str(file)
        self._load = load
        self._error = error
        self._seen = look_at(self._name)
        self._table = load(file)
        self._trouble: str | None = None

    def read(self) -> _Table:
        """Return what the file says; the same object, while it is the same file."""
        seen = look_at(self._name)
        if seen != self._seen:
            self._seen = seen
            try:
                table = self._load(self._file)
            except self._error as error:
                self._trouble = str(error)
            else:
                self._take(table, seen)
        return self._table

    def take_trouble(self) -> str | None:
        """Return, once, why the file as it is now could not be read."""
        trouble, self._trouble = self._trouble, None
        return trouble

    def _take(self, table: _Table, seen: Sight | None) -> None:
        """Put a new table in force, unless the file is gone or empty: somebody is just writing it anew."""
        if (seen is None or seen[-1] == 0) and any(True for _ in self._table):
            self._trouble = f"{self._file} is missing or empty"
        else:
            self._table = table
            self._trouble = None
