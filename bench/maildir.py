"""Maildirs as the benchmarks see them: folders whose `new/` fills up and is emptied again.

Only names are counted; no message is opened. When the last message came in is read from the folder's
own modification time, so looking seldom costs no accuracy. It does not know who delivers.
"""

import os
import time
from collections.abc import Iterable
from pathlib import Path

from bench.process import Child
from bench.source import Load


class Maildir:
    """The `new/` folder of one Maildir; it need not exist before the first delivery."""

    def __init__(self, path: Path) -> None:
        self.new = path / "new"
        self.children: list[Child] = []

    def wanted(self, load: Load) -> int:
        """A file for each recipient."""
        return load.messages * load.recipients

    def count(self) -> int:
        """The number of messages in `new/`."""
        try:
            with os.scandir(self.new) as entries:
                return sum(1 for _ in entries)
        except FileNotFoundError:
            return 0

    def empty(self) -> None:
        """Put an empty folder in the place of `new/`; what was in it is moved aside, not deleted.

        ext4 passes over every inode deleted in the last minute when it looks for a free one, so thousands
        of deletions here would slow down whatever is measured next.
        """
        try:
            found = self.new.stat()
        except FileNotFoundError:
            return
        aside = self.new.parent.parent / f"{self.new.parent.name}-emptied-{time.time_ns()}"
        self.new.rename(aside)
        self.new.mkdir()
        os.chown(self.new, found.st_uid, found.st_gid)
        self.new.chmod(found.st_mode & 0o7777)

    def changed(self) -> float:
        """When the last message came in, in seconds of Unix time."""
        return self.new.stat().st_mtime_ns / 1e9


class Maildirs:
    """Several of them, as one."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._each = [Maildir(path) for path in paths]
        self.children: list[Child] = []

    def wanted(self, load: Load) -> int:
        """A file for each recipient, in whichever folder."""
        return load.messages * load.recipients

    def count(self) -> int:
        """The number of messages in all of them."""
        return sum(one.count() for one in self._each)

    def empty(self) -> None:
        """Empty each."""
        for one in self._each:
            one.empty()

    def changed(self) -> float:
        """When the last message came in, in seconds of Unix time."""
        return max(one.changed() for one in self._each)
