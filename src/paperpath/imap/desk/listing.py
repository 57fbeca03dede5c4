"""LIST and LSUB: which names are meant, and what is told of them (RFC 9051 §6.3.9, RFC 3501 §6.3.9)."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass

from paperpath.folders.store.errors import StoreError
from paperpath.folders.store.values import SEPARATOR
from paperpath.imap.commands import List, ListReturn, ListSelection, ListSubscribed
from paperpath.imap.completion import ok
from paperpath.imap.desk.desk import Deed, Desk
from paperpath.imap.desk.mailboxes import write_status_of
from paperpath.imap.desk.patterns import NamePattern
from paperpath.imap.responses import write_list

_SEPARATOR_NAME = b'""'
_NOT_SELECTABLE = "\\Noselect"


@dataclass(frozen=True, slots=True)
class _Name:
    """A name that may be listed. `is_known`: it is in the tree, and not only subscribed to."""

    name: str
    is_known: bool = True
    exists: bool = True
    subscribed: bool = False
    special_use: str = ""
    has_children: bool = False


def list_mailboxes(desk: Desk, command: List) -> Deed:
    """Answer LIST."""
    if command.patterns == ("",) and not command.extended:  # what is asked for is the separator
        yield write_list(_SEPARATOR_NAME, [_NOT_SELECTABLE])
        return ok("That is it")
    names = _gather(desk)
    patterns = [NamePattern(command.reference + pattern) for pattern in command.patterns]
    matching, above = yield from _match(names, command, patterns)
    for name in matching:
        below = _child_info(command) if name.name in above else []
        if not (_is_selected(name, command) or below):
            continue
        yield write_list(desk.show_name(name.name), _attributes(name, command), child_info=below)
        if command.status and name.is_known and name.exists and _is_selected(name, command):
            try:
                yield write_status_of(desk, name.name, command.status)
            except StoreError:  # it went meanwhile: RFC 5819 §2
                continue
    return ok("That is all")


def list_subscribed(desk: Desk, command: ListSubscribed) -> Deed:
    """Answer LSUB; `%` shows what is above a subscribed name, too."""
    pattern = NamePattern(command.reference + command.pattern)
    names = _gather(desk)
    shown: dict[str, None] = {}
    for name in names.values():
        if not name.subscribed:
            continue
        if pattern.matches(name.name):
            yield write_list(desk.show_name(name.name), (), verb="LSUB")
        elif command.pattern.endswith("%"):
            above = [each for each in _parents(name.name) if pattern.matches(each)]
            shown.update((each, None) for each in above if each not in names or not names[each].subscribed)
    for each in shown:
        yield write_list(desk.show_name(each), [_NOT_SELECTABLE], verb="LSUB")
    return ok("That is all")


def _gather(desk: Desk) -> dict[str, _Name]:
    """Return all names, those of the tree first, then those that are only subscribed to."""
    entries = desk.store.folders()
    parents = {parent for entry in entries for parent in _parents(entry.name)}
    names = {
        entry.name: _Name(
            entry.name,
            exists=entry.exists,
            subscribed=entry.subscribed,
            special_use=entry.special_use,
            has_children=entry.name in parents,
        )
        for entry in entries
    }
    for name in desk.store.subscriptions():
        names.setdefault(name, _Name(name, is_known=False, exists=False, subscribed=True))
    return names


def _is_selected(name: _Name, command: List) -> bool:
    """Tell whether a name is one that LIST is about."""
    selection = command.selection
    if ListSelection.SPECIAL_USE in selection and not name.special_use:
        return False
    return name.subscribed if ListSelection.SUBSCRIBED in selection else name.is_known


def _match(
    names: Mapping[str, _Name], command: List, patterns: Sequence[NamePattern]
) -> Generator[bytes, None, tuple[list[_Name], set[str]]]:
    """Return the names that match, and those above a name that LIST is about and that does not."""
    matching: list[_Name] = []
    above: set[str] = set()
    for name in names.values():
        if any(pattern.matches(name.name) for pattern in patterns):
            matching.append(name)
        elif _is_selected(name, command):
            above.update(_parents(name.name))
        yield b""
    return matching, above


def _child_info(command: List) -> list[str]:
    """Return by what a name is listed for the sake of one below it (RECURSIVEMATCH, RFC 5258 §3.5)."""
    if ListSelection.RECURSIVE_MATCH not in command.selection:
        return []
    wanted = (ListSelection.SUBSCRIBED, ListSelection.SPECIAL_USE)
    return [each.value for each in wanted if each in command.selection]


def _attributes(name: _Name, command: List) -> Iterator[str]:
    """Give what is told of a name beside it."""
    if not name.is_known:
        yield "\\NonExistent"
    elif not name.exists:
        yield _NOT_SELECTABLE
    if name.is_known:
        yield "\\HasChildren" if name.has_children else "\\HasNoChildren"
    tells_subscribed = ListReturn.SUBSCRIBED in command.returns or (
        ListSelection.SUBSCRIBED in command.selection
    )
    if name.subscribed and tells_subscribed:
        yield "\\Subscribed"
    if name.special_use:
        yield name.special_use


def _parents(name: str) -> list[str]:
    """Return the names above a name."""
    levels = name.split(SEPARATOR)
    return [SEPARATOR.join(levels[:depth]) for depth in range(1, len(levels))]
