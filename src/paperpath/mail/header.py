"""The header section looked at as octets: where it ends, which fields there are (RFC 5322 §2.1, §2.2).

For the relay, which counts trace fields against loops (RFC 5321 §6.3) and tells the journal the Message-ID,
and for local delivery, which knows by Delivered-To what was here before, and takes off the Return-Path of an
earlier delivery. Nothing here decodes or rewrites a field.
"""

import re
from collections.abc import Iterator

_FIELD_NAME = re.compile(rb"[!-9;-~]+")
_LINE = re.compile(rb"(?s:.*?)(?:\r\n|\Z)")
_COLON = re.compile(rb"[ \t]*:")
_WHITE_SPACE = (b" ", b"\t")


def header_section(octets: bytes) -> bytes:
    """Return the header section with the CRLF of its last line: all up to the first empty line, else all."""
    if octets.startswith(b"\r\n"):
        return b""
    end = octets.find(b"\r\n\r\n")
    return octets if end < 0 else octets[: end + 2]


def count_fields(header: bytes, name: bytes) -> int:
    """Count the fields of that name (lower case) in a header section; folded lines are no fields.

    White space between name and colon is allowed for (RFC 5322 §4.5).
    """
    return sum(1 for _ in _find_values(header, name))


def find_fields(header: bytes, name: bytes) -> list[bytes]:
    """Return the values of the fields of that name (lower case), each unfolded, in their order."""
    if header.lower().count(name) == 0:
        return []
    values: list[bytes] = []
    is_wanted = False
    for line in header.split(b"\r\n"):
        if line.startswith(_WHITE_SPACE):
            if is_wanted:
                values[-1] += line
            continue
        value = _value_of(line, name)
        is_wanted = value is not None
        if value is not None:
            values.append(value)
    return values


def remove_fields(header: bytes, name: bytes) -> bytes:
    """Return a header section without the fields of that name (lower case); the others stay as they are."""
    if header.lower().count(name) == 0:
        return header
    kept = []
    is_wanted = False
    for line in _LINE.findall(header):
        if not line.startswith(_WHITE_SPACE):
            is_wanted = _value_of(line, name) is not None
        if not is_wanted:
            kept.append(line)
    return b"".join(kept)


def find_field(header: bytes, name: bytes) -> tuple[int, int] | None:
    """Find the first field of that name (lower case): from behind its colon to the end of its last line.

    Every line of `header` must end with CRLF.
    """
    begin = next(_find_values(header, name), None)
    return None if begin is None else (begin, skip_folds(header, header.index(b"\r\n", begin) + 2))


def skip_folds(header: bytes, begin: int) -> int:
    """Return where the first line from `begin` on begins that does not continue a field."""
    while header[begin : begin + 1] in _WHITE_SPACE:
        begin = header.index(b"\r\n", begin) + 2
    return begin


def _find_values(header: bytes, name: bytes) -> Iterator[int]:
    """Find where the values of the fields of that name (lower case) begin; no other line is looked at."""
    folded = header.lower()
    begin = 0 if folded.startswith(name) else _after_line_end(folded, name, 0)
    while begin is not None:
        colon = _COLON.match(header, begin + len(name))
        if colon is not None:
            yield colon.end()
        begin = _after_line_end(folded, name, begin)


def _value_of(line: bytes, name: bytes) -> bytes | None:
    """Return what stands behind the colon, if a line begins a field of that name."""
    match = _FIELD_NAME.match(line)
    if match is None or match[0].lower() != name:
        return None
    colon = _COLON.match(line, match.end())
    return None if colon is None else line[colon.end() :]


def _after_line_end(octets: bytes, name: bytes, begin: int) -> int | None:
    """Find a name at the begin of a line that is not the first."""
    found = octets.find(b"\r\n" + name, begin)
    return None if found < 0 else found + 2
