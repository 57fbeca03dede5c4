"""The header section looked at as octets: where it ends, which fields there are (RFC 5322 §2.1, §2.2).

For the relay, which counts trace fields against loops (RFC 5321 §6.3) and tells the journal the Message-ID,
and for local delivery, which knows by Delivered-To what was here before. Nothing here decodes or changes a
field.
"""

import re

_FIELD_NAME = re.compile(rb"[!-9;-~]+")
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
    if header.lower().count(name) == 0:  # one pass at the speed of memchr, for the common case
        return 0
    count = 0
    for line in header.split(b"\r\n"):
        match = _FIELD_NAME.match(line)
        if match and match[0].lower() == name and line[match.end() :].lstrip(b" \t").startswith(b":"):
            count += 1
    return count


def find_fields(header: bytes, name: bytes) -> list[bytes]:
    """Return the values of the fields of that name (lower case), each unfolded, in their order."""
    if header.lower().count(name) == 0:
        return []
    values: list[bytes] = []
    is_wanted = False
    for line in header.split(b"\r\n"):
        if line.startswith((b" ", b"\t")):
            if is_wanted:
                values[-1] += line
            continue
        match = _FIELD_NAME.match(line)
        rest = line[match.end() :].lstrip(b" \t") if match else b""
        is_wanted = match is not None and match[0].lower() == name and rest.startswith(b":")
        if is_wanted:
            values.append(rest[1:])
    return values


def find_field(header: bytes, name: bytes) -> tuple[int, int] | None:
    """Find the first field of that name (lower case): from behind its colon to the end of its last line.

    Every line of `header` must end with CRLF.
    """
    folded = header.lower()
    begin = 0 if folded.startswith(name) else _after_line_end(folded, name, 0)
    while begin is not None:
        colon = _COLON.match(header, begin + len(name))
        if colon is not None:
            return colon.end(), skip_folds(header, header.index(b"\r\n", begin) + 2)
        begin = _after_line_end(folded, name, begin)
    return None


def skip_folds(header: bytes, begin: int) -> int:
    """Return where the first line from `begin` on begins that does not continue a field."""
    while header[begin : begin + 1] in _WHITE_SPACE:
        begin = header.index(b"\r\n", begin) + 2
    return begin


def _after_line_end(octets: bytes, name: bytes, begin: int) -> int | None:
    """Find a name at the begin of a line that is not the first."""
    found = octets.find(b"\r\n" + name, begin)
    return None if found < 0 else found + 2
