"""A header section as a list of fields, and back (RFC 5322 §2.2, §4.5).

Called by form.py. A field is its octets and where its parts are; nothing is decoded. Splitting costs one
regular expression for the section and a look at each name.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from paperpath.mail.newlines import has_bare_newline
from paperpath.submission.canonical.refusals import refuse_header

MOST_HEADER_OCTETS = 2 * 2**20
MOST_FIELDS = 20_000
_FIELD_END = re.compile(rb"\r\n(?![ \t])")
_NAME = re.compile(rb"[!-9;-~]+")
_MOST_SHOWN = 40  # characters of a name


@dataclass(slots=True)
class Field:
    """One field: its octets with the CRLF of its last line, its name as written and in lower case.

    `value` is what stands behind the colon, without the last CRLF. Not frozen: 25 are made for a message.
    """

    octets: bytes
    name: bytes
    key: bytes
    value: bytes

    @property
    def shown(self) -> str:
        """The name for replies and logs."""
        return show_name(self.name)


def make_field(octets: bytes) -> Field:
    """Make a field of octets that are well formed."""
    name, _, value = octets.removesuffix(b"\r\n").partition(b":")
    return Field(octets, name, name.lower(), value)


def split_section(header: bytes) -> list[Field]:
    """Split a header section, whose last CRLF may be missing.

    A name that blanks follow is kept with them in `octets`, without them in `name`.

    Raises: CanonicalError.
    """
    _check_octets(header)
    pieces = _FIELD_END.split(header)
    if not pieces[-1]:
        pieces.pop()
    if len(pieces) > MOST_FIELDS:
        raise refuse_header(f"The header has more than {MOST_FIELDS} fields")
    fields: list[Field] = []
    for piece in pieces:
        name, colon, value = piece.partition(b":")
        if not colon or _NAME.fullmatch(name) is None:
            name = _read_obsolete_name(name, colon, fields)
        fields.append(Field(piece + b"\r\n", name, name.lower(), value))
    return fields


def join_section(fields: Iterable[Field]) -> bytes:
    """Put fields together."""
    return b"".join([field.octets for field in fields])


def show_name(name: bytes) -> str:
    """Write a field's name for replies and logs, cut where it is very long."""
    text = name.decode("ascii", "replace")
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def _check_octets(header: bytes) -> None:
    if len(header) > MOST_HEADER_OCTETS:
        raise refuse_header(f"The header has more than {MOST_HEADER_OCTETS} octets")
    if has_bare_newline(header):
        raise refuse_header("The header holds a CR or LF of its own; lines end with CRLF")
    if b"\0" in header:
        raise refuse_header("The header holds a NUL octet")


def _read_obsolete_name(name: bytes, colon: bytes, before: Sequence[Field]) -> bytes:
    """Return a name without the blanks behind it (RFC 5322 §4.5.8). Raises: CanonicalError."""
    bare = name.rstrip(b" \t")
    if not colon or _NAME.fullmatch(bare) is None:
        where = f"Behind {before[-1].shown}" if before else "At its begin"
        raise refuse_header(
            f"{where} the header has a line that is no field, which is a name, a colon and a value"
        )
    return bare
