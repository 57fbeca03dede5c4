"""Lists of addresses in the DNS: the names to ask for, and what the answers mean (RFC 5782).

Called by the ways in, which ask lists about their clients. Pure: answers in, findings out. Rules:

1. Only values in 127.0.0.0/8 say that an address is listed. Any other is a zone that is no list any more, and
   127.255.255.0/24 an operator who refuses to answer us: both are failures, and no value is ever contacted.
2. That a name is not there, and that it has no such record, both say that an address is not listed.
3. Whatever a reason holds, one line of printable ASCII without parentheses comes of it (attack S-6).
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from paperpath.config.client_list import ERRORS, VALUES, Selection
from paperpath.dns.answer import Answer

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

MOST_REASON = 400  # characters: with the rest of the reply it has 512 octets
_MOST_OCTETS = 4 * MOST_REASON  # of a reason that are looked at
_EVERY_VALUE = Selection()
_REMEMBERED = 1024  # clients, many of whom come again and again
_NOT_SHOWN = re.compile(r"[^ -'*-~]")


class Standing(Enum):
    """What a list says of an address."""

    LISTED = "listed"
    UNLISTED = "not listed"
    FAILED = "failed"
    """It says nothing that could be believed."""
    IGNORED = "ignored"
    """It was not asked, since it has failed its test."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a list says, and by which values, or why it says nothing."""

    standing: Standing
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.standing.value}: {self.detail}" if self.detail else self.standing.value


_NO_ENTRY = Finding(Standing.UNLISTED)


@dataclass(frozen=True, slots=True)
class Points:
    """Two addresses to test a list by: every list has the first, and none has the second (RFC 5782 §5)."""

    listed: IpAddress
    unlisted: IpAddress


POINTS = {
    4: Points(ipaddress.IPv4Address("127.0.0.2"), ipaddress.IPv4Address("127.0.0.1")),
    6: Points(ipaddress.IPv6Address("::ffff:7f00:2"), ipaddress.IPv6Address("::ffff:7f00:1")),
}
"""By the version of IP; a list may be for one of them only."""


@lru_cache(_REMEMBERED)
def parse_client(text: str) -> IpAddress | None:
    """Read a client's address, one of IPv4 that was mapped to IPv6 as what it is; `None` for none."""
    try:
        if ":" not in text:
            return ipaddress.IPv4Address(text)
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return None
    return address.ipv4_mapped or address


@lru_cache(_REMEMBERED)
def reverse_address(address: IpAddress) -> str:
    """Return how the names of an address begin, whatever the list (RFC 5782 §2.1, §2.4)."""
    parts = str(address).split(".") if address.version == 4 else address.packed.hex()
    return ".".join(reversed(parts))


def name_entry(address: IpAddress, zone: str) -> str:
    """Return the name that is there if a list has an address."""
    return f"{reverse_address(address)}.{zone}"


def judge_entry(answer: Answer[str], selection: Selection = _EVERY_VALUE) -> Finding:
    """Say what the answer about an entry's A records means; `selection`: which values count."""
    if not answer.records:
        is_failure = answer.is_temporary
        return Finding(Standing.FAILED, answer.detail or answer.status.value) if is_failure else _NO_ENTRY
    values = [ipaddress.IPv4Address(text) for text in answer.records]
    sound = [value for value in values if value in VALUES and value not in ERRORS]
    if not sound:
        what = "an operator's error" if values[0] in ERRORS else "an address outside 127.0.0.0/8"
        return Finding(Standing.FAILED, f"{values[0]}: {what}")
    is_listed = any(map(selection.has, sound))
    return Finding(Standing.LISTED if is_listed else Standing.UNLISTED, " ".join(map(str, sound)))


def judge_test(listed: Answer[str], unlisted: Answer[str]) -> str | None:
    """Say what is wrong with a list by the answers about its test points; empty if nothing is.

    `None`: that is not known, for there is no answer to one of them just now.
    """
    if listed.is_temporary or unlisted.is_temporary:
        return None
    first, second = judge_entry(listed), judge_entry(unlisted)
    if Standing.FAILED in (first.standing, second.standing):
        return first.detail if first.standing is Standing.FAILED else second.detail
    if second.standing is Standing.LISTED:
        return "it lists what no list has: the test point for that, and most likely everything"
    return "" if first.standing is Standing.LISTED else "it has no entry for the test point of every list"


def clean_reason(records: Sequence[bytes]) -> str:
    """Make one line for people of the first of a list's TXT records; empty if there is nothing to tell."""
    text = records[0][:_MOST_OCTETS].decode("utf-8", "replace") if records else ""
    line = " ".join(text.replace("(", "[").replace(")", "]").split())
    return _NOT_SHOWN.sub("?", line)[:MOST_REASON].strip()
