"""Networks of clients, as access rules name them, and single addresses.

Called by the tables; the ways in ask a network whether a client is in it.
"""

import ipaddress
from collections.abc import Iterable

NETWORK_EXPECTED = 'a network such as "192.0.2.0/24" or "2001:db8::/32", or one address'
ADDRESS_EXPECTED = 'an address such as "192.0.2.1" or "2001:db8::1"'

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def parse_network(text: str) -> Network:
    """Read a network; bits set behind its mask are a mistake, and most likely not the only one.

    Raises: ValueError, whose text says what was expected.
    """
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise ValueError(f"expected {NETWORK_EXPECTED}") from None


def parse_address(text: str) -> str:
    """Return an address in its shortest spelling. Raises: ValueError, whose text says what was expected."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError(f"expected {ADDRESS_EXPECTED}") from None


def is_in_one(address: str, networks: Iterable[Network]) -> bool:
    """Tell whether one of a few networks has an address; what is no address is in none."""
    try:
        client = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(client in network for network in networks)
