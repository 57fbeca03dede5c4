"""What LIST, LSUB and STATUS say (RFC 9051 §6.3.9, §6.3.11; RFC 3501 §6.3.9; RFC 5258, 5819, 6154, 8438)."""

from enum import Enum
from typing import TypeVar

from paperpath.imap.commands import List, ListReturn, ListSelection, ListSubscribed, Status, StatusItem
from paperpath.imap.completion import bad
from paperpath.imap.dialect import Dialect
from paperpath.imap.extensions import Extension
from paperpath.imap.fault import Fault, misread
from paperpath.imap.scanner import Scanner

_Option = TypeVar("_Option", bound=Enum)

_NEEDED: dict[Enum, Extension] = {
    ListSelection.SPECIAL_USE: Extension.SPECIAL_USE,
    ListReturn.SPECIAL_USE: Extension.SPECIAL_USE,
    StatusItem.DELETED: Extension.REV2,
    StatusItem.SIZE: Extension.STATUS_SIZE,
    StatusItem.APPENDLIMIT: Extension.APPENDLIMIT,
    StatusItem.HIGHESTMODSEQ: Extension.CONDSTORE,
    StatusItem.MAILBOXID: Extension.OBJECTID,
    StatusItem.DELETED_STORAGE: Extension.QUOTA,
}
MOST_PATTERNS = 100  # each is compared with each name
_MODIFYING = frozenset({ListSelection.RECURSIVE_MATCH, ListSelection.REMOTE})


def parse_list(words: Scanner, dialect: Dialect) -> List:
    """Read what stands behind LIST. Raises: Fault."""
    words.space()
    selection: frozenset[ListSelection] = frozenset()
    extended = words.next_is(b"(")
    if extended:
        selection = _parse_selection(words, dialect)
        words.space()
    reference = dialect.read_name(words.astring())
    words.space()
    patterns, several = _parse_patterns(words, dialect)
    returns: frozenset[ListReturn] = frozenset()
    status: tuple[StatusItem, ...] = ()
    with_returns = words.take(b" ")
    if with_returns:
        returns, status = _parse_returns(words, dialect)
    return List(reference, patterns, selection, returns, status, extended or several or with_returns)


def parse_lsub(words: Scanner, dialect: Dialect) -> ListSubscribed:
    """Read what stands behind LSUB. Raises: Fault."""
    words.space()
    reference = dialect.read_name(words.astring())
    words.space()
    return ListSubscribed(reference, dialect.read_name(words.pattern()))


def parse_status(words: Scanner, dialect: Dialect) -> Status:
    """Read what stands behind STATUS. Raises: Fault."""
    words.space()
    mailbox = dialect.read_name(words.astring())
    words.space()
    return Status(mailbox, _parse_status_items(words, dialect))


def _parse_selection(words: Scanner, dialect: Dialect) -> frozenset[ListSelection]:
    _require_extended(dialect)
    if words.take_empty_list():
        return frozenset()
    selection = frozenset(words.listed(lambda: _parse_option(words, dialect, ListSelection)))
    if ListSelection.RECURSIVE_MATCH in selection and selection <= _MODIFYING:  # RFC 5258 §3.1
        raise Fault(bad("RECURSIVEMATCH goes with another selection"))
    return selection


def _parse_patterns(words: Scanner, dialect: Dialect) -> tuple[tuple[str, ...], bool]:
    def take_pattern() -> str:
        return dialect.read_name(words.pattern())

    if not words.next_is(b"("):
        return (take_pattern(),), False
    _require_extended(dialect)
    patterns = tuple(dict.fromkeys(words.listed(take_pattern)))
    if len(patterns) > MOST_PATTERNS:
        raise Fault(bad("There are too many patterns", "LIMIT"))
    return patterns, True


def _parse_returns(words: Scanner, dialect: Dialect) -> tuple[frozenset[ListReturn], tuple[StatusItem, ...]]:
    _require_extended(dialect)
    if not words.take_word("RETURN"):
        raise misread("RETURN")
    words.space()
    returns: set[ListReturn] = set()
    status: list[StatusItem] = []

    def take_option() -> None:
        if words.take_word("STATUS"):
            dialect.require(Extension.LIST_STATUS)
            words.space()
            status.extend(_parse_status_items(words, dialect))
        else:
            returns.add(_parse_option(words, dialect, ListReturn))

    if not words.take_empty_list():
        words.listed(take_option)
    return frozenset(returns), tuple(dict.fromkeys(status))


def _require_extended(dialect: Dialect) -> None:
    """RFC 9051 §6.3.9 has what RFC 5258 added; RFC 6154 and 5819 bring the places for options along."""
    if not any(map(dialect.knows, (Extension.LIST_EXTENDED, Extension.REV2))):
        dialect.require(Extension.LIST_EXTENDED)


def _parse_status_items(words: Scanner, dialect: Dialect) -> tuple[StatusItem, ...]:
    return tuple(dict.fromkeys(words.listed(lambda: _parse_option(words, dialect, StatusItem))))


def _parse_option(words: Scanner, dialect: Dialect, options: type[_Option]) -> _Option:
    name = words.word()
    try:
        option = options(name)
    except ValueError:
        raise misread("an option that there is") from None
    if option in _NEEDED:
        dialect.require(_NEEDED[option])
    return option
