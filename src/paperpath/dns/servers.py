"""The servers that the resolver asks: those of [dns], or those of this host (resolv.conf(5)).

Called where a program makes its resolver. The host's are read anew when the file changes: a laptop moves, and
a host that starts before its network has none at first.
"""

import ipaddress
from collections.abc import Callable
from pathlib import Path

from paperpath.config.endpoint import Endpoint
from paperpath.config.tables import DnsTable
from paperpath.service.watched_file import WatchedFile

HOST_FILE = Path("/etc/resolv.conf")
PORT = 53

Servers = tuple[Endpoint, ...]


def find_servers(table: DnsTable, file: Path = HOST_FILE) -> Callable[[], Servers]:
    """Return what tells the servers to ask now, in this order; there is at least one."""
    if table.servers:
        return lambda: table.servers
    return WatchedFile(file, _load, OSError).read


def parse_host_file(text: str) -> Servers:
    """Return the servers that a resolv.conf names; without any it means one on this host."""
    lines = (line.split() for line in text.splitlines())
    named = (words[1] for words in lines if words[:1] == ["nameserver"] and len(words) > 1)
    return tuple(Endpoint(name, PORT) for name in named if _is_address(name)) or (
        Endpoint("127.0.0.1", PORT),
    )


def _load(file: Path) -> Servers:
    try:
        return parse_host_file(file.read_text("utf-8", "replace"))
    except OSError:
        return parse_host_file("")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
