"""What is done for a Maildir now and then when it is used: at most once an hour, by each process.

Its own directory is flushed, for whoever made it may have died before that; a folder in a mailbox gets the
empty file by which other programs tell it from a mailbox (Maildir++); and what was left in tmp for more
than 36 hours is removed: no delivery takes so long (maildir.py gives up after 24).
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress

_HOUR_NS = 3600 * 1_000_000_000
_LEFT_OVER_NS = 36 * _HOUR_NS


class Upkeep:
    """Remembers which Maildirs were looked after, and when; for all threads of a process."""

    def __init__(self, clock_ns: Callable[[], int] = time.time_ns) -> None:
        """Begin with none."""
        self._clock_ns = clock_ns
        self._done: dict[tuple[int, int], int] = {}

    def look_after(self, maildir: int, tmp: int, *, is_subfolder: bool = False) -> None:
        """Do what is due for an open Maildir and its tmp. Raises: OSError, where the flush fails."""
        found = os.fstat(maildir)
        key = found.st_dev, found.st_ino
        now_ns, last_ns = self._clock_ns(), self._done.get(key)
        if last_ns is not None and last_ns <= now_ns < last_ns + _HOUR_NS:
            return
        if is_subfolder:
            _mark_as_subfolder(maildir)
        os.fsync(maildir)
        with suppress(OSError):  # what cannot be removed harms nobody
            remove_left_over(tmp, now_ns)
        self._done[key] = now_ns  # two threads may both have done it, and neither has relied on the other


def _mark_as_subfolder(maildir: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with suppress(OSError):  # it says something to others, and nothing to us
        os.close(os.open("maildirfolder", flags, 0o600, dir_fd=maildir))


def remove_left_over(tmp: int, now_ns: int) -> None:
    """Remove what was last touched more than 36 hours ago; a link itself, never what it leads to.

    What the IMAP server puts there has the date of the message as its own, which may be years ago.
    """
    with os.scandir(tmp) as entries:
        for entry in entries:
            with suppress(OSError):
                found = entry.stat(follow_symlinks=False)
                if max(found.st_mtime_ns, found.st_ctime_ns) < now_ns - _LEFT_OVER_NS:
                    os.unlink(entry.name, dir_fd=tmp)
