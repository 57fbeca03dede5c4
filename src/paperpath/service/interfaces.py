"""The addresses of this host's interfaces, as Linux lists them; read anew whenever somebody asks."""

import ipaddress
from itertools import pairwise
from pathlib import Path

_IPV4_FILE = Path("/proc/net/fib_trie")
_IPV6_FILE = Path("/proc/net/if_inet6")


def read_own_addresses() -> frozenset[str]:
    """Return the addresses, in their shortest spelling; those that cannot be read are not among them."""
    return frozenset(parse_ipv4(_read(_IPV4_FILE))) | frozenset(parse_ipv6(_read(_IPV6_FILE)))


def parse_ipv4(text: str) -> list[str]:
    """Read the routing table's tree: an address stands on the line before the one that calls it local."""
    lines = text.splitlines()
    return [before.split()[-1] for before, line in pairwise(lines) if line.strip() == "/32 host LOCAL"]


def parse_ipv6(text: str) -> list[str]:
    """Read the list of interfaces' addresses: 32 hexadecimal digits each."""
    return [str(ipaddress.IPv6Address(int(line.split()[0], 16))) for line in text.splitlines() if line]


def _read(file: Path) -> str:
    try:
        return file.read_text("ascii")
    except OSError:
        return ""
