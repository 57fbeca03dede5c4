"""An account's mailbox as the store sees it: where it is, what it may hold, and its state.

The lock of a mailbox is taken for what concerns more than one folder. Who holds a folder's lock may take it;
nobody takes a folder's lock who holds it.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from paperpath.config.quota import Quota
from paperpath.folders.store.home_state import HomeState, format_state, parse_state
from paperpath.service.durable import open_directory, replace_text

_STATE_NAME = "paperpath-folders"
_MOST_VALIDITY = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Home:
    """A mailbox. `root` has no links in it; `host` is what this one is called in names of files."""

    root: Path
    mailbox: PurePosixPath
    quota: Quota
    host: str
    clock_ns: Callable[[], int]

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.root / self.mailbox

    @contextmanager
    def locked(self) -> Iterator[int]:
        """Keep others out who change the tree or the state; gives the open directory."""
        directory = open_directory(self.path)
        try:
            fcntl.flock(directory, fcntl.LOCK_EX)
            yield directory
        finally:
            os.close(directory)

    def read_state(self) -> HomeState:
        """Return the state. Raises: OSError."""
        try:
            return parse_state((self.path / _STATE_NAME).read_text(encoding="utf-8", errors="replace"))
        except FileNotFoundError:
            return HomeState()

    def write_state(self, state: HomeState) -> None:
        """Change the state, flushed; with the lock held. Raises: OSError."""
        replace_text(self.path / _STATE_NAME, format_state(state))

    def next_validity(self) -> int:
        """Give a UIDVALIDITY greater than any before (requirement K-4). Raises: OSError."""
        with self.locked():
            state = self.read_state()
            now_s = self.clock_ns() // 1_000_000_000
            validity = min(max(now_s, state.uid_validity + 1, 1), _MOST_VALIDITY)
            self.write_state(replace(state, uid_validity=validity))
        return validity
