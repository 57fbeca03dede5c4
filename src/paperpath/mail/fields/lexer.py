"""The words of a structured field: atoms, quoted strings, literals, specials (RFC 5322 §3.2, §4.1).

Called by addresses.py, dates.py and message_ids.py. White space and comments belong to the token they stand
before. No character is looked at more often than a few times, however comments nest. Controls are refused
everywhere: the obsolete syntax allowed them, but no canonical form can hold them.
"""

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from paperpath.mail.address import FORBIDDEN_BEYOND_ASCII, NO_ATOM_CHARACTERS
from paperpath.mail.fields.error import FieldError as FieldError  # who reads tokens finds it here as well
from paperpath.mail.fields.error import show

_FORBIDDEN = re.compile(rf"[\x00-\x08\n-\x1f\x7f{FORBIDDEN_BEYOND_ASCII}]")
_BLANKS = re.compile(r"[ \t]*+")
_COMMENT_MARK = re.compile(r"[()]|\\.")
_QUOTED_PAIR = re.compile(r"\\(.)")
# RFC 2047 §5 allows nothing special in an encoded word of a name. Programs write it in Q all the same.
_TOKEN = re.compile(
    rf"""
    [ \t]*+
    (?: (?P<encoded>
            =\? [^ \t?()<>@,;:"\[\]\\]++ \? (?: [Qq] \? [!->@-~]*+ | [Bb] \? [A-Za-z0-9+/=]*+ ) \?=
            (?! [^ .{NO_ATOM_CHARACTERS}] )
        )
      | (?P<atom> [^ .{NO_ATOM_CHARACTERS}]++ )
      | (?P<quoted> "(?>(?:[^"\\]++|\\.)*)" )
      | (?P<literal> \[(?>(?:[^\[\]\\]++|\\.)*)\] )
      | (?P<special> [<>@,:;.] )
    )
    """,
    re.VERBOSE,
)
_UNCLOSED = {'"': "a quoted string is not closed", "[": "a bracket is not closed"}


class Kind(Enum):
    """What a token is; the values are the names of the groups in the expression."""

    ENCODED = "encoded"
    ATOM = "atom"
    QUOTED = "quoted"
    LITERAL = "literal"
    SPECIAL = "special"
    END = "end"


class Token(NamedTuple):
    """One token as it is written, where it begins in the unfolded text, and what stands before it.

    `is_spaced`: white space or comments do; `comments` are these without their outer parentheses.
    """

    kind: Kind
    text: str
    start: int
    is_spaced: bool
    comments: tuple[str, ...]


_KINDS = {kind.value: kind for kind in Kind}


def read_tokens(text: str) -> Iterator[Token]:
    """Split a value, unfolded; the last token is of kind END.

    Raises: FieldError, when the token is asked for that cannot be read.
    """
    forbidden = _FORBIDDEN.search(text)
    if forbidden is not None:
        raise FieldError(f"the character U+{ord(forbidden[0]):04X} may not stand there")
    end = 0
    while True:
        comments: tuple[str, ...] = ()
        match = _TOKEN.match(text, end)
        if match is None:  # seldom: at a comment, and at the end
            start, comments = _skip_comments(text, end)
            if start == len(text):
                yield Token(Kind.END, "", start, start > end, comments)
                return
            match = _TOKEN.match(text, start)
            if match is None:
                what = _UNCLOSED.get(text[start], f"{text[start]} has no place there")
                raise FieldError(f"{what}: {show(text[start:])}")
        kind = match.lastgroup
        assert kind is not None
        start = match.start(kind)
        yield Token(_KINDS[kind], match[kind], start, start > end, comments)
        end = match.end()


def unquote(text: str) -> str:
    """Return what a quoted string or a literal stands for."""
    return _QUOTED_PAIR.sub(r"\1", text[1:-1])


def _skip_comments(text: str, start: int) -> tuple[int, tuple[str, ...]]:
    """Return where white space and comments end, and these."""
    comments: list[str] = []
    blanks = _BLANKS.match(text, start)
    while blanks is not None and text.startswith("(", blanks.end()):
        end = _find_comment_end(text, blanks.end())
        comments.append(text[blanks.end() + 1 : end - 1])
        blanks = _BLANKS.match(text, end)
    assert blanks is not None  # it matches anything
    return blanks.end(), tuple(comments)


def _find_comment_end(text: str, start: int) -> int:
    depth = 0
    for mark in _COMMENT_MARK.finditer(text, start):
        depth += {"(": 1, ")": -1}.get(mark[0], 0)
        if depth == 0:
            return mark.end()
    raise FieldError(f"a comment is not closed: {show(text[start:])}")
