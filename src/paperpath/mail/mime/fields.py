"""A header section as fields: names and values, in octets as they came, whatever they are (RFC 5322 §2.2).

Used by whoever reads a header leniently. `header` may lack its empty line, and the end of its last field.
"""

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

_END = re.compile(rb"\r\n(?![ \t])")
_NAME = re.compile(rb"([!-9;-~]++)[ \t]*+:")  # white space is obsolete (RFC 5322 §4.5)
_LINE_END = re.compile(rb"\r\n|[\r\n\0]")


class Field(NamedTuple):
    """A field: its name in lower case, what stands behind the colon, and all of it as it stands."""

    name: bytes
    value: bytes
    octets: bytes


def read_fields(header: bytes) -> Iterator[Field]:
    """Give the fields in their order; lines that are none are passed over."""
    for octets in _END.split(header):
        name = _NAME.match(octets)
        if name is not None:
            yield Field(name[1].lower(), octets[name.end() :], octets)


def first_values(header: bytes, names: Collection[bytes]) -> dict[bytes, bytes]:
    """Return the value of the first field of each name (lower case) that there is."""
    found: dict[bytes, bytes] = {}
    for field in read_fields(header):
        if field.name in names:
            found.setdefault(field.name, field.value)
    return found


def keep_fields(header: bytes, names: Collection[bytes], *, others: bool = False) -> bytes:
    """Return the fields of those names (lower case) as they stand, or all `others`; and the empty line."""
    kept = []
    for octets in _split(header):
        name = _NAME.match(octets)
        is_named = name is not None and name[1].lower() in names
        if octets == b"\r\n" or is_named is not others:
            kept.append(octets)
    return b"".join(kept)


def unfold_octets(value: bytes) -> bytes:
    """Return a value in one line, without white space around it, and no NUL, CR or LF in it."""
    if b"\r" in value or b"\n" in value or b"\0" in value:
        value = _LINE_END.sub(_replace_line_end, value)
    return value.strip(b" \t")


def _split(header: bytes) -> Iterator[bytes]:
    """Cut a header into fields with their line ends."""
    begin = 0
    for end in _END.finditer(header):
        yield header[begin : end.end()]
        begin = end.end()
    if begin < len(header):
        yield header[begin:]


def _replace_line_end(end: re.Match[bytes]) -> bytes:
    return b"" if end[0] == b"\r\n" else b" "
