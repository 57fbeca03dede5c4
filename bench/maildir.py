"""A Maildir as the load test sees it: a folder whose `new/` fills up and is emptied again.

Only names are counted; no message is opened. When the last message came in is read from the folder's
own modification time, so looking seldom costs no accuracy. It does not know who delivers.
"""

import os
import time
from pathlib import Path

from bench.process import Child

POLL_FLOOR = 0.05  # seconds between two looks at the least
POLL_SHARE = 20  # a look may take this fraction (1/20) of the time at most


class Maildir:
    """The `new/` folder of one Maildir; it need not exist before the first delivery."""

    def __init__(self, path: Path) -> None:
        self.new = path / "new"

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

    def wait_for(self, wanted: int, deadline: float, server: Child) -> float:
        """Wait until `new/` holds `wanted` messages; the Unix time in seconds at which the last came.

        `deadline` is a moment of time.monotonic(). The end of `server` meanwhile is an error.
        """
        while True:
            began = time.monotonic()
            found = self.count()
            looked = time.monotonic()
            if found >= wanted:
                return min(time.time(), self.new.stat().st_mtime_ns / 1e9)
            if looked > deadline:
                raise server.failure(f"delivered {found} of {wanted} messages before the deadline")
            if server.exited_within(max(POLL_FLOOR, POLL_SHARE * (looked - began))):
                raise server.failure(f"ended after delivering {found} of {wanted} messages")
