"""STORE, COPY, MOVE and EXPUNGE (RFC 9051 §6.4.3, §6.4.6 to §6.4.8, RFC 4315, RFC 7162 §3.1.3)."""

from paperpath.folders.store.errors import MessageGoneError
from paperpath.folders.store.values import Copied, FlagChange
from paperpath.imap import responses
from paperpath.imap.commands import Copy, Expunge, Move, Store, StoreMode
from paperpath.imap.completion import no, ok
from paperpath.imap.desk.desk import Deed, Desk
from paperpath.imap.desk.fetching import NO_SUCH_NUMBER
from paperpath.imap.desk.selected import Selected
from paperpath.imap.extensions import Extension
from paperpath.imap.sets import write_numbers

READ_ONLY = no("The mailbox was opened to be read only", "READ-ONLY")
_GONE = no("Some of the messages are gone; nothing was done", "EXPUNGEISSUED")
_CHANGES = {
    StoreMode.REPLACE: FlagChange.SET,
    StoreMode.ADD: FlagChange.ADD,
    StoreMode.REMOVE: FlagChange.REMOVE,
}


def store(desk: Desk, command: Store) -> Deed:
    """Change flags."""
    selected = desk.selected
    assert selected is not None
    if selected.read_only:
        return READ_ONLY
    if not command.by_uid and selected.names_missing(command.messages):
        return NO_SUCH_NUMBER
    uids = selected.find(command.messages, by_uid=command.by_uid)
    change = _CHANGES[command.mode]
    stored = selected.folder.store_flags(uids, change, command.flags, command.unchanged_since)
    selected.note_told(stored.states)
    yield from selected.write_new_keywords(stored.states)
    # Even with .SILENT mod-sequences are told (RFC 7162 §3.1.3).
    if selected.shows_modseq or not command.silent:
        yield from selected.write_states(
            stored.states, shows_uid=command.by_uid or selected.shows_uid, shows_flags=not command.silent
        )
    if not stored.modified:
        return ok("Done")
    numbers = stored.modified if command.by_uid else map(selected.number_of, stored.modified)
    return ok("Some had changed meanwhile", f"MODIFIED {write_numbers(numbers)}")


def expunge(desk: Desk, command: Expunge) -> Deed:
    """Remove what is \\Deleted, of all messages or of some, and tell which those were."""
    selected = desk.selected
    assert selected is not None
    if selected.read_only:
        return READ_ONLY
    uids = None if command.uids is None else selected.find(command.uids, by_uid=True)
    selected.folder.expunge(uids)
    yield from selected.news(may_expunge=True)
    return ok("Done", _modseq_behind(desk, selected))


def copy(desk: Desk, command: Copy) -> Deed:
    """Copy messages, all or none."""
    selected = desk.selected
    assert selected is not None
    yield from ()
    if not command.by_uid and selected.names_missing(command.messages):
        return NO_SUCH_NUMBER
    uids = selected.find(command.messages, by_uid=command.by_uid)
    if not uids:
        return ok("There was nothing to copy")
    try:
        copied = selected.folder.copy(uids, command.mailbox)
    except MessageGoneError:
        return _GONE
    return ok("Copied", _copy_uid(copied))


def move(desk: Desk, command: Move) -> Deed:
    """Move messages, all or none; what came of it is told before the news that they are gone (K-19)."""
    selected = desk.selected
    assert selected is not None
    if selected.read_only:
        return READ_ONLY
    if not command.by_uid and selected.names_missing(command.messages):
        return NO_SUCH_NUMBER
    uids = selected.find(command.messages, by_uid=command.by_uid)
    if not uids:
        return ok("There was nothing to move")
    try:
        moved = selected.folder.move(uids, command.mailbox)
    except MessageGoneError:
        return _GONE
    if moved.uids:
        yield responses.write_completion("", ok("Moved", _copy_uid(moved)))
    yield from selected.news(may_expunge=True)
    return ok("Done", _modseq_behind(desk, selected))


def _modseq_behind(desk: Desk, selected: Selected) -> str:
    """Write the highest mod-sequence behind a removal (RFC 7162 §3.2.7, §3.2.9; RFC 6851 §4.4)."""
    if not desk.dialect.is_enabled(Extension.QRESYNC):
        return ""
    return f"HIGHESTMODSEQ {max(selected.snapshot.modseq, 1)}"


def _copy_uid(copied: Copied) -> str:
    """Write which message became which (RFC 4315 §3); empty where there was none."""
    if not copied.uids:
        return ""
    source, target = write_numbers(copied.uids), write_numbers(copied.arrival.uids)
    return f"COPYUID {copied.arrival.uid_validity} {source} {target}"
