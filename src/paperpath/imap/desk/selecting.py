"""SELECT, EXAMINE, and the ways to leave a mailbox (RFC 9051 §6.3.2, §6.3.3, §6.4.1, §6.4.2)."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from paperpath.folders.store.values import MessageState
from paperpath.imap import responses
from paperpath.imap.commands import Close, QuickResync, Select, Unselect
from paperpath.imap.completion import ok
from paperpath.imap.desk.desk import Deed, Desk
from paperpath.imap.desk.selected import Selected
from paperpath.imap.extensions import Extension
from paperpath.imap.sets import SequenceSet


def select(desk: Desk, command: Select) -> Deed:
    """Select a mailbox; the one before it is left whatever comes of it."""
    dialect = desk.dialect
    if desk.selected is not None:
        desk.leave()
        if dialect.is_enabled(Extension.QRESYNC) or dialect.is_enabled(Extension.REV2):
            yield _say("Left", "CLOSED")
    folder = desk.store.open(command.mailbox, read_only=command.read_only)
    try:
        selected = Selected(command.mailbox, folder, dialect, read_only=command.read_only)
    except BaseException:
        folder.close()
        raise
    desk.selected = selected
    yield from _describe(desk, selected)
    if command.resync is not None:
        yield from _resync(selected, command.resync)
    return ok("Selected", "READ-ONLY" if command.read_only else "READ-WRITE")


def close(desk: Desk, _: Close) -> Deed:
    """Remove what is \\Deleted, say nothing of it, and leave."""
    selected = desk.selected
    if selected is not None and not selected.read_only:
        selected.folder.expunge()
    desk.leave()
    yield from ()
    return ok("Closed")


def unselect(desk: Desk, _: Unselect) -> Deed:
    """Leave, and remove nothing."""
    desk.leave()
    yield from ()
    return ok("Left")


def _describe(desk: Desk, selected: Selected) -> Iterator[bytes]:
    """Write what is told of a mailbox that is selected."""
    snapshot, folder = selected.snapshot, selected.folder
    yield selected.show_flags()
    yield responses.write_exists(len(snapshot.uids))
    if selected.shows_recent:
        yield responses.write_recent(snapshot.count_recent())
        if (unseen := folder.first_unseen()) is not None and selected.shows(unseen):
            number = selected.number_of(unseen)
            yield _say("The first that is not seen", f"UNSEEN {number}")
    else:
        yield responses.write_list(desk.show_name(selected.name), ())
    yield _say("UIDs are valid", f"UIDVALIDITY {snapshot.uid_validity}")
    yield _say("The next UID", f"UIDNEXT {snapshot.uid_next}")
    if desk.dialect.knows(Extension.CONDSTORE):
        yield selected.show_modseq()
    if desk.dialect.knows(Extension.OBJECTID):
        yield _say("Ready", f"MAILBOXID ({folder.folder_id})")


def _resync(selected: Selected, known: QuickResync) -> Iterator[bytes]:
    """Write what happened since the client was here (RFC 7162 §3.2.5); its matches save nothing here.

    Each message that is shown and came or changed since then is told of, or the client could not number those
    it knows. What happened since the look is news: a client that was told of a later mod-sequence, and is cut
    off then, would never ask for what departed before that.
    """
    if known.uid_validity != selected.snapshot.uid_validity:
        return
    wanted = known.known if known.known is not None else SequenceSet(((1, selected.snapshot.uid_next),))
    yield from write_departed_since(selected, known.modseq, wanted)
    uids = selected.find(wanted, by_uid=True)
    last = selected.snapshot.modseq
    changed = selected.folder.states(uids, known.modseq)
    states = {state.uid: state._replace(modseq=min(state.modseq, last)) for state in changed}
    for low, high in selected.folder.departed_since(last):
        for uid in uids[bisect_left(uids, low) : bisect_right(uids, high)]:
            states.setdefault(uid, MessageState(uid, frozenset(), last))
    told = sorted(states.values())
    yield from selected.write_states(told, shows_uid=True, shows_modseq=True)


def write_departed_since(selected: Selected, modseq: int, wanted: SequenceSet) -> Iterator[bytes]:
    """Write which of some UIDs went after a mod-sequence (VANISHED (EARLIER)); what is shown goes later."""
    greatest = selected.snapshot.uid_next - 1
    gone = _cut_out(selected.folder.departed_since(modseq), selected.snapshot.uids)
    ranges = _cut(gone, wanted.resolve(greatest)) if greatest > 0 else []
    if ranges:
        shown = ",".join(str(low) if low == high else f"{low}:{high}" for low, high in ranges)
        yield b"* VANISHED (EARLIER) " + shown.encode("ascii") + b"\r\n"


def _cut_out(ranges: Sequence[tuple[int, int]], shown: Sequence[int]) -> list[tuple[int, int]]:
    """Return ranges without numbers that are among others, which ascend."""
    left = list[tuple[int, int]]()
    for low, high in ranges:
        for uid in shown[bisect_left(shown, low) : bisect_right(shown, high)]:
            if low < uid:
                left.append((low, uid - 1))
            low = uid + 1
        if low <= high:
            left.append((low, high))
    return left


def _cut(ranges: list[tuple[int, int]], wanted: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    """Return what two lists of ranges, which ascend, have in common."""
    common, place = [], 0
    for low, high in ranges:
        while place < len(wanted) and wanted[place][1] < low:
            place += 1
        at = place
        while at < len(wanted) and wanted[at][0] <= high:
            common.append((max(low, wanted[at][0]), min(high, wanted[at][1])))
            at += 1
    return common


def _say(text: str, code: str) -> bytes:
    return responses.write_completion("", ok(text, code))
