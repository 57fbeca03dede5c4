"""The server that `paperpath bench` is told to measure: its address, and whether it may be flooded.

Called by bench_measuring.py. A load sent to a stranger by a slip of the finger is an attack, so a host that
is not this one must be named twice.
"""

import ipaddress
import os
import re
import socket
import ssl

from paperpath.commands.options import fail
from paperpath.load.connection import Server

TARGET_EXPECTED = "HOST:PORT, such as 127.0.0.1:2525 or [::1]:25, or the path of a local socket"

_TARGET = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+)):(?P<port>[0-9]{1,5})")


def find_server(target: str, *, allowed: str, secure: bool) -> Server:
    """Find a server; exit where there is none, or on another host that was not `allowed` by name."""
    if target.startswith("/"):
        return Server(socket.AF_UNIX, target, "localhost", _make_context(verifies=False) if secure else None)
    host, port = parse_target(target)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        fail(f"{host}: {error.strerror}", os.EX_NOHOST)
    family, _, _, _, address = found[0]
    is_own = ipaddress.ip_address(str(address[0])).is_loopback
    if not is_own and allowed != host:
        fail(
            f"{host} is another host, or may be: --yes-this-host {host} says that its owner wants this load",
            os.EX_USAGE,
        )
    context = _make_context(verifies=not is_own) if secure else None
    return Server(family, (str(address[0]), int(address[1])), host, context)


def parse_target(text: str, what: str = "TARGET") -> tuple[str, int]:
    """Read HOST:PORT; exit where it is something else."""
    match = _TARGET.fullmatch(text)
    if match is None or not 0 < int(match["port"]) <= 65535:
        fail(f"{what} {text}: expected {TARGET_EXPECTED}", os.EX_USAGE)
    return match["six"] or match["name"], int(match["port"])


def _make_context(*, verifies: bool) -> ssl.SSLContext:
    """Make the context of all connections. On this host certificates are for nobody, and not judged."""
    context = ssl.create_default_context()
    if not verifies:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
