"""STORE: flags change in the files' names, which are flushed, and in the index (requirement F-8).

Called by open_folder.py with the folder's lock held. The names come first: where the process is killed in
between, the next look reads them, and what was acknowledged is never lost.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from paperpath.folders.store.access import FolderAccess
from paperpath.folders.store.flags import LETTERED_BITS, FlagNames, split_entry, write_flags
from paperpath.folders.store.index import CUR, FileRow
from paperpath.folders.store.values import FlagChange, MessageState, Stored

_TRIES = 3  # where another program renames files at the same time


@dataclass(slots=True)
class _Work:
    """What is to be changed, and what was."""

    change: FlagChange
    mask: int
    unchanged_since: int | None
    modified: set[int] = field(default_factory=set)
    done: list[tuple[int, int]] = field(default_factory=list)
    moved: list[tuple[int, str, int]] = field(default_factory=list)
    touched: set[int] = field(default_factory=set)
    missed: bool = False

    def apply(self, flags: int) -> int:
        """Return flags as they are to be."""
        match self.change:
            case FlagChange.SET:
                return self.mask
            case FlagChange.ADD:
                return flags | self.mask
            case FlagChange.REMOVE:
                return flags & ~self.mask


def change_flags(
    access: FolderAccess,
    uids: Sequence[int],
    change: FlagChange,
    flags: Iterable[str],
    unchanged_since: int | None,
) -> Stored:
    """Change flags of messages. Raises: OSError; TooManyKeywordsError."""
    names = _find_names(access, change, frozenset(flags))
    modified = set[int]()
    wanted = list(uids)
    for _ in range(_TRIES):
        work = _Work(change, names.to_number(flags), unchanged_since, modified)
        _change_all(access, wanted, work)
        if not work.missed:
            break
        access.doubt()
    rows = access.index.flags([uid for uid in uids if uid not in modified])
    states = [MessageState(uid, names.to_flags(number), modseq) for uid, number, modseq in rows]
    return Stored(states, sorted(modified))


def _find_names(access: FolderAccess, change: FlagChange, flags: frozenset[str]) -> FlagNames:
    return access.index.flag_names() if change is FlagChange.REMOVE else access.adopt_keywords(flags)


def _change_all(access: FolderAccess, uids: Sequence[int], work: _Work) -> None:
    wanted = dict[int, int]()
    for uid, old, modseq in access.index.flags(uids):
        if work.unchanged_since is not None and modseq > work.unchanged_since:
            work.modified.add(uid)
        elif (new := work.apply(old)) != old:
            wanted[uid] = new
            if not (new ^ old) & LETTERED_BITS:  # no name tells it
                work.done.append((uid, new))
    named = wanted.keys() - {uid for uid, _ in work.done}
    try:
        for row in access.index.files(sorted(named)):
            _rename(access, row, wanted[row.uid], work)
        if work.moved:
            os.fsync(access.files.cur)
    finally:
        _record(access, work)


def _rename(access: FolderAccess, row: FileRow, flags: int, work: _Work) -> None:
    name = row.base + write_flags(split_entry(row.name)[1], flags)
    parts = access.files.parts
    try:
        if (row.part, row.name) != (CUR, name):
            os.rename(row.name, name, src_dir_fd=parts[row.part], dst_dir_fd=parts[CUR])
    except FileNotFoundError:
        work.missed = True
        return
    work.done.append((row.uid, flags))
    work.moved.append((CUR, name, row.uid))
    work.touched |= {row.part, CUR}


def _record(access: FolderAccess, work: _Work) -> None:
    if not work.done:
        return
    index = access.index
    with index.changing():
        index.set_flags(work.done, index.raise_modseq())
        index.move_files(work.moved)
        access.note_times(*work.touched)
