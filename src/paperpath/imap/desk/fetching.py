"""FETCH: what is told of messages (RFC 9051 §6.4.5 and the extensions).

The response of a large message is written piece by piece, so the message is never in memory as a whole; those
of small ones are put together.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence

from paperpath.folders.store.errors import MessageGoneError, StoreError
from paperpath.folders.store.values import SEEN, FlagChange
from paperpath.imap.commands import Fetch
from paperpath.imap.completion import bad, no, ok
from paperpath.imap.desk.columns import are_short, write_columns
from paperpath.imap.desk.desk import BrokenOffError, Deed, Desk
from paperpath.imap.desk.fetched_items import ItemError, Pieces, write_item
from paperpath.imap.desk.message import Batch, Message, batches
from paperpath.imap.desk.selected import Selected
from paperpath.imap.desk.selecting import write_departed_since
from paperpath.imap.fetch_items import Attribute, FetchItem, response_name, sets_seen
from paperpath.imap.sets import SequenceSet

_GONE = no("Some of the messages are gone", "EXPUNGEISSUED")  # RFC 5530 §3
_PIECE_OCTETS = 16 * 1024
NO_SUCH_NUMBER = bad("There is no message of that number")


def fetch(desk: Desk, command: Fetch) -> Deed:
    """Answer FETCH. Messages that are gone are passed over, and said to be so at the end."""
    selected = desk.selected
    assert selected is not None
    if not command.by_uid and selected.names_missing(command.messages):
        return NO_SUCH_NUMBER
    uids = selected.find(command.messages, by_uid=command.by_uid)
    if command.vanished and isinstance(command.messages, SequenceSet) and command.changed_since is not None:
        yield from write_departed_since(selected, command.changed_since, command.messages)
    if command.changed_since is not None:
        uids = [state.uid for state in selected.folder.states(uids, command.changed_since)]
    all_there = True
    for some in batches(uids, large=are_short(command.items)):
        try:
            all_there &= yield from _fetch_batch(selected, some, command.items)
        except ItemError as error:
            return error.completion
    return ok("That is all") if all_there else _GONE


def _fetch_batch(
    selected: Selected, uids: Sequence[int], items: tuple[FetchItem, ...]
) -> Generator[bytes, None, bool]:
    """Write some messages; return whether all were there."""
    batch = Batch(selected, uids)
    seen_now: frozenset[int] = frozenset()
    if not selected.read_only and any(map(sets_seen, items)):
        seen_now = _set_seen(batch)
    yield from selected.write_new_keywords(batch.states.values() if Attribute.FLAGS in items else ())
    if (together := write_columns(batch, items)) is not None:
        yield together
        return True
    plain, with_flags = _name_items(items), _name_items(_with_flags(items, selected))
    all_there = True
    written: list[bytes] = []
    for uid in uids:
        with Message(batch, uid) as message:
            try:
                values = [
                    (name, write_item(item, message))
                    for name, item in (with_flags if uid in seen_now else plain)
                ]
            except MessageGoneError:
                all_there = False
                continue
            if all(isinstance(pieces, tuple) for _, pieces in values):
                written += _write(message, values)
            else:
                yield b"".join(written)
                written.clear()
                yield from _write(message, values)
        if sum(map(len, written)) >= _PIECE_OCTETS:
            yield b"".join(written)
            written.clear()
    yield b"".join(written)
    batch.store()
    return all_there


def _name_items(items: Iterable[FetchItem]) -> list[tuple[bytes, FetchItem]]:
    """Return items, each behind its name as it is written."""
    return [(response_name(item).encode("ascii"), item) for item in items]


def _set_seen(batch: Batch) -> frozenset[int]:
    """Set \\Seen where it is not; return of which messages."""
    unseen = [uid for uid, state in batch.states.items() if SEEN not in state.flags]
    if not unseen:
        return frozenset()
    stored = batch.selected.folder.store_flags(unseen, FlagChange.ADD, [SEEN])
    batch.selected.note_told(stored.states)
    batch.states.update((state.uid, state) for state in stored.states)
    return frozenset(state.uid for state in stored.states)


def _with_flags(items: tuple[FetchItem, ...], selected: Selected) -> tuple[FetchItem, ...]:
    """Return what is told of a message that was seen just now."""
    told = {
        Attribute.UID: selected.shows_uid,
        Attribute.FLAGS: True,
        Attribute.MODSEQ: selected.shows_modseq,
    }
    return (*items, *(item for item, is_told in told.items() if is_told and item not in items))


def _write(message: Message, values: Sequence[tuple[bytes, Pieces]]) -> Iterator[bytes]:
    """Write one response. Raises: BrokenOffError, where octets that were announced cannot be read."""
    yield b"* %d FETCH (" % message.number
    try:
        for place, (name, pieces) in enumerate(values):
            yield (b" " if place else b"") + name + b" "
            yield from pieces
    except (OSError, StoreError) as error:
        raise BrokenOffError("a message cannot be read to its end") from error
    yield b")\r\n"
