"""Flags and the letters that say them in a file's name: pure (requirement F-8).

In the index a message's flags are one number. Its first bits are the flags that have a letter of their own in
every Maildir; then come the keywords of the folder, in the order they came there. The first 26 of those have
the small letters, as Dovecot has it, so they survive the loss of the index; the others are in the index only.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from paperpath.folders.store.errors import TooManyKeywordsError
from paperpath.folders.store.values import ANSWERED, DELETED, DRAFT, FLAGGED, FORWARDED, SEEN

MOST_KEYWORDS = 52
LETTERED_KEYWORDS = 26

_LETTERS = {"D": DRAFT, "F": FLAGGED, "P": FORWARDED, "R": ANSWERED, "S": SEEN, "T": DELETED}
_FIXED = tuple(_LETTERS.values())
_FIRST_KEYWORD = len(_FIXED)
_MARK = ":2,"
_SUFFIX = re.compile(r":2,([A-Za-z]*)(.*)", re.DOTALL)
_RECENT = "\\recent"
_DIFFERENT_NAMES = 1024  # few ends of names are different ones, even of many files

SEEN_BIT = 1 << _FIXED.index(SEEN)
DELETED_BIT = 1 << _FIXED.index(DELETED)
LETTERED_BITS = (1 << (_FIRST_KEYWORD + LETTERED_KEYWORDS)) - 1


def split_entry(entry: str) -> tuple[str, str]:
    """Split a file's name into what stays the same and what mail programs change."""
    base, colon, rest = entry.partition(":")
    return base, colon + rest


@lru_cache(_DIFFERENT_NAMES)
def read_flags(suffix: str) -> int:
    """Return the flags that the end of a file's name says."""
    match = _SUFFIX.match(suffix)
    return 0 if match is None else sum(1 << bit for bit in {_bit(letter) for letter in match[1]} - {-1})


@lru_cache(_DIFFERENT_NAMES)
def write_flags(suffix: str, flags: int) -> str:
    """Return the end of a file's name that says flags; letters that we do not know stay."""
    match = _SUFFIX.match(suffix)
    there, tail = (match[1], match[2]) if match else ("", "")
    unknown = {letter for letter in there if _bit(letter) < 0}
    said = {letter for letter in _ALL_LETTERS if flags >> _bit(letter) & 1}
    return f"{_MARK}{''.join(sorted(unknown | said))}{tail}"


class _SharedSets(dict[int, frozenset[str]]):
    """Flags by name, by their number; made when they are asked for first."""

    def __init__(self, find_names: Callable[[int], Iterable[str]]) -> None:
        super().__init__()
        self._find_names = find_names

    def __missing__(self, number: int) -> frozenset[str]:
        self[number] = names = frozenset(self._find_names(number))
        return names


class FlagNames:
    """The flags of one folder, which has certain keywords: names to numbers, and back; never changed."""

    def __init__(self, keywords: Sequence[str] = ()) -> None:
        """Begin with the keywords that a folder has."""
        self._keywords = list(keywords)
        self._bits = {name.lower(): 1 << bit for bit, name in enumerate(_FIXED)}
        named = [(name, i) for i, name in enumerate(self._keywords) if name]
        self._bits |= {name.lower(): self._keyword_bit(i) for name, i in named}
        self._sets = _SharedSets(self._names)

    @property
    def keywords(self) -> Sequence[str]:
        """The keywords by number; the name of one that is not known is empty."""
        return self._keywords

    @property
    def takes_keywords(self) -> bool:
        """Whether there is room for another."""
        return len(self._keywords) < MOST_KEYWORDS

    def has_unnamed(self, numbers: Iterable[int]) -> bool:
        """Tell whether among flags there are keywords whose names are not known."""
        named = sum(self._bits.values())
        return any(number & ~named for number in numbers)

    def find_new(self, flags: Iterable[str]) -> list[str]:
        """Return those that are keywords the folder does not have, in order. Raises: TooManyKeywordsError."""
        by_name = {flag.lower(): flag for flag in flags}
        new = [flag for name, flag in by_name.items() if name not in self._bits and name != _RECENT]
        if len(self._keywords) + len(new) > MOST_KEYWORDS:
            raise TooManyKeywordsError(f"a folder has at most {MOST_KEYWORDS} keywords")
        return sorted(new)

    def to_number(self, flags: Iterable[str]) -> int:
        """Return flags as a number, without those that the folder does not have."""
        number = 0
        for flag in flags:
            number |= self._bits.get(flag.lower(), 0)
        return number

    def to_flags(self, number: int) -> frozenset[str]:
        """Return flags by name; there are few different sets of them, so they are shared."""
        return self._sets[number]

    def _names(self, number: int) -> Iterable[str]:
        yield from (name for bit, name in enumerate(_FIXED) if number >> bit & 1)
        yield from (name for i, name in enumerate(self._keywords) if name and number & self._keyword_bit(i))

    @staticmethod
    def _keyword_bit(index: int) -> int:
        return 1 << (_FIRST_KEYWORD + index)


def _bit(letter: str) -> int:
    """Return which bit a letter is, -1 for none."""
    if letter in _LETTERS:
        return _FIXED.index(_LETTERS[letter])
    place = ord(letter) - ord("a")
    return _FIRST_KEYWORD + place if 0 <= place < LETTERED_KEYWORDS else -1


_ALL_LETTERS = "".join(_LETTERS) + "".join(chr(ord("a") + i) for i in range(LETTERED_KEYWORDS))
