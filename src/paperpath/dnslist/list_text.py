"""The text of a list of addresses: text in, the list or its mistakes out; pure.

    # one entry a line: a range, a value if it is not that of the zone, a reason if there is one
    192.0.2.7
    192.0.2.64/26                 127.0.0.4 Dynamic addresses
    198.51.100.9-198.51.100.30    Sent spam, see https://bad.example.org/{address}
    2001:db8:bad::/48

`{address}` in a reason stands for the address that was asked about. Addresses of IPv4 that were mapped to
IPv6 are what they are (C-17), so the test points of both families are one (RFC 5782 §5).
"""

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from socket import AF_INET, AF_INET6, inet_pton  # a twentieth of the time of ipaddress, for the same rules

from paperpath.config.complaints import show_value
from paperpath.config.own_list import parse_own_value, parse_reason
from paperpath.dns.lists import POINTS, IpAddress
from paperpath.dnslist.ranges import Ranges, Span

MOST_MISTAKES = 20
_RANGE_EXPECTED = 'expected an address, a network such as "192.0.2.0/24", or a range "FIRST-LAST"'
_COMMENT = re.compile(r"(?:^|\s)#.*")
_VALUE = re.compile(r"127(?:\.[0-9]{1,3}){3}")
_BITS = {4: 32, 6: 128}
_MAPPED = 0xFFFF << 32
_MOST_IPV4 = 2**32 - 1
_UNLISTED = {int(points.unlisted): points.unlisted for points in POINTS.values()}


class ListTextError(ValueError):
    """The text has mistakes: the first of them, each with its line, in the order of the lines."""

    def __init__(self, mistakes: list[tuple[int, str]]) -> None:
        """Gather them."""
        self.mistakes = mistakes
        super().__init__("\n".join(f"{line}: {message}" for line, message in mistakes))


@dataclass(frozen=True, slots=True)
class Entry:
    """What a list has of an address; `None`: what the zone says of all its entries."""

    value: ipaddress.IPv4Address | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class AddressList:
    """A list of addresses. `changed_s` is when its file was written, in seconds since 1970."""

    four: Ranges[Entry] = field(default_factory=Ranges)
    six: Ranges[Entry] = field(default_factory=Ranges)
    entries: int = 0
    changed_s: int = 0

    def __iter__(self) -> Iterator[Entry]:
        yield from self.four
        yield from self.six

    def find(self, address: IpAddress) -> Entry | None:
        """Return what the list has of an address that is not a mapped one."""
        return (self.four if address.version == 4 else self.six).find(int(address))


def parse_list(text: str, changed_s: int = 0) -> AddressList:
    """Read the text. Raises: ListTextError."""
    spans: dict[int, list[Span[Entry]]] = {4: [], 6: []}
    known: dict[str, Entry] = {}
    mistakes: list[tuple[int, str]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if "#" in line:
            line = _COMMENT.sub("", line)
        words = line.split(None, 1)
        if not words:
            continue
        try:
            version, first, last = _parse_range(words[0])
            told = words[1].rstrip() if len(words) > 1 else ""
            entry = known.get(told)
            if entry is None:
                entry = known[told] = _parse_entry(told)
        except ValueError as error:
            mistakes.append((number, f"{error}, got {show_value(line.strip())}"))
            if len(mistakes) == MOST_MISTAKES:
                break
        else:
            spans[version].append((first, last, entry))
    if mistakes:
        raise ListTextError(mistakes)
    return AddressList(Ranges(spans[4]), Ranges(spans[6]), len(spans[4]) + len(spans[6]), changed_s)


def _parse_range(text: str) -> tuple[int, int, int]:
    """Return the family, the first and the last address. Raises: ValueError."""
    head, dash, tail = text.partition("-")
    if dash:
        (version, first), (other, last) = _parse_address(head), _parse_address(tail)
        if version != other or first > last:
            raise ValueError("expected two addresses of one family, the lower one first")
        return _settle(version, first, last)
    head, slash, tail = text.partition("/")
    version, first = _parse_address(head)
    bits = _BITS[version]
    if not slash:
        return _settle(version, first, first)
    if not (tail.isascii() and tail.isdecimal() and int(tail) <= bits):
        raise ValueError(_RANGE_EXPECTED)
    hosts = (1 << bits - int(tail)) - 1
    if first & hosts:
        raise ValueError(f"expected an address that ends in zeros, for a network of {tail} bits")
    return _settle(version, first, first | hosts)


def _parse_address(text: str) -> tuple[int, int]:
    """Return the family and the number of an address. Raises: ValueError."""
    version = 6 if ":" in text else 4
    try:
        return version, int.from_bytes(inet_pton(AF_INET6 if version == 6 else AF_INET, text), "big")
    except (OSError, ValueError):
        what = f"{_RANGE_EXPECTED}; no interface of this host behind it" if "%" in text else _RANGE_EXPECTED
        raise ValueError(what) from None


def _settle(version: int, first: int, last: int) -> tuple[int, int, int]:
    """Return a range by the family that it is of. Raises: ValueError, where it has what no list has."""
    for number, point in _UNLISTED.items():
        if point.version == version and first <= number <= last:
            raise ValueError(
                f"expected a range without {point}, which by RFC 5782 no list has, "
                "so that everybody sees that it does not list everything"
            )
    if version == 6 and first >= _MAPPED and last <= _MAPPED + _MOST_IPV4:
        return 4, first - _MAPPED, last - _MAPPED
    return version, first, last


def _parse_entry(told: str) -> Entry:
    """Raises: ValueError."""
    if not told:
        return Entry()
    word, *rest = told.split(None, 1)
    if _VALUE.fullmatch(word) is None:
        return Entry(reason=parse_reason(told))
    return Entry(parse_own_value(word), parse_reason(rest[0]) if rest else None)
