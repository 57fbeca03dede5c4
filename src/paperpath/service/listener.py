"""Listening sockets: opened all or none, with an error that says who wants which address.

Opened by the supervisor for the programs it runs, and by a program that was started alone.
"""

import errno
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from paperpath.config.endpoint import Endpoint
from paperpath.service.errors import ServiceError

BACKLOG = 1024
_REASONS = {
    errno.EADDRINUSE: "another program has it already",
    errno.EACCES: "that takes a privilege this user does not have",
    errno.EADDRNOTAVAIL: "this machine does not have that address",
}


def open_listeners(program: str, endpoints: Sequence[Endpoint]) -> list[socket.socket]:
    """Open a listening TCP socket for each endpoint, non-blocking.

    Raises: ServiceError, naming program and address; then none is left open.
    """
    return _open(program, endpoints, sharing=False)


def open_listener_sets(program: str, endpoints: Sequence[Endpoint], count: int) -> list[list[socket.socket]]:
    """Open `count` sets of listening sockets, one for each process; the kernel spreads the clients over them.

    Raises: ServiceError, as `open_listeners` does.
    """
    if count == 1:
        return [open_listeners(program, endpoints)]
    # Sockets that share a port share it with whoever of our user shares it too, another Paperpath say. So
    # first see that it is free for one who does not share.
    with ExitStack() as probes:
        for endpoint in endpoints:
            probes.enter_context(_bind(program, endpoint, sharing=False))
    with ExitStack() as opened:
        sets = []
        for _ in range(count):
            sets.append(_open(program, endpoints, sharing=True))
            for listener in sets[-1]:
                opened.enter_context(listener)
        opened.pop_all()
    return sets


def adopt_listener(descriptor: int) -> socket.socket:
    """Take a listening socket that whoever started us opened; whom we start does not get it."""
    listener = socket.socket(fileno=descriptor)
    listener.set_inheritable(False)
    listener.setblocking(False)
    return listener


def _open(program: str, endpoints: Sequence[Endpoint], *, sharing: bool) -> list[socket.socket]:
    with ExitStack() as opened:
        listeners = []
        for endpoint in endpoints:
            listener = opened.enter_context(_bind(program, endpoint, sharing=sharing))
            with _explaining(program, endpoint):
                listener.listen(BACKLOG)
            listeners.append(listener)
        opened.pop_all()
    return listeners


def _bind(program: str, endpoint: Endpoint, *, sharing: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    with ExitStack() as opened, _explaining(program, endpoint):
        opened.enter_context(listener)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sharing:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family is socket.AF_INET6:  # an IPv4 listener beside it is configured, not implied
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((endpoint.host, endpoint.port))
        opened.pop_all()
    return listener


@contextmanager
def _explaining(program: str, endpoint: Endpoint) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, error.strerror)
        raise ServiceError(f"{program} cannot listen on {endpoint}: {reason}") from error
