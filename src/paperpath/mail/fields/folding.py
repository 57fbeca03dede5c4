"""Folding: fields as lines that are short enough (RFC 5322 §2.1.1, §2.2.3).

Called by address_text.py and the canonical form. Lines break before white space only, so unfolding gives the
value back, but for white space at its end; no line is white space alone.
"""

import re
from collections.abc import Iterable, Sequence

from paperpath.mail.fields.error import FieldError, show

MOST_COLUMNS = 78  # octets: no fewer than characters
MOST_LINE_OCTETS = 998

_FOLD = re.compile(r"\r\n(?=[ \t])")
_WORD = re.compile(rb"[ \t]*+[^ \t]++")


def unfold(text: str) -> str:
    """Return a value without the line ends in it; one that no white space follows stays."""
    return _FOLD.sub("", text) if "\r" in text else text


def fold_field(name: bytes, value: str) -> bytes:
    """Write a whole field, its lines ended; `value` is unfolded and begins behind the blank after the colon.

    Lines have 78 octets where that can be, and never more than 998.

    Raises: FieldError, where the name or a word is too long for any line.
    """
    return _fold(name, _WORD.findall(f" {value}".encode()))


def fold_pieces(name: bytes, pieces: Iterable[str]) -> bytes:
    """Write a whole field as `fold_field` does; lines break between pieces, and within them where they must.

    Each piece begins with white space.
    """
    words: list[bytes] = []
    for piece in pieces:
        octets = piece.encode()
        columns = len(octets) if words else len(name) + 1 + len(octets)
        words += [octets] if columns <= MOST_COLUMNS else _WORD.findall(octets)
    return _fold(name, words)


def _fold(name: bytes, words: Sequence[bytes]) -> bytes:
    lines = [name + b":"]
    if len(lines[0]) > MOST_LINE_OCTETS:
        raise FieldError(f"a name of {len(name)} octets has no room in a line")
    for number, word in enumerate(words):
        # The first word stays beside the name where it may: not every program reads a name without a value.
        most = MOST_COLUMNS if number else MOST_LINE_OCTETS
        if len(lines[-1]) + len(word) <= most:
            lines[-1] += word
        elif len(word) <= MOST_LINE_OCTETS:
            lines.append(word)
        else:
            shown = show(word.decode().strip())
            raise FieldError(f"a word of {len(word)} octets has no room in a line: {shown}")
    return b"\r\n".join(lines) + b"\r\n"
