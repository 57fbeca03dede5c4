"""The header as a signature sees it: canonical fields, chosen from the bottom (RFC 6376 §3.4, §5.4.2).

A field is its octets, with its name and the CRLF of its last line.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from paperpath.dkim.form import Form

_FIELD_END = re.compile(rb"\r\n(?![ \t])")
_BLANKS = b" \t"
_TAB_TO_SPACE = bytes.maketrans(b"\t", b" ")


def split_fields(header: bytes) -> list[bytes]:
    """Split a header section, whose last line ends with CRLF, into its fields."""
    pieces = _FIELD_END.split(header)
    if not pieces[-1]:
        pieces.pop()
    return [piece + b"\r\n" for piece in pieces]


def read_name(field: bytes) -> bytes:
    """Return the name of a field, in lower case."""
    return field.partition(b":")[0].rstrip(_BLANKS).lower()


def canonicalize_field(field: bytes, form: Form) -> bytes:
    """Return a field in that form."""
    if form is Form.SIMPLE:
        return field
    value = field.partition(b":")[2].replace(b"\r\n", b"").translate(_TAB_TO_SPACE)
    words = [word for word in value.split(b" ") if word]
    return read_name(field) + b":" + b" ".join(words) + b"\r\n"


def choose_fields(fields: Sequence[bytes], names: Iterable[bytes]) -> Iterator[bytes]:
    """Give the fields that h= means, in its order: of one name the lowest first, for each only once.

    A name of which none is left gives nothing: that is how a field is signed that must not be added. `names`
    are in lower case.
    """
    left: dict[bytes, list[bytes]] = {}
    for field in fields:
        left.setdefault(read_name(field), []).append(field)
    for name in names:
        if found := left.get(name):
            yield found.pop()
