"""SEARCH, SORT and THREAD: messages found by a key, and how they are told (RFC 9051 §6.4.4, RFC 5256).

A search gives others their turn after every batch, or after every message, however long it takes.
"""

from collections.abc import Generator, Iterable, Sequence

from paperpath.folders.store.errors import MessageGoneError
from paperpath.imap import responses
from paperpath.imap.commands import Search, SearchReturn, Sort, Thread
from paperpath.imap.completion import ok
from paperpath.imap.content.search import prepare_search, takes_long
from paperpath.imap.content.searched import SearchContext
from paperpath.imap.content.sorting import sort_messages
from paperpath.imap.content.summaries import Summary, summarise
from paperpath.imap.content.threads import thread_messages
from paperpath.imap.desk.desk import Deed, Desk
from paperpath.imap.desk.message import Batch, Message, batches
from paperpath.imap.desk.selected import Selected
from paperpath.imap.enabling import asks_for_modseq
from paperpath.imap.search_keys import SearchKey
from paperpath.imap.sets import write_numbers

_DONE = ok("That is all")


def search(desk: Desk, command: Search, tag: str) -> Deed:
    """Answer SEARCH."""
    selected = desk.selected
    assert selected is not None
    if command.refusal is not None:
        selected.saved = frozenset()
        return command.refusal
    found = yield from _find(desk, selected, command.key)
    numbers = found if command.by_uid else [selected.number_of(uid) for uid in found]
    returned = found if command.returns is None else _choose_returned(found, command.returns)
    modseq = _find_modseq(selected, command, returned)
    if command.returns is None:
        yield responses.write_search(numbers, modseq=modseq)
        return _DONE
    if SearchReturn.SAVE in command.returns:
        selected.saved = frozenset(returned)
    if command.returns != {SearchReturn.SAVE}:
        results = _summarise_result(numbers, command.returns)
        yield responses.write_esearch(tag, results, by_uid=command.by_uid, modseq=modseq)
    return _DONE


def sort(desk: Desk, command: Sort) -> Deed:
    """Answer SORT."""
    selected = desk.selected
    assert selected is not None
    summaries = yield from _gather(desk, selected, command.key, by_uid=command.by_uid)
    yield responses.write_search(sort_messages(summaries, command.criteria), verb="SORT")
    return _DONE


def thread(desk: Desk, command: Thread) -> Deed:
    """Answer THREAD."""
    selected = desk.selected
    assert selected is not None
    summaries = yield from _gather(desk, selected, command.key, by_uid=command.by_uid)
    yield responses.write_thread(thread_messages(summaries, command.algorithm))
    return _DONE


def _find(desk: Desk, selected: Selected, key: SearchKey) -> Generator[bytes, None, list[int]]:
    """Return the UIDs of what matches; messages that are gone match nothing."""
    uids = selected.snapshot.uids
    greatest = uids[-1] if uids else 0
    context = SearchContext(len(uids), greatest, desk.clock_us(), selected.saved)
    matches, gives_way = prepare_search(key, context), takes_long(key)
    found: list[int] = []
    for some in batches(uids):
        batch = Batch(selected, some)
        for uid in some:
            with Message(batch, uid) as message:
                try:
                    if matches(message):
                        found.append(uid)
                except MessageGoneError:
                    continue
            if gives_way:
                yield b""
        batch.store()
        yield b""
    return found


def _gather(
    desk: Desk, selected: Selected, key: SearchKey, *, by_uid: bool
) -> Generator[bytes, None, list[Summary]]:
    """Return what is sorted of what matches."""
    found = yield from _find(desk, selected, key)
    summaries: list[Summary] = []
    for some in batches(found):
        batch = Batch(selected, some)
        for uid in some:
            with Message(batch, uid) as message:
                try:
                    number = uid if by_uid else message.number
                    summaries.append(
                        summarise(number, message.internal_us, message.octets, message.envelope_fields)
                    )
                except MessageGoneError:
                    continue
        yield b""
    return summaries


def _find_modseq(selected: Selected, command: Search, returned: Sequence[int]) -> int | None:
    """Return the greatest mod-sequence of what is returned, where it was looked for (RFC 7162 §3.1.5)."""
    if not (asks_for_modseq(command.key) and returned):
        return None
    return max((state.modseq for state in selected.folder.states(returned)), default=None)


def _choose_returned(found: Sequence[int], returns: Iterable[SearchReturn]) -> Sequence[int]:
    """Return what is meant: where only MIN or MAX were asked for, those (RFC 5182 §2.4, RFC 4731 §3.2)."""
    asked = set(returns) - {SearchReturn.SAVE}
    if not asked or asked & {SearchReturn.ALL, SearchReturn.COUNT} or not found:
        return found
    return [*found[:1][: SearchReturn.MIN in asked], *found[-1:][: SearchReturn.MAX in asked]]


def _summarise_result(numbers: Sequence[int], returns: Iterable[SearchReturn]) -> dict[SearchReturn, str]:
    """Return what the ESEARCH response has; nothing but the count where nothing was found (RFC 4731 §3.1)."""
    values = {SearchReturn.COUNT: str(len(numbers))}
    if numbers:
        values[SearchReturn.MIN] = str(numbers[0])
        values[SearchReturn.MAX] = str(numbers[-1])
        values[SearchReturn.ALL] = write_numbers(numbers)
    return {item: values[item] for item in SearchReturn if item in returns and item in values}
