"""Sizes in octets, as an administrator writes them: 1048576, "50 MiB", "10 MB".

Called by the tables. Decimal units are powers of 1000 and binary units powers of 1024, always.
"""

import re

OCTETS_EXPECTED = 'a number of octets, such as 1048576, "50 MiB" or "10 MB"'
MOST_OCTETS = 2**63 - 1  # what a TOML integer may be; Python's reader takes larger ones

_SIZE = re.compile(r"([0-9]{1,15}) ?([kKMG]i?B)")
_FACTORS = {
    "kB": 10**3,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
}


def parse_octets(value: object) -> int:
    """Return the number of octets that a TOML integer or a string with a unit means.

    Raises: ValueError, whose text says what was expected.
    """
    octets = _count(value)
    if octets is None or octets > MOST_OCTETS:
        raise ValueError(f"expected {OCTETS_EXPECTED}")
    return octets


def _count(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None or match[2] not in _FACTORS:
        return None
    return int(match[1]) * _FACTORS[match[2]]
