"""Lists of clients in the DNS, as the configuration names them (RFC 5782): what for, where, which values.

Called by the tables; the ways in ask such lists about their clients, in the order of the configuration.
"black:bad.example.com" is a list whose clients may write to postmasters only, "white:good.example.com" one
whose clients no later list is asked about. Of a combined list some entries may be meant alone: behind "="
stand the values that count, or networks of them, or "&" and bits, one of which must be set (RFC 5782 §2.3).
"""

import ipaddress
import re
from dataclasses import dataclass
from enum import Enum

from paperpath.mail.domain import is_domain

CLIENT_LIST_EXPECTED = (
    '"black:" or "white:" and the domain of a list, such as "black:bad.example.com", '
    'and if you like the values that count, such as "black:bad.example.com=127.0.0.2,127.0.1.0/24,&12"'
)
VALUES = ipaddress.IPv4Network("127.0.0.0/8")
ERRORS = ipaddress.IPv4Network("127.255.255.0/24")
"""Values by which a list's operator says that something is wrong with the question."""

_LONGEST_NAME = len(".".join("f" * 32)) + 1  # of a client before the list's domain
LONGEST_ZONE = 253 - _LONGEST_NAME  # RFC 1035 §2.3.4
_FORM = re.compile(r"(black|white):([^=]+?)\.?(?:=([^=]+))?")
_BITS = re.compile(r"&([1-9][0-9]{0,7})")
_MOST_BITS = 2**24 - 1  # those of a value that are not the network's


class Colour(Enum):
    """What a list is for."""

    BLACK = "black"
    WHITE = "white"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which values count: those in one of the networks, and those with one of the bits."""

    networks: tuple[ipaddress.IPv4Network, ...] = (VALUES,)
    bits: int = 0

    def has(self, value: ipaddress.IPv4Address) -> bool:
        """Tell whether a value counts."""
        return bool(int(value) & self.bits) or any(value in network for network in self.networks)


@dataclass(frozen=True, slots=True)
class ClientList:
    """One list; `text` is how the configuration writes it, without a dot at the end of the domain."""

    text: str
    colour: Colour
    zone: str
    selection: Selection = Selection()

    def __str__(self) -> str:
        return self.text


def parse_client_list(text: str) -> ClientList:
    """Read one entry of `lists`. Raises: ValueError, whose text says what was expected."""
    form = _FORM.fullmatch(text)
    if form is None or not is_domain(form[2]) or len(form[2]) > LONGEST_ZONE or "." not in form[2]:
        raise ValueError(f"expected {CLIENT_LIST_EXPECTED}")
    colour, zone = Colour(form[1]), form[2].lower()
    if form[3] is None:
        return ClientList(f"{colour.value}:{zone}", colour, zone)
    return ClientList(f"{colour.value}:{zone}={form[3]}", colour, zone, _parse_selection(form[3]))


def _parse_selection(text: str) -> Selection:
    networks, bits = [], 0
    for part in text.split(","):
        if (found := _BITS.fullmatch(part)) is not None and int(found[1]) <= _MOST_BITS:
            bits |= int(found[1])
        else:
            networks.append(_parse_values(part))
    return Selection(tuple(networks), bits)


def _parse_values(text: str) -> ipaddress.IPv4Network:
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError:
        raise ValueError(f"expected {CLIENT_LIST_EXPECTED}") from None
    if not network.subnet_of(VALUES) or network.subnet_of(ERRORS):
        raise ValueError(f"expected values in {VALUES}, and none in {ERRORS}, which means an error")
    return network
