"""What SEARCH, SORT and THREAD say (RFC 9051 §6.4.4; RFC 4731, 5032, 5182, 5256, 7162, 8474, 8514).

The tree of keys is bounded in depth and in number, so whoever walks through it may recurse.
"""

import re
from collections.abc import Callable
from typing import TypeVar

from paperpath.imap.commands import Search, SearchReturn, Sort, Thread
from paperpath.imap.completion import Condition, bad, no
from paperpath.imap.dialect import Dialect
from paperpath.imap.extensions import Extension
from paperpath.imap.fault import Fault, misread
from paperpath.imap.grammar.dates import parse_day
from paperpath.imap.scanner import MOST_NUMBER, Scanner
from paperpath.imap.search_keys import (
    MOST_CONTENT_KEYS,
    MOST_DEPTH,
    MOST_KEYS,
    AgeKey,
    AllKey,
    AndKey,
    BodyKey,
    DateKey,
    DateOf,
    EmailIdKey,
    FlagKey,
    HeaderKey,
    ModSeqKey,
    NotKey,
    NumberKey,
    OrKey,
    SaveDateSupportedKey,
    SearchKey,
    SizeKey,
    SortCriterion,
    SortKey,
    TextKey,
    ThreadAlgorithm,
    ThreadIdKey,
    UidKey,
    When,
)
from paperpath.imap.sets import MessageSet

_T = TypeVar("_T")

_OBJECT_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
_CHARSETS = {"US-ASCII": "ascii", "UTF-8": "utf-8"}
_SYSTEM_FLAGS = ("Answered", "Deleted", "Draft", "Flagged", "Seen")

_FLAG_KEYS: dict[str, SearchKey] = {
    **{flag.upper(): FlagKey(f"\\{flag}") for flag in _SYSTEM_FLAGS},
    **{f"UN{flag.upper()}": FlagKey(f"\\{flag}", is_set=False) for flag in _SYSTEM_FLAGS},
    "ALL": AllKey(),
    "RECENT": FlagKey("\\Recent"),
    "OLD": FlagKey("\\Recent", is_set=False),
    "NEW": AndKey((FlagKey("\\Recent"), FlagKey("\\Seen", is_set=False))),
}
_FIELD_KEYS = {"BCC": "Bcc", "CC": "Cc", "FROM": "From", "SUBJECT": "Subject", "TO": "To"}
_DATE_KEYS = {
    prefix + when.name: (date, when)
    for prefix, date in (("", DateOf.INTERNAL), ("SENT", DateOf.SENT), ("SAVED", DateOf.SAVED))
    for when in When
}


def parse_search(words: Scanner, dialect: Dialect, *, by_uid: bool) -> Search:
    """Read what stands behind SEARCH. Raises: Fault."""
    words.space()
    returns = None
    if words.take_word("RETURN"):
        dialect.require(Extension.ESEARCH)
        words.space()
        returns = _parse_returns(words, dialect)
        words.space()
    elif dialect.is_enabled(Extension.REV2):  # RFC 9051 §6.4.4: no SEARCH response any more
        returns = frozenset({SearchReturn.ALL})
    try:
        return Search(_parse_keys(words, dialect), returns, by_uid)
    except Fault as fault:
        if SearchReturn.SAVE not in (returns or ()) or fault.completion.condition is not Condition.NO:
            raise
        words.skip()
        return Search(AllKey(), returns, by_uid, fault.completion)


def _parse_keys(words: Scanner, dialect: Dialect) -> SearchKey:
    codec = "utf-8"
    if words.take_word("CHARSET"):
        if dialect.is_enabled(Extension.UTF8_ACCEPT):  # RFC 6855 §3
            raise Fault(bad("With UTF8=ACCEPT there is no CHARSET"))
        words.space()
        codec = _parse_charset(words)
        words.space()
    return _Keys(words, dialect, codec).parse_all()


def parse_sort(words: Scanner, dialect: Dialect, *, by_uid: bool) -> Sort:
    """Read what stands behind SORT. Raises: Fault."""
    words.space()
    criteria = words.listed(lambda: _parse_criterion(words))
    return Sort(criteria, _parse_with_charset(words, dialect), by_uid)


def parse_thread(words: Scanner, dialect: Dialect, *, by_uid: bool) -> Thread:
    """Read what stands behind THREAD. Raises: Fault."""
    words.space()
    name = words.word()
    if name not in ThreadAlgorithm.__members__:
        raise misread("a way to thread")
    dialect.require(Extension(f"THREAD={name}"))
    return Thread(ThreadAlgorithm[name], _parse_with_charset(words, dialect), by_uid)


def _parse_with_charset(words: Scanner, dialect: Dialect) -> SearchKey:
    words.space()
    codec = _parse_charset(words)
    words.space()
    return _Keys(words, dialect, codec).parse_all()


def _parse_returns(words: Scanner, dialect: Dialect) -> frozenset[SearchReturn]:
    if words.take_empty_list():
        return frozenset({SearchReturn.ALL})
    names = words.listed(words.word)
    if not SearchReturn.__members__.keys() >= set(names):
        raise misread("what SEARCH can return")
    returns = frozenset(map(SearchReturn, names))
    if SearchReturn.SAVE in returns:
        dialect.require(Extension.SEARCHRES)
    return returns


def _parse_charset(words: Scanner) -> str:
    name = words.astring().decode("ascii", "replace").upper()
    codec = _CHARSETS.get(name)
    if codec is None:
        raise Fault(no("That charset is not known here", "BADCHARSET (US-ASCII UTF-8)"))
    return codec


def _parse_criterion(words: Scanner) -> SortCriterion:
    name = words.word()
    reverse = name == "REVERSE"
    if reverse:
        words.space()
        name = words.word()
    if name not in SortKey.__members__:
        raise misread("what SORT can go by")
    return SortCriterion(SortKey[name], reverse)


class _Keys:
    """The keys of one command: how they are read, and how many there may be."""

    def __init__(self, words: Scanner, dialect: Dialect, codec: str) -> None:
        self._words = words
        self._dialect = dialect
        self._codec = codec
        self._left = MOST_KEYS
        self._content_left = MOST_CONTENT_KEYS
        self._special: dict[str, Callable[[], SearchKey]] = {
            "BODY": lambda: BodyKey(self._content_text()),
            "TEXT": lambda: TextKey(self._content_text()),
            "HEADER": self._header,
            "KEYWORD": lambda: FlagKey(self._argument(words.atom)),
            "UNKEYWORD": lambda: FlagKey(self._argument(words.atom), is_set=False),
            "LARGER": lambda: SizeKey(self._argument(words.number), larger=True),
            "SMALLER": lambda: SizeKey(self._argument(words.number), larger=False),
            "UID": lambda: UidKey(self._argument(self._message_set)),
            "OLDER": lambda: self._age(younger=False),
            "YOUNGER": lambda: self._age(younger=True),
            "MODSEQ": self._modseq,
            "EMAILID": lambda: EmailIdKey(self._object_id()),
            "THREADID": lambda: ThreadIdKey(self._object_id()),
            "SAVEDATESUPPORTED": self._save_date_supported,
        }

    def parse_all(self) -> SearchKey:
        """Take all keys to the end of the command."""
        keys = [self._parse(1)]
        while not self._words.at_end:
            self._words.space()
            keys.append(self._parse(1))
        return keys[0] if len(keys) == 1 else AndKey(tuple(keys))

    def _parse(self, depth: int) -> SearchKey:
        self._left -= 1
        if depth > MOST_DEPTH or self._left < 0:
            raise Fault(bad("There are too many keys, or they are too deep", "LIMIT"))
        words = self._words
        if words.next_is(b"("):
            keys = words.listed(lambda: self._parse(depth + 1))
            return keys[0] if len(keys) == 1 else AndKey(keys)
        if words.next_is(b"$") or words.begins_set:
            return NumberKey(self._message_set())
        name = words.word()
        if name == "NOT":
            words.space()
            return NotKey(self._parse(depth + 1))
        if name == "OR":
            words.space()
            left = self._parse(depth + 1)
            words.space()
            return OrKey(left, self._parse(depth + 1))
        return self._parse_simple(name)

    def _parse_simple(self, name: str) -> SearchKey:
        if name in _FLAG_KEYS:
            return _FLAG_KEYS[name]
        if name in _FIELD_KEYS:
            return HeaderKey(_FIELD_KEYS[name], self._text())
        if name in _DATE_KEYS:
            return self._date(*_DATE_KEYS[name])
        if name in self._special:
            return self._special[name]()
        raise misread("a search key")

    def _argument(self, take: Callable[[], _T]) -> _T:
        self._words.space()
        return take()

    def _text(self) -> str:
        self._words.space()
        try:
            return self._words.astring().decode(self._codec)
        except UnicodeDecodeError:
            if self._dialect.is_enabled(Extension.UTF8_ACCEPT):  # RFC 6855 §3
                raise misread("a text in UTF-8") from None
            raise Fault(no("The text is not in that charset", "BADCHARSET (US-ASCII UTF-8)")) from None

    def _content_text(self) -> str:
        self._content_left -= 1
        if self._content_left < 0:
            raise Fault(no(f"At most {MOST_CONTENT_KEYS} keys may be BODY or TEXT", "LIMIT"))
        return self._text()

    def _header(self) -> SearchKey:
        self._words.space()
        field = self._words.astring().decode("ascii", "replace")
        return HeaderKey(field, self._text())

    def _date(self, date: DateOf, when: When) -> SearchKey:
        if date is DateOf.SAVED:
            self._dialect.require(Extension.SAVEDATE)
        self._words.space()
        return DateKey(date, when, parse_day(self._words))

    def _age(self, *, younger: bool) -> SearchKey:
        self._dialect.require(Extension.WITHIN)
        self._words.space()
        return AgeKey(self._words.positive(MOST_NUMBER), younger)

    def _modseq(self) -> SearchKey:
        self._dialect.require(Extension.CONDSTORE)
        words = self._words
        words.space()
        if words.next_is(b'"'):  # an entry and its type, of which all share one mod-sequence here
            words.quoted()
            words.space()
            if words.word() not in {"ALL", "PRIV", "SHARED"}:
                raise misread("a type of entry")
            words.space()
        return ModSeqKey(words.number())

    def _object_id(self) -> str:
        self._dialect.require(Extension.OBJECTID)
        self._words.space()
        object_id = self._words.astring().decode("ascii", "replace")
        if _OBJECT_ID.fullmatch(object_id) is None:
            raise misread("an object id")
        return object_id

    def _save_date_supported(self) -> SearchKey:
        self._dialect.require(Extension.SAVEDATE)
        return SaveDateSupportedKey()

    def _message_set(self) -> MessageSet:
        return self._words.message_set(saved=self._dialect.knows(Extension.SEARCHRES))
