"""Address fields as mail programs are shown them: whatever is in them, something is read (RFC 5322 §3.4).

Used by envelope.py. `mail.fields.addresses` refuses what two readers could understand in two ways; here a
list that nobody could send to is worth showing still. Octets stay as they are; time is linear in them.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_TOKEN = re.compile(
    rb'[ \t]*+(?:(?P<quoted>"(?>(?:[^"\\]++|\\.)*)"?)|(?P<literal>\[[^\]]*+\]?)|(?P<comment>\()'
    rb"|(?P<mark>[<>@,:;])|(?P<atom>\\?[^ \t\"<>@,:;(\[\\]*+))",
    re.DOTALL,
)
_COMMENT_MARK = re.compile(rb"[()]|\\.", re.DOTALL)
_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)


class LooseAddress(NamedTuple):
    """An address as RFC 9051 §7.5.2 has it, or a mark: a group begins with its name as mailbox, without host.

    It ends with neither. `route` is that of RFC 5322 §4.4. The host is empty where there is none.
    """

    name: bytes | None = None
    route: bytes | None = None
    mailbox: bytes | None = None
    host: bytes | None = None


GROUP_END = LooseAddress()


class _Token(NamedTuple):
    kind: str
    text: bytes

    def is_mark(self, mark: bytes) -> bool:
        return self.kind == "mark" and self.text == mark


_AT = _Token("mark", b"@")


def read_loose_addresses(value: bytes) -> list[LooseAddress]:
    """Read the value of an address field, unfolded."""
    reader = _Reader()
    for token in _read_tokens(value):
        reader.take(token)
    return reader.finish()


class _Reader:
    """The address that is being read: what stands before `<`, what stands behind it, comments."""

    def __init__(self) -> None:
        self._found: list[LooseAddress] = []
        self._words: list[_Token] = []
        self._bracketed: list[_Token] | None = None
        self._in_brackets = False
        self._comments: list[bytes] = []
        self._in_group = False

    def take(self, token: _Token) -> None:
        """Take the next token."""
        if token.kind == "comment":
            self._comments.append(token.text)
        elif self._in_brackets and self._bracketed is not None:
            self._take_bracketed(token, self._bracketed)
        elif token.kind != "mark" or token.text == b"@":
            self._words.append(token)
        else:
            self._take_mark(token.text)

    def finish(self) -> list[LooseAddress]:
        """End the list."""
        self._end_address()
        self._end_group()
        return self._found

    def _take_bracketed(self, token: _Token, bracketed: list[_Token]) -> None:
        in_route = bool(bracketed) and bracketed[0] == _AT
        if token.is_mark(b">"):
            self._in_brackets = False
        elif token.is_mark(b",") and not in_route:  # the bracket is not closed
            self._end_address()
        else:
            bracketed.append(token)

    def _take_mark(self, mark: bytes) -> None:
        if mark == b"<":
            self._bracketed, self._in_brackets = [], True
        elif mark == b":":
            self._begin_group()
        elif mark in b",;":
            self._end_address()
            if mark == b";":
                self._end_group()

    def _begin_group(self) -> None:
        self._end_group()
        name = _join(self._words, b" ")
        self._forget_address()
        self._found.append(LooseAddress(mailbox=name))
        self._in_group = True

    def _end_group(self) -> None:
        if self._in_group:
            self._found.append(GROUP_END)
            self._in_group = False

    def _end_address(self) -> None:
        comment = b" ".join(self._comments) or None
        if self._bracketed is not None:
            name = _join(self._words, b" ") or comment
            self._found.append(_make_address(name, self._bracketed))
        elif self._words:
            self._found.append(_make_address(comment, self._words))
        self._forget_address()

    def _forget_address(self) -> None:
        self._words, self._comments = [], []
        self._bracketed, self._in_brackets = None, False


def _make_address(name: bytes | None, words: Sequence[_Token]) -> LooseAddress:
    route = None
    if words and words[0] == _AT:
        colon = next((place for place, word in enumerate(words) if word.is_mark(b":")), None)
        if colon is not None:
            route, words = _join(words[:colon]), words[colon + 1 :]
    at = next((place for place in range(len(words) - 1, -1, -1) if words[place] == _AT), None)
    if at is None:
        return LooseAddress(name, route, _join(words, b" "), b"")
    return LooseAddress(name, route, _join(words[:at]), _join(words[at + 1 :]))


def _join(words: Sequence[_Token], between: bytes = b"") -> bytes:
    return between.join(map(_read_word, words))


def _read_word(word: _Token) -> bytes:
    """Return what a word stands for."""
    if word.kind != "quoted":
        return word.text
    return _QUOTED_PAIR.sub(rb"\1", word.text[1:].removesuffix(b'"'))


def _read_tokens(value: bytes) -> Iterator[_Token]:
    place = 0
    while place < len(value):
        match = _TOKEN.match(value, place)
        assert match is not None  # an atom may be empty
        kind = match.lastgroup
        assert kind is not None
        place = match.end()
        if kind == "comment":
            end = _find_comment_end(value, match.start(kind))
            yield _Token(kind, value[place:end].removesuffix(b")").strip(b" \t"))
            place = end
        elif match[kind]:
            yield _Token(kind, match[kind])


def _find_comment_end(value: bytes, begin: int) -> int:
    depth = 0
    for mark in _COMMENT_MARK.finditer(value, begin):
        depth += {b"(": 1, b")": -1}.get(mark[0], 0)
        if depth == 0:
            return mark.end()
    return len(value)
