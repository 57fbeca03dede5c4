"""A folder's files and its index, opened together, and kept in step.

Used by whatever works on a folder. `locked` gives it up to date: what a killed process began is completed
first (landing.py), then what others did is read (refreshing.py).
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import apsw

from paperpath.folders.store.errors import FolderLostError, IndexTroubleError, NoFolderError
from paperpath.folders.store.files import FolderFiles, changed_ns
from paperpath.folders.store.flags import LETTERED_KEYWORDS, FlagNames
from paperpath.folders.store.home import Home
from paperpath.folders.store.index import CUR, NEW, Index
from paperpath.folders.store.index_file import discard_index, identify_index, is_damaged, open_index
from paperpath.folders.store.keyword_file import read_keywords, write_keywords
from paperpath.folders.store.refreshing import refresh
from paperpath.folders.store.resuming import resume
from paperpath.folders.upkeep import remove_left_over


class FolderAccess:
    """An open folder. Raises: OSError; IndexTroubleError; FolderLostError, where it is another."""

    def __init__(self, home: Home, step: str) -> None:
        """Open it; `step` is its directory in the mailbox. Raises: NoFolderError."""
        self.home = home
        try:
            self.files = FolderFiles(home.root, home.mailbox, step)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NoFolderError("there is no such folder") from error
        try:
            self.index = self._open_index()
            state = self.index.state()
            is_complete = not self.index.coming()
        except BaseException:
            self.files.close()
            raise
        if is_complete:  # else what lies in tmp may be what the index expects, however old
            with suppress(OSError):  # what cannot be removed harms nobody
                remove_left_over(self.files.tmp, home.clock_ns())
        self.uid_validity = state.uid_validity
        self.folder_id = state.folder_id

    def close(self) -> None:
        """Let go."""
        try:
            self.index.close()
        finally:
            self.files.close()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep others out, and have the index say what lies in the folder."""
        with self.files.locked(), self._discarding_damage():
            if identify_index(self.files.home, self.files.step) != self._identity:
                raise FolderLostError("the folder is no more, or its index is another")
            resume(self.index, self.files)
            refresh(self.index, self.files, self.home.clock_ns())
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Look at the index as it is."""
        with self._discarding_damage():
            yield

    def doubt(self) -> None:
        """Have both directories read again at once; with the lock held."""
        with self.index.changing(flushed=False):
            self.index.set_state(new_ns=-1, cur_ns=-1)
        refresh(self.index, self.files, self.home.clock_ns())

    def note_times(self, *parts: int) -> None:
        """Note, after we changed directories ourselves, that we know what is in them.

        That is true where we knew before, which `locked` saw to; if others were at work beside us, the
        reading that follows in a while shows it.
        """
        state = self.index.state()
        known = {NEW: ("new_ns", state.new_ns), CUR: ("cur_ns", state.cur_ns)}
        times = {known[part][0]: changed_ns(self.files.parts[part]) for part in parts if known[part][1] >= 0}
        if times:
            self.index.set_state(**times)

    def adopt_keywords(self, flags: Iterable[str]) -> FlagNames:
        """Return the names of flags, with those that the folder did not have; flushed, in its files too.

        Raises: TooManyKeywordsError.
        """
        wanted = list(flags)
        names = self.index.flag_names()
        if not names.find_new(wanted):
            return names
        there = read_keywords(self.files.folder)  # another program may have added some
        with self.index.changing():
            self.index.add_keywords(there)
            names = self.index.flag_names()
            first = len(names.keywords)
            new = names.find_new(wanted)
            self.index.add_keywords({first + place: name for place, name in enumerate(new)})
            names = self.index.flag_names()
            if first < LETTERED_KEYWORDS:
                write_keywords(self.files.folder, names.keywords)
        return names

    def _open_index(self) -> Index:
        with self.files.locked():
            connection = open_index(self.files.path, self.files.folder, self.home.next_validity)
            self._identity = identify_index(self.files.home, self.files.step)
        return Index(connection)

    @contextmanager
    def _discarding_damage(self) -> Iterator[None]:
        try:
            yield
        except FolderLostError as error:
            if isinstance(error.__cause__, apsw.Error):
                if not is_damaged(self.files.path):
                    raise IndexTroubleError("the index could not be read") from error
                discard_index(self.files.folder)
            raise


@contextmanager
def both_locked(first: FolderAccess, second: FolderAccess) -> Iterator[None]:
    """Lock two folders, which may be one, always in the same order."""
    pair = sorted({access.files.step: access for access in (first, second)}.items())
    with ExitStack() as locks:
        for _, access in pair:
            locks.enter_context(access.locked())
        yield
