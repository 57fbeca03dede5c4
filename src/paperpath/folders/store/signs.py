"""Signs that something may have happened in a folder, read without opening anything.

Asked by the IMAP server of folders whose sessions rest (open_folder.py), so that a look costs no session
anything while nothing happens. Whatever changes a folder changes the time of one of these: a delivery that of
new, mail programs that of cur, a session its index.
"""

from collections.abc import Iterator
from pathlib import Path

from paperpath.folders.store.index_file import INDEX_NAME

_SIGNS = ("new", "cur", INDEX_NAME, f"{INDEX_NAME}-wal")
_TICK_NS = 1_000_000_000

Signs = tuple[int, ...]


def read_signs(folder: Path, now_ns: int) -> Signs | None:
    """Return times that change when the folder does; `None` while it may change and they do not.

    A time of change is a tick's, so what changed just now may change again without showing it.
    """
    signs = tuple(_read_times(folder))
    return signs if max(signs) + _TICK_NS <= now_ns else None


def _read_times(folder: Path) -> Iterator[int]:
    """Give when each of those changed that tell, 0 for what is not there."""
    for name in _SIGNS:
        try:
            yield (folder / name).lstat().st_mtime_ns
        except OSError:
            yield 0
