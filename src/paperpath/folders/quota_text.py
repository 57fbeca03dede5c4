"""The text of `maildirsize`, in which Maildir++ keeps how full a mailbox is: pure (requirement F-10).

The first line is the quota; each of the others is a size and a number of messages to be added, both
negative where messages went. Other programs write it, too, and people; what is not understood makes the
whole worthless, for the messages can be counted anew at any time.
"""

import re
from dataclasses import dataclass

from paperpath.config.quota import Quota

FULL_FILE_OCTETS = 5120  # a file so long is begun anew

_LINE = re.compile(rb"[ \t]*([+-]?[0-9]{1,18})[ \t]+([+-]?[0-9]{1,18})[ \t]*")
_LIMIT = re.compile(rb"([0-9]{1,18})([SC])")


@dataclass(frozen=True, slots=True)
class Usage:
    """How many octets and messages there are, or more than there were."""

    octets: int = 0
    messages: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        """Return both together."""
        return Usage(self.octets + other.octets, self.messages + other.messages)

    def is_within(self, quota: Quota) -> bool:
        """Tell whether a quota allows so much."""
        is_over = 0 < quota.octets < self.octets or 0 < quota.messages < self.messages  # a limit of 0 is none
        return not is_over


@dataclass(frozen=True, slots=True)
class Sums:
    """What a file says: of which quota, the sum of its lines, and how many those are."""

    quota: Quota
    usage: Usage
    lines: int


def read_sums(text: bytes) -> Sums | None:
    """Add up a file's text; `None` where it cannot be relied on.

    A last line that does not end may be half of one, and the next to write there would append to it.
    """
    head, *lines = text.replace(b"\r\n", b"\n").split(b"\n")
    quota = _read_quota(head.strip())
    found = [_LINE.fullmatch(line) for line in lines if line.strip()]
    if quota is None or not found or lines[-1]:
        return None
    octets = messages = 0
    for match in found:
        if match is None:
            return None
        octets += int(match[1])
        messages += int(match[2])
    return Sums(quota, Usage(octets, messages), len(found)) if octets >= 0 and messages >= 0 else None


def format_line(usage: Usage) -> bytes:
    """Return the line that adds something."""
    return b"%d %d\n" % (usage.octets, usage.messages)


def format_sums(quota: Quota, usage: Usage) -> bytes:
    """Return a file's text that begins anew."""
    return b"%s\n%s" % (str(quota).encode(), format_line(usage))


def _read_quota(text: bytes) -> Quota | None:
    limits = {b"S": 0, b"C": 0}
    for part in text.split(b","):
        match = _LIMIT.fullmatch(part.strip())
        if match is None:
            return None
        limits[match[2]] = int(match[1])
    return Quota(limits[b"S"], limits[b"C"])
