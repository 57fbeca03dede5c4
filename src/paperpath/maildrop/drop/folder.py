"""The drop directory as the post office sees it: what lies there; what is put aside or removed (attack L-2).

Anybody on this host may write here, so there may be a million files, and anything but files. Whatever is
looked at, opened or moved is named relative to the open directory, and no link is followed. One walk takes at
most some files of one owner: who leaves a million of them delays nobody else by more than the walk. All calls
block, so they are made in threads: `look` in one at a time.
"""

import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from pathlib import Path

from paperpath.maildrop.drop.format import NAME_DIGITS, PARTIAL_PREFIX, WHOLE_PREFIX, DropError
from paperpath.maildrop.drop.reader import DropFile, name_of_key, open_drop
from paperpath.service.durable import open_directory

MOST_FILES_OF_ONE = 100  # in one walk
MOST_OCTETS_OF_ONE = 100 * 2**20  # likewise; the first file counts as none, or a big one would never be taken
LOOK = 5000  # entries at one look: some ten milliseconds
LONGEST_PARTIAL_S = 36 * 3600  # D-16

_DIGITS = f"[0-9a-f]{{{NAME_DIGITS}}}"
_WHOLE = re.compile(WHOLE_PREFIX + _DIGITS)
_PARTIAL = re.compile(PARTIAL_PREFIX + _DIGITS)


class Fate(Enum):
    """What is to be done with what lies in the directory."""

    TAKE = "take"
    WAIT = "wait"
    REMOVE = "remove"
    ASIDE = "aside"


@dataclass(frozen=True, slots=True)
class Found:
    """Something in the directory that is to be dealt with; `reason` says why it is put aside, if it is."""

    name: str
    uid: int
    octets: int
    fate: Fate
    reason: str = ""


def judge(name: str, status: os.stat_result, now_s: float) -> Found:
    """Decide what is to be done with an entry of the directory, by its name and status: pure.

    The owner can set the time of the last writing as they like, but that of the last change only to now, so
    a file is as old as the older of both; else one from the future would stay for ever.
    """
    uid, octets = status.st_uid, status.st_size
    if not stat.S_ISREG(status.st_mode):
        return Found(name, uid, octets, Fate.ASIDE, "this is no regular file")
    if _WHOLE.fullmatch(name):
        return Found(name, uid, octets, Fate.TAKE)
    if not _PARTIAL.fullmatch(name):
        return Found(name, uid, octets, Fate.ASIDE, "its name is none that a writer gives")
    age_s = now_s - min(status.st_mtime, status.st_ctime)
    return Found(name, uid, octets, Fate.REMOVE if age_s > LONGEST_PARTIAL_S else Fate.WAIT)


class DropFolder:
    """The open directory, and the one beside it for what is put aside."""

    def __init__(self, folder: Path, damaged: Path) -> None:
        """Open both. Raises: OSError; DropError, if they are not ours."""
        self._directory = open_directory(folder)
        try:
            self._damaged = open_directory(damaged)
        except BaseException:
            os.close(self._directory)
            raise
        self._walk: Iterator[os.DirEntry[str]] | None = None
        self._end_walk: Callable[[], None] = lambda: None
        self._files: Counter[int] = Counter()
        self._octets: Counter[int] = Counter()
        self.passed_over = False
        """Whether the present or last walk left out files of somebody who had more than their share."""
        for opened, path in ((self._directory, folder), (self._damaged, damaged)):
            if os.fstat(opened).st_uid != os.geteuid():
                self.close()
                raise DropError(f"{path} does not belong to the user of this program")

    def look(self, limit: int, now_s: float) -> list[Found] | None:
        """Walk on, over some entries; return at most `limit` to deal with, `None` where the walk ended.

        Raises: OSError.
        """
        if self._walk is None:
            self._begin_walk()
        assert self._walk is not None
        found: list[Found] = []
        for looked, entry in enumerate(islice(self._walk, LOOK), 1):
            with suppress(FileNotFoundError):  # its owner took it back
                judged = judge(entry.name, entry.stat(follow_symlinks=False), now_s)
                if judged.fate is not Fate.WAIT and self._is_within_share(judged):
                    found.append(judged)
            if looked == LOOK or len(found) == limit:
                return found
        self._walk = None
        return found or None

    def open(self, found: Found, most_octets: int) -> DropFile:
        """Open a file that is to be taken; see `open_drop`."""
        return open_drop(self._directory, found.name, most_octets)

    def remove(self, name: str, identity: tuple[int, int] | None = None) -> None:
        """Remove a file, if it is still the one that was opened. Raises: OSError."""
        with suppress(FileNotFoundError):
            status = os.stat(name, dir_fd=self._directory, follow_symlinks=False)
            if identity in (None, (status.st_dev, status.st_ino)):
                os.unlink(name, dir_fd=self._directory)

    def find_gone(self, keys: Sequence[str]) -> list[str]:
        """Return the keys of files that are no longer there. Raises: OSError."""
        return [key for key in keys if (name := name_of_key(key)) is not None and not self._has(name)]

    def put_aside(self, name: str) -> str | None:
        """Move a thing to the damaged ones, under a new name of ours, which is returned.

        An empty folder is removed instead, and gives an empty name. `None`: it was gone. Raises: OSError, as
        for a folder with something in it, which only its owner can move.
        """
        new = os.urandom(NAME_DIGITS // 2).hex()
        try:
            os.rename(name, new, src_dir_fd=self._directory, dst_dir_fd=self._damaged)
        except FileNotFoundError:
            return None
        except OSError:
            os.rmdir(name, dir_fd=self._directory)
            return ""
        return new

    def flush(self) -> None:
        """Make durable what was removed and put aside. Raises: OSError."""
        os.fsync(self._damaged)
        os.fsync(self._directory)

    def close(self) -> None:
        """Let go. Where that fails nothing is lost, for nothing was written by what is closed."""
        self._end_walk()
        for descriptor in (self._damaged, self._directory):
            with suppress(OSError):
                os.close(descriptor)

    def _has(self, name: str) -> bool:
        try:
            os.stat(name, dir_fd=self._directory, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    def _begin_walk(self) -> None:
        self._files.clear()
        self._octets.clear()
        self.passed_over = False
        walk = os.scandir(self._directory)
        self._walk, self._end_walk = walk, walk.close

    def _is_within_share(self, found: Found) -> bool:
        uid = found.uid
        if self._files[uid] >= MOST_FILES_OF_ONE or self._octets[uid] >= MOST_OCTETS_OF_ONE:
            self.passed_over = True
            return False
        self._files[uid] += 1
        self._octets[uid] += found.octets
        return True
