"""Listening sockets: opened all or none, with an error that says who wants which address."""

import errno
import socket
from collections.abc import Iterable
from contextlib import ExitStack

from paperpath.config.endpoint import Endpoint
from paperpath.service.errors import ServiceError

_BACKLOG = 1024
_REASONS = {
    errno.EADDRINUSE: "another program has it already",
    errno.EACCES: "that takes a privilege this user does not have",
    errno.EADDRNOTAVAIL: "this machine does not have that address",
}


def open_listeners(program: str, endpoints: Iterable[Endpoint]) -> list[socket.socket]:
    """Open a listening TCP socket for each endpoint, non-blocking.

    Raises: ServiceError, naming program and address; then none is left open.
    """
    with ExitStack() as opened:
        sockets = [opened.enter_context(_open(program, endpoint)) for endpoint in endpoints]
        opened.pop_all()
        return sockets


def _open(program: str, endpoint: Endpoint) -> socket.socket:
    family = socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:  # an IPv4 listener beside it is configured, not implied
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((endpoint.host, endpoint.port))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        reason = _REASONS.get(error.errno or 0, error.strerror)
        raise ServiceError(f"{program} cannot listen on {endpoint}: {reason}") from error
    return listener
