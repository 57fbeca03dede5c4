"""Whether the disk has room for more mail: below a floor nothing new is begun (attack S-3, requirement D-5).

Room is octets, and files: a large content is one, and so is every message in a mailbox.

What is on its way is finished and what was taken is delivered, which frees space again.
"""

import os
import time
from pathlib import Path

LEAST_FREE_FILES = 1000
_LOOK_EVERY_S = 1.0


class FreeSpace:
    """Looks at the file system of the maildrop, once a second at most."""

    def __init__(self, folder: Path, least_octets: int) -> None:
        """Take the folder, which need not be looked at yet, and the floor."""
        self._folder = folder
        self._least = least_octets
        self._free = 0
        self._looked_s = -_LOOK_EVERY_S

    def has_room(self, octets: int) -> bool:
        """Tell whether the floor would hold with that much more; a disk that cannot be asked has no room."""
        now_s = time.monotonic()
        if now_s - self._looked_s >= _LOOK_EVERY_S:
            self._looked_s = now_s
            self._free = self._look()
        return self._free - octets >= self._least

    def _look(self) -> int:
        try:
            found = os.statvfs(self._folder)
        except OSError:
            return -1
        counts_files = found.f_files > 0  # some file systems make room for them as they go
        if counts_files and found.f_favail < LEAST_FREE_FILES:
            return -1
        return found.f_bavail * found.f_frsize
