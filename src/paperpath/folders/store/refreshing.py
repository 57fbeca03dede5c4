"""Bringing a folder's index up to date with its files, whoever changed them (requirement K-29).

Called by access.py with the folder's lock held. A directory is read where it changed since it was read last.
Its time of change is a tick's, several milliseconds at least, so a directory that changed in the moment it
was read may have changed again in the same one; and where we changed it ourselves, others may have done so
beside us. In both cases it is read once more when its last change is a second old, at the latest ten seconds
after the last reading, so a clock that jumps costs some readings at most.

A message is the part of its file's name before the colon; what follows are flags. Whatever is missing is
taken for gone only when both directories were read, that of new messages first, and neither changed
meanwhile.
"""

import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field

from paperpath.folders.store.files import FolderFiles, Listing, changed_ns, list_names
from paperpath.folders.store.flags import LETTERED_BITS, read_flags, split_entry
from paperpath.folders.store.index import CUR, NEW, FileRow, FolderState, Index
from paperpath.folders.store.keyword_file import read_keywords

_TICK_NS = 1_000_000_000
_PATIENCE_NS = 10_000_000_000
_ARRIVAL = re.compile(r"([0-9]{1,12})\.(?:M([0-9]{1,6})(?![0-9]))?")


@dataclass(slots=True)
class _Findings:
    """What a reading found. `missing`: names that are gone, with their UIDs."""

    listings: dict[int, Listing] = field(default_factory=dict)
    fresh: dict[str, tuple[int, str]] = field(default_factory=dict)
    missing: dict[tuple[int, str], int] = field(default_factory=dict)
    moved: list[tuple[int, str, int]] = field(default_factory=list)
    arrived: list[tuple[FileRow, int]] = field(default_factory=list)
    complete: bool = True

    @property
    def is_whole(self) -> bool:
        """Whether what is missing is gone."""
        return len(self.listings) == len((NEW, CUR)) and all(one.stable for one in self.listings.values())


def refresh(index: Index, files: FolderFiles, now_ns: int) -> None:
    """Read what may have changed, and bring the index up to date; new messages get UIDs, flushed."""
    state = index.state()
    parts = [
        part
        for part, known_ns, read_ns in (
            (NEW, state.new_ns, state.new_read_ns),
            (CUR, state.cur_ns, state.cur_read_ns),
        )
        if _is_due(changed_ns(files.parts[part]), known_ns, read_ns, now_ns)
    ]
    if not parts:
        return
    found = _read(index, files, parts)
    if found.missing and len(found.listings) == 1:
        found = _read(index, files, (NEW, CUR))
    _record(index, files, found, state, now_ns)


def _is_due(changed: int, known_ns: int, read_ns: int, now_ns: int) -> bool:
    """Tell whether a directory is to be read: it changed, or may have without showing it."""
    if changed != known_ns or now_ns < read_ns:
        return True
    if known_ns + _TICK_NS <= read_ns:
        return False
    return now_ns >= known_ns + _TICK_NS or now_ns >= read_ns + _PATIENCE_NS


def _read(index: Index, files: FolderFiles, parts: Iterable[int]) -> _Findings:
    found = _Findings()
    for part in parts:
        listing = found.listings[part] = list_names(files.parts[part])
        known = index.names(part)
        found.missing |= {(part, name): known[name] for name in known.keys() - listing.names}
        for name in sorted(listing.names - known.keys()):
            found.fresh[split_entry(name)[0]] = part, name  # who lies in cur, too, came from new meanwhile
    rows = index.find_bases(found.fresh) if found.fresh else {}
    for base, (part, name) in found.fresh.items():
        row = rows.get(base)
        if row is None:
            _take_arrival(files, part, name, found)
        elif found.missing.pop((row.part, row.name), None) is not None:
            found.moved.append((part, name, row.uid))
    return found


def _take_arrival(files: FolderFiles, part: int, name: str, found: _Findings) -> None:
    """Take note of a new message; what is no file is none."""
    try:
        there = os.stat(name, dir_fd=files.parts[part], follow_symlinks=False)
    except FileNotFoundError:
        found.complete = False
        return
    if stat.S_ISREG(there.st_mode):
        base, suffix = split_entry(name)
        row = FileRow(0, part, base, name, there.st_mtime_ns // 1000, there.st_ctime_ns // 1000)
        found.arrived.append((row, read_flags(suffix)))


def _record(index: Index, files: FolderFiles, found: _Findings, state: FolderState, now_ns: int) -> None:
    gone = sorted(found.missing.values()) if found.is_whole else []
    is_news = bool(found.moved or found.arrived or gone)
    with index.changing(flushed=is_news):
        if is_news:
            _learn_keywords(index, files, found)
            _record_news(index, found, gone)
        index.set_state(**_reading_times(found, now_ns))


def _record_news(index: Index, found: _Findings, gone: list[int]) -> None:
    modseq = index.raise_modseq()
    index.move_files(found.moved)
    said = {uid: read_flags(split_entry(name)[1]) for _, name, uid in found.moved}
    index.set_flags(_find_changed(index, said), modseq)
    found.arrived.sort(key=_arrival_order)
    uids = index.take_uids(len(found.arrived))
    index.add_files(row._replace(uid=uid) for uid, (row, _) in zip(uids, found.arrived, strict=True))
    index.add_messages(zip(uids, (flags for _, flags in found.arrived), strict=True), modseq)
    index.remove_messages(gone, modseq)


def _find_changed(index: Index, said: dict[int, int]) -> list[tuple[int, int]]:
    """Return the flags of messages that have others now; no name says keywords without a letter."""
    new = ((uid, flags, flags & ~LETTERED_BITS | said[uid]) for uid, flags, _ in index.flags(list(said)))
    return [(uid, flags) for uid, old, flags in new if flags != old]


def _learn_keywords(index: Index, files: FolderFiles, found: _Findings) -> None:
    """Find the names of keywords whose letters others use."""
    names = [name for _, name, _ in found.moved] + [row.name for row, _ in found.arrived]
    if index.flag_names().has_unnamed(read_flags(split_entry(name)[1]) for name in names):
        index.add_keywords(read_keywords(files.folder))


def _arrival_order(arrived: tuple[FileRow, int]) -> tuple[int, int, str]:
    """Return what orders messages by when they came: their names tell, or their dates do."""
    row = arrived[0]
    match = _ARRIVAL.match(row.base)
    if match is None:
        return *divmod(row.internal_us, 1_000_000), row.base
    return int(match[1]), int(match[2] or 0), row.base


def _reading_times(found: _Findings, now_ns: int) -> dict[str, int]:
    """Return what is known of the directories that were read; nothing, where that was not all there is."""
    times: dict[str, int] = {}
    for part, listing in found.listings.items():
        name = ("new", "cur")[part]
        is_sure = listing.stable and found.complete
        times |= {f"{name}_ns": listing.changed_ns if is_sure else -1, f"{name}_read_ns": now_ns}
    return times
