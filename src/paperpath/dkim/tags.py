"""Lists of tag=value, as in the DKIM-Signature field and in key records (RFC 6376 §3.2).

Values are octets without the blanks around them; those within are the reader's business.
"""

import re
from collections.abc import Mapping, Sequence

_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9_]*")
# Printable ASCII without the semicolon, and UTF-8 in addresses and domains (RFC 8616 §4).
_VALUE = re.compile(rb"[\t\r\n -:<-~\x80-\xff]*")
_BLANKS = b" \t\r\n"
_LINE_OCTETS = 76


class TagError(ValueError):
    """These octets are no list of tags."""


def parse_tags(octets: bytes) -> dict[bytes, bytes]:
    """Read a list; names are case-sensitive. Raises: TagError, also where a name comes twice."""
    pieces = octets.split(b";")
    if len(pieces) > 1 and not pieces[-1].strip(_BLANKS):
        pieces.pop()
    tags: dict[bytes, bytes] = {}
    for piece in pieces:
        name, equals, value = piece.partition(b"=")
        name, value = name.strip(_BLANKS), value.strip(_BLANKS)
        if not equals or _NAME.fullmatch(name) is None or _VALUE.fullmatch(value) is None:
            raise TagError("a piece is no name with a value behind a =")
        if name in tags:
            raise TagError(f"the tag {name.decode()} stands there twice")
        tags[name] = value
    return tags


def remove_blanks(value: bytes) -> bytes:
    """Return a value without any blank in it, as for base64."""
    return value.translate(None, _BLANKS)


def write_tags(tags: Mapping[str, str]) -> str:
    """Write a list in one line."""
    return "; ".join(f"{name}={value}" for name, value in tags.items())


def fold_tags(begin: str, tags: Mapping[str, Sequence[str]]) -> str:
    """Write a field's value behind `begin`, in lines of 76 characters where that can be; no CRLF at its end.

    A tag's value is in pieces, between which the line may be broken.
    """
    lines = [begin]
    for number, (name, pieces) in enumerate(tags.items(), 1):
        end = ";" if number < len(tags) else ""
        first, *rest = pieces or ("",)
        words = [f" {name}={first}", *rest]
        words[-1] += end
        for word in words:
            _add_word(lines, word)
    return "\r\n".join(lines)


def _add_word(lines: list[str], word: str) -> None:
    if len(lines[-1]) + len(word) <= _LINE_OCTETS:
        lines[-1] += word
    else:
        lines.append(" " + word.lstrip(" "))
