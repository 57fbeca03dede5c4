"""Listening sockets, TCP and UDP: opened all or none, with an error that says who wants which address.

Opened by the supervisor for the programs it runs, and by a program that was started alone. A local socket is
made as the service user, whose folder it lies in: who owns a folder can lead elsewhere what root does there.
"""

import errno
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager

from paperpath.config.endpoint import DatagramPort, Endpoint, LocalSocket, Port
from paperpath.service.errors import ServiceError
from paperpath.service.privileges import Identity, acting_as
from paperpath.service.socket_folder import SocketFolder

BACKLOG = 1024
_REASONS = {
    errno.EADDRINUSE: "another program has it already",
    errno.EACCES: "that takes a privilege this user does not have",
    errno.EADDRNOTAVAIL: "this machine does not have that address",
}


def open_listeners(
    program: str, places: Sequence[Port], owner: Identity | None = None
) -> list[socket.socket]:
    """Open a listening socket for each place, non-blocking; a local one belongs to `owner`, or else to us.

    Raises: ServiceError, naming program and place; then none is left open.
    """
    with ExitStack() as opened:
        listeners = [
            opened.enter_context(
                _open_local(program, place, owner)
                if isinstance(place, LocalSocket)
                else _open(program, place, sharing=False)
            )
            for place in places
        ]
        opened.pop_all()
    return listeners


def open_listener_sets(
    program: str, places: Sequence[Port], count: int, owner: Identity | None = None
) -> list[list[socket.socket]]:
    """Open `count` sets of listening sockets, one for each process; the kernel spreads the clients over them.

    A local socket is one, and in all sets: whoever is first accepts.

    Raises: ServiceError, as `open_listeners` does.
    """
    if count == 1:
        return [open_listeners(program, places, owner)]
    # Sockets that share a port share it with whoever of our user shares it too, another Paperpath say. So
    # first see that it is free for one who does not share.
    with ExitStack() as probes:
        for place in places:
            if not isinstance(place, LocalSocket):
                probes.enter_context(_bind(program, place, sharing=False))
    with ExitStack() as opened:
        sets: list[list[socket.socket]] = [[] for _ in range(count)]
        for place in places:
            if isinstance(place, LocalSocket):
                opening = [_open_local(program, place, owner)] * count
            else:
                opening = [_open(program, place, sharing=True) for _ in sets]
            for listeners, listener in zip(sets, opening, strict=True):
                listeners.append(opened.enter_context(listener))
        opened.pop_all()
    return sets


def adopt_listener(descriptor: int) -> socket.socket:
    """Take a listening socket that whoever started us opened; whom we start does not get it."""
    listener = socket.socket(fileno=descriptor)
    listener.set_inheritable(False)
    listener.setblocking(False)
    return listener


def _open(program: str, place: Endpoint | DatagramPort, *, sharing: bool) -> socket.socket:
    with ExitStack() as opened:
        listener = opened.enter_context(_bind(program, place, sharing=sharing))
        if isinstance(place, Endpoint):
            with _explaining(program, place):
                listener.listen(BACKLOG)
        opened.pop_all()
    return listener


def _open_local(program: str, place: LocalSocket, owner: Identity | None) -> socket.socket:
    """Open the socket that every user of this host may connect to (attack L-3).

    It stays where it is when its program ends: who starts again sees that nobody is behind it.
    """
    with acting_as(owner), _explaining(program, place), closing(SocketFolder(place.path.parent)) as folder:
        folder.let_pass()
        listener = folder.bind(place.path.name, socket.SOCK_STREAM, program, mode=0o666)
        listener.listen(BACKLOG)
    return listener


def _bind(program: str, place: Endpoint | DatagramPort, *, sharing: bool) -> socket.socket:
    endpoint = place if isinstance(place, Endpoint) else place.endpoint
    family = socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET
    kind = socket.SOCK_STREAM if isinstance(place, Endpoint) else socket.SOCK_DGRAM
    listener = socket.socket(family, kind | socket.SOCK_NONBLOCK)
    with ExitStack() as opened, _explaining(program, place):
        opened.enter_context(listener)
        if kind is socket.SOCK_STREAM:  # with datagrams it would let others take the port from us
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sharing:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family is socket.AF_INET6:  # an IPv4 listener beside it is configured, not implied
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((endpoint.host, endpoint.port))
        opened.pop_all()
    return listener


@contextmanager
def _explaining(program: str, place: Port) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, error.strerror)
        raise ServiceError(f"{program} cannot listen on {place}: {reason}") from error
