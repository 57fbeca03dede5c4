"""Where a program listens, or where one is asked: an IP address and a port.

Called by the tables; the ways in bind to what comes out, the resolver asks there. Names are not taken, so
that nothing here ever asks a resolver. Users of this host have a socket in its file system instead.
"""

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path

ENDPOINT_EXPECTED = '"ADDRESS:PORT", such as "127.0.0.1:25" or "[::1]:25", the port from 1 to 65535'

_ENDPOINT = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<four>[0-9.]+)):(?P<port>[1-9][0-9]{0,4})")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address and a port; `host` is an IPv4 or IPv6 literal without brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return format_endpoint(self)

    @property
    def is_unspecified(self) -> bool:
        """Whether this means every interface of the host: 0.0.0.0 or [::]."""
        return ipaddress.ip_address(self.host).is_unspecified

    @property
    def is_loopback(self) -> bool:
        """Whether only this host can reach it."""
        return ipaddress.ip_address(self.host).is_loopback


@dataclass(frozen=True, slots=True)
class LocalSocket:
    """A socket in the file system, to which every user of this host may connect."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True, slots=True)
class DatagramPort:
    """An endpoint for datagrams: UDP, where all others are for TCP."""

    endpoint: Endpoint

    def __str__(self) -> str:
        return f"{self.endpoint} (UDP)"


Place = Endpoint | LocalSocket
"""Where clients connect."""
Port = Place | DatagramPort
"""Whatever a program opens to be reached."""


def parse_endpoint(text: str) -> Endpoint:
    """Read "127.0.0.1:25" or "[::1]:25"; an IPv6 address is brought to its shortest spelling.

    Raises: ValueError, whose text says what was expected.
    """
    match = _ENDPOINT.fullmatch(text)
    if match is None or int(match["port"]) > 65535:
        raise ValueError(f"expected {ENDPOINT_EXPECTED}")
    try:
        address = (
            ipaddress.IPv6Address(match["six"]) if match["six"] else ipaddress.IPv4Address(match["four"])
        )
    except ipaddress.AddressValueError:
        raise ValueError(f"expected {ENDPOINT_EXPECTED}") from None
    return Endpoint(str(address), int(match["port"]))


def format_endpoint(endpoint: Endpoint) -> str:
    """Write an endpoint, the inverse of `parse_endpoint`."""
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    return f"{host}:{endpoint.port}"
