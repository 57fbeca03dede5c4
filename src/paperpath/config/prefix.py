"""Networks of clients as access rules name them: a version of IP, so many first bits, which those are.

Called by the tables and by whoever reads a rules file, a hundred thousand lines of it in a moment; so it is
not `ipaddress` that reads here, which takes ten times as long. IPv4 that was mapped to IPv6 is IPv4.
"""

import ipaddress
from socket import AF_INET, AF_INET6, inet_pton
from typing import NamedTuple

from paperpath.config.network import NETWORK_EXPECTED, Network

WIDTHS = {4: 32, 6: 128}
"""How many bits an address has, by the version of IP."""

_FAMILIES = {4: AF_INET, 6: AF_INET6}
_LENGTHS = {version: {str(n): n for n in range(width + 1)} for version, width in WIDTHS.items()}
_MAPPED_LENGTH = 96  # of ::ffff:0:0/96 (RFC 4291 §2.5.5.2)
_MAPPED = 0xFFFF


class Prefix(NamedTuple):
    """A network, or one address: `bits` are its first `length`, as a number."""

    version: int
    length: int
    bits: int

    def __str__(self) -> str:
        shown = str(self.network)
        return shown.partition("/")[0] if self.is_address else shown

    @property
    def network(self) -> Network:
        """The same, as others have it."""
        kind = ipaddress.IPv4Network if self.version == 4 else ipaddress.IPv6Network
        return kind((self.first, self.length))

    @property
    def is_address(self) -> bool:
        """Whether it is a single address."""
        return self.length == WIDTHS[self.version]

    @property
    def first(self) -> int:
        """Its first address."""
        return self.bits << (WIDTHS[self.version] - self.length)


def parse_prefix(text: str) -> Prefix:
    """Read a network or an address. Bits behind its mask are a mistake, and most likely not the only one.

    Raises: ValueError, whose text says what was expected.
    """
    address, slash, behind = text.partition("/")
    version = 6 if ":" in address else 4
    try:
        value = int.from_bytes(inet_pton(_FAMILIES[version], address), "big")
    except (OSError, ValueError):
        raise ValueError(_expect(address)) from None
    length = _LENGTHS[version].get(behind) if slash else WIDTHS[version]
    if length is None:
        raise ValueError(f"expected {NETWORK_EXPECTED}")
    free = WIDTHS[version] - length
    bits = value >> free
    if bits << free != value:
        raise ValueError(
            f'expected no bits behind the first {length}, as in "{Prefix(version, length, bits)}"'
        )
    return Prefix(4, length, bits) if version == 4 else _unmap(length, bits)


def parse_client_prefix(text: str) -> Prefix | None:
    """Read a client's address; a zone is left out, and `None` is for what is no address."""
    try:
        found = parse_prefix(text.partition("%")[0])
    except ValueError:
        return None
    return found if found.is_address else None


def _unmap(length: int, bits: int) -> Prefix:
    """Return a network of IPv6 as what it is."""
    behind = length - _MAPPED_LENGTH
    if behind >= 0 and bits >> behind == _MAPPED:
        return Prefix(4, behind, bits & ((1 << behind) - 1))
    return Prefix(6, length, bits)


def _expect(address: str) -> str:
    if "%" in address:
        return f"expected an address without a zone, for rules hold on every interface: {NETWORK_EXPECTED}"
    return f"expected {NETWORK_EXPECTED}"
