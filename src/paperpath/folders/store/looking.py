"""What happened in a folder since a session's snapshot: pure, over what the index says.

Called by open_folder.py.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

from paperpath.folders.store.errors import IndexTroubleError
from paperpath.folders.store.flags import FlagNames
from paperpath.folders.store.index import FolderState, Index, Listed
from paperpath.folders.store.values import Changes, MessageState, Snapshot, Uids

MOST_NEWS = 500  # are looked up one by one; and of as many messages the list is kept
NEWS_SHARE = 200  # or a share of a long list


def find_changes(index: Index, since: Snapshot, *, keep_departed: bool) -> Changes:
    """Return what happened since a snapshot, and the new one."""
    state, names = index.state(), index.flag_names()
    if state.modseq == since.modseq and (keep_departed or not since.departed):
        return Changes(replace(since, uid_next=state.uid_next))
    rows = index.changed(since.modseq)
    arrived = [uid for uid, _, _ in rows if uid >= since.uid_next]
    changed = _name_flags(((row for row in rows if row[0] < since.uid_next)), names)
    gone = since.departed | _find_departed(index, state, since)
    uids = since.uids if keep_departed else _without(since.uids, sorted(gone))
    if arrived:
        uids = _with(uids, arrived)
    snapshot = Snapshot(
        state.uid_validity,
        state.uid_next,
        state.modseq,
        uids,
        _add_recent(since, state),
        gone if keep_departed else frozenset(),
    )
    return Changes(snapshot, arrived, () if keep_departed else sorted(gone), changed)


def first_snapshot(index: Index) -> Snapshot:
    """Return a folder as it is."""
    state = index.state()
    recent = _add_recent(Snapshot(), state)
    return Snapshot(state.uid_validity, state.uid_next, state.modseq, list_uids(index, state), recent)


def list_uids(index: Index, state: FolderState) -> Uids:
    """Return the UIDs of all messages, found from the list that was kept once and what happened since then.

    Where that was much, the list is kept anew. With the folder's lock held.
    """
    listed = index.listed()
    if listed is None or listed.modseq < state.forgotten:
        uids, news = index.uids(), MOST_NEWS
    else:
        gone = [uid for uid in index.departed(listed.modseq) if uid < listed.uid_next]
        arrived = index.uids_from(listed.uid_next)
        uids = _without(listed.uids, gone)
        uids = _with(uids, arrived) if arrived else uids
        news = len(gone) + len(arrived)
    if len(uids) >= MOST_NEWS and news >= max(MOST_NEWS, len(uids) // NEWS_SHARE):
        with suppress(IndexTroubleError), index.changing(flushed=False):  # on a full disk mail is read, too
            index.keep_listed(Listed(state.uid_next, state.modseq, uids))
    return uids


def find_ranges(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Return ascending numbers as ranges."""
    ranges = list[tuple[int, int]]()
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = ranges[-1][0], number
        else:
            ranges.append((number, number))
    return ranges


def find_gaps(uids: Sequence[int], end: int) -> list[tuple[int, int]]:
    """Return the ranges of numbers from 1 up to `end`, without it, that are not among ascending ones."""
    gaps, last = list[tuple[int, int]](), 0
    for uid in (*uids, end):
        if uid > last + 1:
            gaps.append((last + 1, uid - 1))
        last = uid
    return gaps


def _name_flags(rows: Iterable[tuple[int, int, int]], names: FlagNames) -> list[MessageState]:
    return [MessageState(uid, names.to_flags(flags), modseq) for uid, flags, modseq in rows]


def _find_departed(index: Index, state: FolderState, since: Snapshot) -> frozenset[int]:
    if since.modseq >= state.forgotten:
        return frozenset(uid for uid in index.departed(since.modseq) if uid < since.uid_next)
    return frozenset(since.uids) - frozenset(index.uids())


def _with(uids: Uids, arrived: Sequence[int]) -> Uids:
    """Return ascending UIDs with others behind them."""
    if isinstance(uids, range) and arrived[-1] - arrived[0] == len(arrived) - 1:
        if not uids:
            return range(arrived[0], arrived[-1] + 1)
        if uids.stop == arrived[0]:
            return range(uids.start, arrived[-1] + 1)
    return array("I", uids) + array("I", arrived)


def _without(uids: Uids, gone: Sequence[int]) -> Uids:
    """Return ascending UIDs without some of them."""
    if not gone:
        return uids
    kept, begin = array("I"), 0
    for uid in gone:
        end = bisect_left(uids, uid, begin)
        kept.extend(uids[begin:end])
        begin = end + (end < len(uids) and uids[end] == uid)
    kept.extend(uids[begin:])
    return kept


def _add_recent(since: Snapshot, state: FolderState) -> tuple[tuple[int, int], ...]:
    """Return what is \\Recent to a session: what was before, and what no session has claimed yet."""
    first, last = state.first_unclaimed, state.uid_next - 1
    if first > last:
        return since.recent
    if since.recent and since.recent[-1][1] >= first - 1:
        return (*since.recent[:-1], (since.recent[-1][0], last))
    return (*since.recent, (first, last))
