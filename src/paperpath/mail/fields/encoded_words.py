"""Encoded words: text beyond ASCII in a header that must be ASCII (RFC 2047, RFC 2231 §5).

Called by address_text.py and the canonical form. We write UTF-8 only. White space between two encoded words
is not shown, so what must be seen of it is encoded with them. Encoded words that are there already stay.
"""

import re
from binascii import b2a_base64
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from itertools import groupby
from typing import NamedTuple

from paperpath.mail.fields.lexer import Kind, read_tokens, unquote

# Who encodes names finds this here as well.
from paperpath.mail.fields.phrases import quote_phrase as quote_phrase
from paperpath.mail.fields.shown_words import ENCODED_WORD

# Short, so that one has room behind any field's name in a line of 76, the most for such a line (RFC 2047 §2).
_MOST_TEXT_COLUMNS = 58 - len("=?utf-8?q??=")
_MOST_BASE64_OCTETS = _MOST_TEXT_COLUMNS // 4 * 3
_TOO_LONG_OCTETS = 900

_WORD = re.compile(r"[^ \t]++")
_WORD_OF_COMMENT = re.compile(r"[()]|(?>(?:[^()\\ \t]++|\\.)+)")
_QUOTED_PAIR = re.compile(r"\\(.)")
# RFC 2047 §5 (3): what stays as it is in a name; no more of it does elsewhere.
_Q_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+/-")
_Q = ["_" if code == ord(" ") else chr(code) if code in _Q_PLAIN else f"={code:02X}" for code in range(256)]


class _State(Enum):
    PLAIN = "stays"
    ENCODED = "is encoded already"
    WANTED = "is to be encoded"


class _Word(NamedTuple):
    """A word as it is written, the white space before it, and the text that it stands for."""

    blanks: str
    written: str
    text: str

    @property
    def state(self) -> _State:
        if not _may_stay(self.written):
            return _State.WANTED
        return _State.ENCODED if ENCODED_WORD.fullmatch(self.written) else _State.PLAIN


def encode_words(text: str) -> str:
    """Return unstructured text, unfolded, with encoded words for what is not ASCII.

    A word that is too long for any line is encoded too.
    """
    return _encode(_split(_WORD, text, lambda word: word))


def encode_phrase(phrase: str) -> str:
    """Return a display name, as `Named.name` holds it, with encoded words for what is not ASCII.

    Raises: FieldError, where it is none.
    """
    if _may_stay(phrase):
        return phrase
    words = [
        _Word(" ", token.text, unquote(token.text) if token.kind is Kind.QUOTED else token.text)
        for token in read_tokens(phrase)
    ]
    return _encode(words).strip(" ")


def encode_comment(comment: str) -> str:
    """Return a comment, as `Named.comments` holds it, with encoded words for what is not ASCII."""
    return _encode(_split(_WORD_OF_COMMENT, comment, lambda word: _QUOTED_PAIR.sub(r"\1", word)))


def _may_stay(text: str) -> bool:
    return text.isascii() and len(text) <= _TOO_LONG_OCTETS


def _split(pattern: re.Pattern[str], text: str, read: Callable[[str], str]) -> list[_Word]:
    """Split text into words; the last is empty, and has before it the white space at the end."""
    words, end = [], 0
    for match in pattern.finditer(text):
        words.append(_Word(text[end : match.start()], match[0], read(match[0])))
        end = match.end()
    return [*words, _Word(text[end:], "", "")]


def _encode(words: Sequence[_Word]) -> str:
    """Write words, each run of those that want it in encoded words."""
    runs = [list(run) for _, run in groupby(words, lambda word: word.state)]
    neighbours = zip(runs, [[], *runs], [*runs[1:], []], strict=False)
    return "".join(_write_run(run, before, behind) for run, before, behind in neighbours)


def _write_run(run: Sequence[_Word], before: Sequence[_Word], behind: Sequence[_Word]) -> str:
    """Write words of one state, which stand between those of others."""
    if run[0].state is not _State.WANTED:
        return "".join(word.blanks + word.written for word in run)
    blanks = run[0].blanks
    text = "".join(word.blanks + word.text for word in run)
    if not _are_encoded(before):
        text = text.removeprefix(blanks)
    if _are_encoded(behind):
        text += behind[0].blanks
    return blanks + " ".join(_write_encoded(text))


def _are_encoded(run: Sequence[_Word]) -> bool:
    return len(run) > 0 and run[0].state is _State.ENCODED


def _write_encoded(text: str) -> Iterator[str]:
    """Write text as encoded words, no character in two of them; in Q where most of it is ASCII."""
    octets = text.encode()
    if sum(octet < 128 for octet in octets) * 2 >= len(octets):
        for part in _cut(text, lambda character: len(_to_q(character)), _MOST_TEXT_COLUMNS):
            yield f"=?utf-8?q?{_to_q(part)}?="
    else:
        for part in _cut(text, lambda character: len(character.encode()), _MOST_BASE64_OCTETS):
            yield f"=?utf-8?b?{b2a_base64(part.encode(), newline=False).decode('ascii')}?="


def _to_q(text: str) -> str:
    return "".join(_Q[octet] for octet in text.encode())


def _cut(text: str, measure: Callable[[str], int], most: int) -> Iterator[str]:
    """Cut text into parts that measure at most so much."""
    start = length = 0
    for number, character in enumerate(text):
        measured = measure(character)
        if length + measured > most:
            yield text[start:number]
            start, length = number, 0
        length += measured
    yield text[start:]
