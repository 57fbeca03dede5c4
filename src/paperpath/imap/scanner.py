"""The words of one command, taken off from left to right (RFC 9051 §4, §9).

Used by the grammar of each command. A scanner has the whole text of a command; where a literal stood the
text has its announcement, and the octets are at its side. Each word is one match of a pattern that has
nothing to go back for, so a command is read in time linear in its octets. What is not there raises `Fault`.
"""

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from paperpath.imap.fault import misread
from paperpath.imap.sets import SAVED_RESULT, STAR, MessageSet, Range, SequenceSet

MOST_NUMBER = 2**32 - 1
MOST_LONG_NUMBER = 2**63 - 1  # RFC 9051 §9: number64

ANNOUNCEMENT = rb"(~?)\{(\d{1,20})(\+?)\}"  # of a literal: RFC 7888 §8; RFC 3516 §4.4 for the tilde
_LITERAL = re.compile(ANNOUNCEMENT + rb"\r\n")
# 8-bit octets may stand in it in RFC 9051 only; whoever takes the string decides what they mean.
_QUOTED = re.compile(rb'"[^"\\\r\n\0]*(?:\\["\\][^"\\\r\n\0]*)*"')
_ESCAPED = re.compile(rb"\\(.)")
_ATOM = re.compile(rb'[^\x00-\x20(){%*"\\\]\x7f-\xff]+')
_ASTRING = re.compile(rb'[^\x00-\x20(){%*"\\\x7f-\xff]+')
_PATTERN = re.compile(rb'[^\x00-\x20(){"\\\x7f-\xff]+')
_WORD = re.compile(rb"[A-Za-z0-9.+=&$_/-]+")
_NUMBER = re.compile(rb"\d{1,20}(?!\d)")
_PART = re.compile(rb"[1-9]\d{0,8}(?:\.[1-9]\d{0,8}){0,99}")  # deeper than any message we look into
_SET = re.compile(rb"[\d*:,]+")
_SET_PART = re.compile(rb"([1-9]\d{0,9}|\*)(?::([1-9]\d{0,9}|\*))?")

_T = TypeVar("_T")


class LiteralWanted(Exception):  # noqa: N818 - no error: its octets have not come yet
    """The text ends with the announcement of a literal, which is the next word."""


class Scanner:
    """One command, and how far it has been read."""

    def __init__(self, text: bytes, literals: Sequence[bytes] = ()) -> None:
        """Begin on the left."""
        self._text = text
        self._at = 0
        self._literals = literals
        self._literals_read = 0

    @property
    def at_end(self) -> bool:
        """Whether nothing is left."""
        return self._at == len(self._text)

    def next_is(self, token: bytes) -> bool:
        """Tell whether a token comes next."""
        return self._text.startswith(token, self._at)

    def take(self, token: bytes) -> bool:
        """Pass over a token if it comes next, and tell whether it did."""
        if not self.next_is(token):
            return False
        self._at += len(token)
        return True

    def expect(self, token: bytes) -> None:
        """Pass over a token that must come next."""
        if not self.take(token):
            raise misread("a space" if token == b" " else repr(token.decode("ascii")))

    def space(self) -> None:
        """Pass over the one space between two words."""
        self.expect(b" ")

    def end(self) -> None:
        """See that nothing is left."""
        if not self.at_end:
            raise misread("the end of the command")

    def skip(self) -> None:
        """Pass over all that is left."""
        self._at = len(self._text)

    def word(self) -> str:
        """Take a word of the language, in any case; give it in capitals."""
        return self._match(_WORD, "a word").decode("ascii").upper()

    def take_word(self, word: str) -> bool:
        """Pass over a word of the language if it comes next, and tell whether it did."""
        match = _WORD.match(self._text, self._at)
        if match is None or match[0].upper() != word.encode("ascii"):
            return False
        self._at = match.end()
        return True

    def take_phrase(self, phrase: bytes) -> bool:
        """Pass over a phrase in capitals, in any case, if it comes next, and tell whether it did."""
        end = self._at + len(phrase)
        if self._text[self._at : end].upper() != phrase:
            return False
        self._at = end
        return True

    def atom(self) -> str:
        """Take an atom."""
        return self._match(_ATOM, "an atom").decode("ascii")

    def astring(self) -> bytes:
        """Take a string, or an atom, in which `]` may stand too."""
        return self.string() if self._begins_string else self._match(_ASTRING, "a string")

    def pattern(self) -> bytes:
        """Take a pattern of LIST: a string, or an atom in which wildcards may stand."""
        return self.string() if self._begins_string else self._match(_PATTERN, "a pattern")

    def string(self) -> bytes:
        """Take a string, quoted or literal."""
        return self.quoted() if self.next_is(b'"') else self._literal()

    def quoted(self) -> bytes:
        """Take a quoted string; give what is within, without the backslashes."""
        octets = self._match(_QUOTED, "a quoted string")[1:-1]
        return _ESCAPED.sub(rb"\1", octets) if b"\\" in octets else octets

    def announcement(self) -> tuple[bool, int]:
        """Take the announcement of a literal with which the text ends: whether it has a tilde; its octets."""
        match = _LITERAL.match(self._text, self._at)
        if match is None:
            raise misread("a literal")
        self._at = match.end()
        return bool(match[1]), int(match[2])

    def number(self, most: int = MOST_LONG_NUMBER) -> int:
        """Take a number of at most so much."""
        number = int(self._match(_NUMBER, "a number"))
        if number > most:
            raise misread("a smaller number")
        return number

    def positive(self, most: int = MOST_LONG_NUMBER) -> int:
        """Take a number that is not 0."""
        number = self.number(most)
        if number == 0:
            raise misread("a number greater than 0")
        return number

    def part(self) -> tuple[int, ...]:
        """Take the number of a part, such as `2.1`."""
        return tuple(map(int, self._match(_PART, "the number of a part").split(b".")))

    def sequence_set(self) -> SequenceSet:
        """Take a set of numbers, `*` among them perhaps."""
        octets = self._match(_SET, "a set of numbers")
        return SequenceSet(tuple(map(_read_range, octets.split(b","))))

    def message_set(self, *, saved: bool) -> MessageSet:
        """Take a set of numbers, or `$` where there may be a saved result."""
        return SAVED_RESULT if saved and self.take(b"$") else self.sequence_set()

    def listed(self, take_item: Callable[[], _T]) -> tuple[_T, ...]:
        """Take a list in parentheses of one item or more."""
        self.expect(b"(")
        items = [take_item()]
        while not self.take(b")"):
            self.space()
            items.append(take_item())
        return tuple(items)

    def take_empty_list(self) -> bool:
        """Pass over a list without items, and tell whether there was one."""
        return self.take(b"()")

    @property
    def begins_set(self) -> bool:
        """Whether a set of numbers comes next."""
        return _SET.match(self._text, self._at) is not None

    @property
    def _begins_string(self) -> bool:
        return self.next_is(b'"') or self.next_is(b"{")

    def _literal(self) -> bytes:
        binary, _ = self.announcement()
        if self._literals_read == len(self._literals):
            raise LiteralWanted
        octets = self._literals[self._literals_read]
        self._literals_read += 1
        if binary or b"\0" in octets:  # RFC 3516 §4.4: in APPEND only
            raise misread("a literal without NUL")
        return octets

    def _match(self, pattern: "re.Pattern[bytes]", expected: str) -> bytes:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise misread(expected)
        self._at = match.end()
        return match[0]


def _read_range(octets: bytes) -> Range:
    match = _SET_PART.fullmatch(octets)
    if match is None:
        raise misread("a set of numbers")
    first = _read_number(match[1])
    last = first if match[2] is None else _read_number(match[2])
    return min(first, last), max(first, last)


def _read_number(octets: bytes) -> int:
    if octets == b"*":
        return STAR
    number = int(octets)
    if number > MOST_NUMBER:
        raise misread("numbers of at most 32 bits")
    return number
