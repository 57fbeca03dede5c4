"""The names of deliveries in a Maildir: pure.

A delivery is given a name that stays the same however often it is tried. Where it lies it has its size in
octets behind that, so that who adds up a mailbox need not look at each file (Maildir++), and mail programs
put flags there: `1700000000.M1R2.host,S=512:2,FS`. What came with bare CR or LF is stored verbatim, and has
`,V` behind its size.
"""

import re

_INFO = ":2,"  # what a mail program puts between name and flags
_VERBATIM = ",V"
_SIZE = re.compile(r",S=([0-9]{1,18})(?![0-9])")


def add_size(name: str, octets: int) -> str:
    """Return a delivery's name with its size, as it is stored."""
    return f"{name},S={octets}"


def find_size(entry: str) -> int | None:
    """Return the size that a file's name tells."""
    match = _SIZE.search(entry)
    return None if match is None else int(match[1])


def add_verbatim(name: str) -> str:
    """Return a name that tells that the file has its octets as they came."""
    return name + _VERBATIM


def is_verbatim(entry: str) -> bool:
    """Tell whether a file has its octets as they came, CRLF and all."""
    return f"{_VERBATIM}:" in f"{entry}:"


def is_delivery(entry: str, name: str) -> bool:
    """Tell whether a file is the delivery of a name, whatever was put behind that."""
    return entry == name or entry.startswith((name + _INFO, name + ","))
