"""How much a mailbox may hold, as an administrator writes it: "1 GiB", "500 MB,10000C", "none".

Called by the tables, the accounts, the commands, and by whoever keeps a mailbox to it. The canonical text
is the definition that Maildir++ has in the first line of `maildirsize`: 1000000S,1000C.
"""

import re
from dataclasses import dataclass

from paperpath.config.octets import MOST_OCTETS, parse_octets

QUOTA_EXPECTED = 'a size, such as "1 GiB" or "10G", messages, such as "1000C", both with a comma, or "none"'
NONE = "none"

_SHORT_SIZE = re.compile(r"([0-9]{1,18})([SKMGT])")
_MESSAGES = re.compile(r"([0-9]{1,18})C")
_FACTORS = {
    "S": 1,
    "K": 2**10,
    "M": 2**20,
    "G": 2**30,
    "T": 2**40,
}  # one letter is binary, as du and ls have it


@dataclass(frozen=True, slots=True)
class Quota:
    """How many octets and how many messages; 0 of either is no limit."""

    octets: int = 0
    messages: int = 0

    @property
    def is_limit(self) -> bool:
        """Whether it limits anything."""
        return bool(self.octets or self.messages)

    def __str__(self) -> str:
        """Return the canonical text."""
        parts = [f"{self.octets}S"] * bool(self.octets) + [f"{self.messages}C"] * bool(self.messages)
        return ",".join(parts) or NONE


NO_QUOTA = Quota()


def parse_quota(value: object) -> Quota:
    """Read a quota, a number of octets or text. Raises: ValueError, whose text says what was expected."""
    if value == NONE:
        return NO_QUOTA
    found: dict[str, int] = {}
    for part in value.split(",") if isinstance(value, str) else [value]:
        kind, number = _parse_part(part)
        if kind in found or not 0 < number <= MOST_OCTETS:
            raise ValueError(f"expected {QUOTA_EXPECTED}")
        found[kind] = number
    return Quota(**found)


def _parse_part(part: object) -> tuple[str, int]:
    """Return what a part limits, and to how many."""
    if isinstance(part, str):
        if (match := _MESSAGES.fullmatch(part)) is not None:
            return "messages", int(match[1])
        if (match := _SHORT_SIZE.fullmatch(part)) is not None:
            return "octets", int(match[1]) * _FACTORS[match[2]]
    try:
        return "octets", parse_octets(part)
    except ValueError:
        raise ValueError(f"expected {QUOTA_EXPECTED}") from None
