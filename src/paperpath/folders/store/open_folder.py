"""A folder that a session has selected; see `OpenFolder` in interface.py.

Opened by tree.py. It holds descriptors and a connection to the index, which `rest` gives up until they are
needed again.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

from paperpath.folders.names import is_verbatim
from paperpath.folders.store.access import FolderAccess
from paperpath.folders.store.content import ServedFile
from paperpath.folders.store.errors import FolderLostError, MessageGoneError, NoFolderError
from paperpath.folders.store.expunging import expunge_messages
from paperpath.folders.store.flagging import change_flags
from paperpath.folders.store.index import FileRow
from paperpath.folders.store.looking import find_changes, find_gaps, find_ranges, first_snapshot
from paperpath.folders.store.measuring import find_file, measure_messages, open_file
from paperpath.folders.store.transfer import copy_messages, move_messages
from paperpath.folders.store.values import (
    Cached,
    Changes,
    Copied,
    Dates,
    FlagChange,
    Measure,
    MessageState,
    Snapshot,
    Stored,
)

_AHEAD = 50


class MaildirFolder:
    """An open folder of a Maildir."""

    def __init__(
        self, open_access: Callable[[], FolderAccess], find: Callable[[str], FolderAccess], *, read_only: bool
    ) -> None:
        """Open it; `find` opens others by name. Raises: NoFolderError."""
        self._open_access = open_access
        self._find = find
        self._read_only = read_only
        self._open: FolderAccess | None = open_access()
        self._validity, self._id = self._open.uid_validity, self._open.folder_id
        self._path = self._open.files.path
        self._starts: tuple[int, list[int]] = 0, [0]  # of the message that was read last
        self._ahead: dict[int, FileRow] = {}  # messages are mostly read one after the other

    @property
    def uid_validity(self) -> int:
        """UIDVALIDITY."""
        return self._validity

    @property
    def folder_id(self) -> str:
        """MAILBOXID."""
        return self._id

    @property
    def path(self) -> Path:
        """Where it lies, or lay."""
        return self._path

    @property
    def keywords(self) -> Sequence[str]:
        """Keywords that messages have or had."""
        with self._reading() as access:
            return [name for name in access.index.flag_names().keywords if name]

    @property
    def takes_keywords(self) -> bool:
        """Whether there is room for another."""
        with self._reading() as access:
            return access.index.flag_names().takes_keywords

    def look(self, since: Snapshot | None = None, *, keep_departed: bool = False) -> Changes:
        """Read what is new, and tell what happened since a snapshot."""
        with self._locked() as access:
            index = access.index
            if since is None:
                changes = Changes(first_snapshot(index))
            else:
                changes = find_changes(index, since, keep_departed=keep_departed)
            state = index.state()
            if not self._read_only and state.first_unclaimed < state.uid_next:
                with index.changing(flushed=False):
                    index.set_state(first_unclaimed=state.uid_next)
        return changes

    def first_unseen(self) -> int | None:
        """Return the first message that is not \\Seen."""
        with self._reading() as access:
            return access.index.first_unseen()

    def states(self, uids: Sequence[int], changed_since: int = 0) -> Iterator[MessageState]:
        """Give flags and mod-sequences."""
        with self._reading() as access:
            to_flags = access.index.flag_names().to_flags
            for uid, flags, modseq in access.index.flags(uids):
                if modseq > changed_since:
                    yield MessageState(uid, to_flags(flags), modseq)

    def departed_since(self, modseq: int) -> Sequence[tuple[int, int]]:
        """Return UIDs that went after a mod-sequence."""
        with self._reading() as access:
            state = access.index.state()
            if modseq >= state.forgotten:
                return find_ranges(access.index.departed(modseq))
            return find_gaps(access.index.uids(), state.uid_next)

    def dates(self, uids: Sequence[int]) -> Iterator[Dates]:
        """Give dates."""
        with self._reading() as access:
            for row in access.index.files(uids):
                yield Dates(row.uid, row.internal_us, row.saved_us)

    def measures(self, uids: Sequence[int]) -> Iterator[Measure]:
        """Give lengths and identities."""
        with self._reading() as access:
            yield from measure_messages(access, uids)

    def cached(self, kind: Cached, uids: Sequence[int]) -> Mapping[int, bytes]:
        """Return what was kept of messages."""
        with self._reading() as access:
            return access.index.cached(kind.value, uids)

    def keep_cached(self, kind: Cached, octets: Mapping[int, bytes]) -> None:
        """Keep something of messages."""
        with self._reading() as access, access.files.locked(), access.index.changing(flushed=False):
            access.index.keep_cached(kind.value, octets)

    def open_message(self, uid: int) -> AbstractContextManager[ServedFile]:
        """Open a message."""
        row, descriptor = self._open_ahead(uid) or self._open_file(uid)
        if self._starts[0] != uid:
            self._starts = uid, [0]
        return closing(ServedFile(descriptor, verbatim=is_verbatim(row.base), starts=self._starts[1]))

    def store_flags(
        self,
        uids: Sequence[int],
        change: FlagChange,
        flags: Iterable[str],
        unchanged_since: int | None = None,
    ) -> Stored:
        """Change flags."""
        with self._locked() as access:
            return change_flags(access, uids, change, frozenset(flags), unchanged_since)

    def expunge(self, uids: Sequence[int] | None = None) -> Sequence[int]:
        """Remove what is \\Deleted."""
        with self._locked() as access:
            return expunge_messages(access, uids)

    def copy(self, uids: Sequence[int], target: str) -> Copied:
        """Copy messages into a folder."""
        with self._reading() as access, self._target(target) as there:
            return copy_messages(access, uids, there)

    def move(self, uids: Sequence[int], target: str) -> Copied:
        """Move messages into a folder."""
        with self._reading() as access, self._target(target) as there:
            return move_messages(access, uids, there)

    def rest(self) -> None:
        """Let go until the next method is called."""
        self._ahead = {}
        if self._open is not None:
            self._open.close()
            self._open = None

    def close(self) -> None:
        """Let go for good."""
        self.rest()

    def _access(self) -> FolderAccess:
        if self._open is None:
            try:
                self._open = self._open_access()
            except NoFolderError as error:
                raise FolderLostError("the folder is no more") from error
        if self._open.folder_id != self._id:
            raise FolderLostError("the folder is another")
        return self._open

    @contextmanager
    def _reading(self) -> Iterator[FolderAccess]:
        access = self._access()
        with access.reading():
            yield access

    @contextmanager
    def _locked(self) -> Iterator[FolderAccess]:
        access = self._access()
        with access.locked():
            yield access

    @contextmanager
    def _target(self, name: str) -> Iterator[FolderAccess]:
        access = self._find(name)
        try:
            yield access
        finally:
            access.close()

    def _open_ahead(self, uid: int) -> tuple[FileRow, int] | None:
        """Open a message's file where it was when it, or one not far before it, was asked for."""
        if uid not in self._ahead:
            with self._reading() as access:
                self._ahead = {row.uid: row for row in access.index.files_from(uid, _AHEAD)}
        row = self._ahead.get(uid)
        descriptor = None if row is None else open_file(self._access(), row)
        if row is None or descriptor is None:
            self._ahead = {}
            return None
        return row, descriptor

    def _open_file(self, uid: int) -> tuple[FileRow, int]:
        with self._reading() as access:
            found = find_file(access, uid)
        if found is None:
            raise MessageGoneError(uid)
        return found
