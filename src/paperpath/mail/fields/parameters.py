"""Parameters of MIME fields written, file names above all (RFC 2045 §5.1, RFC 2231 §3, §4).

Called by whoever makes a part with a name; folding.py puts the pieces into lines.
"""

import re
from collections.abc import Iterator

_MOST_COLUMNS = 50  # of a value: with its name and what stands around it, it has room in a line of 78
_MUST_BE_QUOTED = re.compile(r'["\\]')
# RFC 2231 §7, attribute-char; the rest is written as its octets' numbers.
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`{|}~")
_OCTETS = [chr(octet) if octet in _PLAIN else f"%{octet:02X}" for octet in range(256)]


def write_parameter(name: str, value: str) -> list[str]:
    """Write one parameter, in pieces: each begins with a blank, and all but the last end in a semicolon.

    The value has no control characters. It is a quoted string, or in UTF-8 and percents where it must be, cut
    where it is long.
    """
    quoted = '"' + _MUST_BE_QUOTED.sub(r"\\\g<0>", value) + '"'
    if quoted.isascii() and len(quoted) <= _MOST_COLUMNS:
        return [f" {name}={quoted}"]
    parts = list(_cut(value))
    if len(parts) == 1:
        return [f" {name}*=utf-8''{parts[0]}"]
    pieces = [f" {name}*{number}*={part};" for number, part in enumerate(parts)]
    pieces[0] = pieces[0].replace("*=", "*=utf-8''", 1)
    return [*pieces[:-1], pieces[-1].removesuffix(";")]


def _cut(value: str) -> Iterator[str]:
    """Give a value in percents, in parts that fit, no character in two of them."""
    part = ""
    for character in value:
        written = "".join(_OCTETS[octet] for octet in character.encode())
        if len(part) + len(written) > _MOST_COLUMNS:
            yield part
            part = ""
        part += written
    yield part
