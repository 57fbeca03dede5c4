"""A folder of a Maildir held open: its parts, its lock, and what lies in them.

Used by access.py and what works with it. Everything is relative to open directories and follows no link
(attack L-1).
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from paperpath.folders.steps import make_step, open_path, open_step, refuse_open_to_all

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Listing:
    """The names in a directory, and when it last changed.

    Not `stable`: it changed while it was read, and a name may be missing.
    """

    names: frozenset[str]
    changed_ns: int
    stable: bool


class FolderFiles:
    """An open folder of a mailbox; `step` is its directory in the mailbox, `.` for the mailbox itself."""

    def __init__(self, root: Path, mailbox: PurePosixPath, step: str) -> None:
        """Open it. Raises: OSError; FileNotFoundError, where there is none."""
        self.step = step
        self.path = root / mailbox / step
        with ExitStack() as opened:
            self.home = open_path(root, mailbox.parts, opened)[-1]
            self.folder = open_step(self.home, step)
            opened.callback(os.close, self.folder)
            refuse_open_to_all(self.folder)
            self.cur = self._open("cur", opened)
            self.new = self._open("new", opened, make=True)
            self.tmp = self._open("tmp", opened, make=True)
            self._opened = opened.pop_all()

    def close(self) -> None:
        """Let go."""
        self._opened.close()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep everybody else out who works with the folder's index, in whatever process or thread."""
        fcntl.flock(self.cur, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self.cur, fcntl.LOCK_UN)

    @property
    def parts(self) -> tuple[int, int, int]:
        """The directories, in the order of the index's numbers."""
        return self.new, self.cur, self.tmp

    def _open(self, part: str, opened: ExitStack, *, make: bool = False) -> int:
        try:
            directory = open_step(self.folder, part)
        except FileNotFoundError:
            if not make:
                raise
            directory = make_step(self.folder, part)
        opened.callback(os.close, directory)
        refuse_open_to_all(directory)
        return directory


def changed_ns(directory: int) -> int:
    """Return when names last came to a directory or went."""
    return os.fstat(directory).st_mtime_ns


def list_names(directory: int) -> Listing:
    """Read the names that may be messages, several times if others are at work there.

    A file that is renamed while a directory is read may be missed under both names. What is no name in UTF-8
    is passed over.
    """
    listing = _list_once(directory)
    for _ in range(_TRIES):
        if listing.stable:
            break
        listing = _list_once(directory)
    return listing


def _list_once(directory: int) -> Listing:
    before_ns = changed_ns(directory)
    names = frozenset(filter(_may_be_message, os.listdir(directory)))
    return Listing(names, before_ns, changed_ns(directory) == before_ns)


def remove_name(directory: int, name: str) -> None:
    """Remove a file, if it is there. Raises: OSError."""
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=directory)


def _may_be_message(name: str) -> bool:
    if name.startswith("."):
        return False
    return name.isascii() or name.encode("utf-8", "replace").decode("utf-8") == name
