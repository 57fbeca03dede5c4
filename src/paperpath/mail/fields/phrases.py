"""Display names: as written, from its tokens or from plain text (RFC 5322 §3.2.5, §4.1; RFC 2047 §5).

Called by addresses.py, and by whoever knows somebody's full name. What may stay as it is does: quotes that
are not needed do no harm here, and some programs show a name otherwise without them.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from paperpath.mail.address import ATOM_CHARACTERS, NO_ATOM_CHARACTERS
from paperpath.mail.fields.lexer import Kind, Token, unquote
from paperpath.mail.letter import clean_line

_ATOMS = re.compile(rf"[^.{NO_ATOM_CHARACTERS}]*+")
_NO_ATOM = re.compile(rf"[^{ATOM_CHARACTERS}]")
_MUST_BE_QUOTED = re.compile(r'["\\]')


def read_phrase(words: Sequence[Token]) -> str:
    """Return the words of a display name as they are to be written, single blanks between them.

    Dots are understood outside quotes, and what is special within encoded words, in Q.
    """
    written: list[str] = []
    for is_encoded, run in groupby(words, lambda word: word.kind is Kind.ENCODED):
        tokens = list(run)
        written += map(_mend_encoded_word, tokens) if is_encoded else _write_run(tokens)
    return " ".join(written)


def quote_phrase(text: str) -> str:
    """Write plain text, say somebody's full name, as a display name: atoms, or quoted where it must be."""
    text = clean_line(" ".join(text.split()))
    is_plain = _ATOMS.fullmatch(text) is not None and "=?" not in text
    return text if is_plain else quote(text)


def quote(text: str) -> str:
    """Write text as a quoted string."""
    return '"' + _MUST_BE_QUOTED.sub(r"\\\g<0>", text) + '"'


def _write_run(words: Sequence[Token]) -> list[str]:
    """Write words without encoded ones among them; a dot puts them all into one quoted string."""
    if all(word.text != "." for word in words):
        return [word.text for word in words]
    return [quote("".join(_spell(words)))]


def _spell(words: Iterable[Token]) -> Iterable[str]:
    """Give what words stand for, with blanks where there were any."""
    for number, word in enumerate(words):
        if word.is_spaced and number:
            yield " "
        yield unquote(word.text) if word.kind is Kind.QUOTED else word.text


def _mend_encoded_word(word: Token) -> str:
    """Encode what is special in Q."""
    head, charset, encoding, text, tail = word.text.split("?")
    if encoding in "Qq":
        text = _NO_ATOM.sub(lambda found: f"={ord(found[0]):02X}", text)
    return "?".join((head, charset, encoding, text, tail))
