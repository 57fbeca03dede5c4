"""What is bounded for each network of clients or in a session, and what is said to who is too many: pure.

A `Limit` is what the sessions count in the metrics and reply with. `Networks` says who counts as one.
"""

import ipaddress
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from paperpath.config.limit_tables import LimitsTable
from paperpath.mail.reply import Reply
from paperpath.smtp import replies


class Limit(Enum):
    """One bound; the value is its name in the metrics."""

    CONNECTIONS = "connections"
    CONNECTIONS_OF_NETWORK = "connections of a network"
    CONNECTION_RATE = "connections per minute"
    MESSAGE_RATE = "messages per minute"
    RECIPIENT_RATE = "recipients per minute"
    ERRORS = "errors"

    @property
    def reply(self) -> Reply:
        """What is said to who has reached it."""
        return _REPLIES[self]


_REPLIES = {
    Limit.CONNECTIONS: replies.R421_TOO_MANY_CONNECTIONS,
    Limit.CONNECTIONS_OF_NETWORK: replies.R421_TOO_MANY_FROM_CLIENT,
    Limit.CONNECTION_RATE: replies.R421_TOO_OFTEN,
    Limit.MESSAGE_RATE: replies.R450_TOO_MANY_MESSAGES,
    Limit.RECIPIENT_RATE: replies.R450_TOO_MANY_RECIPIENTS,
    Limit.ERRORS: replies.R421_TOO_MANY_ERRORS,
}


@dataclass(frozen=True, slots=True)
class Networks:
    """How much of an address is the network's."""

    ipv4_bits: int
    ipv6_bits: int

    @classmethod
    def of(cls, table: LimitsTable) -> "Networks":
        """Make them as configured."""
        return cls(table.ipv4_bits, table.ipv6_bits)

    def find(self, client: str) -> str:
        """Return the network of a client; what is no address, as a user of this host, is one of its own."""
        return _find_network(client, self.ipv4_bits, self.ipv6_bits)


@lru_cache(maxsize=4096)
def _find_network(client: str, ipv4_bits: int, ipv6_bits: int) -> str:
    """Find it; who comes once comes again, and to read an address takes as long as a command."""
    try:
        address = ipaddress.ip_address(client.partition("%")[0])
    except ValueError:
        return client
    if address.version == 6 and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    bits = ipv4_bits if address.version == 4 else ipv6_bits
    if bits == address.max_prefixlen:
        return str(address)
    return str(ipaddress.ip_network((address, bits), strict=False))
