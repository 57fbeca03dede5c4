"""Listening sockets that systemd opened for us (sd_listen_fds(3)).

A socket's name says which program it is for: that of the socket unit, smtprd.socket, or its
FileDescriptorName. What the configuration says stays true: sockets that are not exactly those it names are
refused, for one of the two files is wrong then.
"""

import os
import socket
from collections.abc import Iterable, Sequence
from pathlib import Path

from paperpath.config.endpoint import DatagramPort, Endpoint, LocalSocket, Port
from paperpath.service.errors import ServiceError
from paperpath.service.listener import adopt_listener

_FIRST = 3
_SUFFIX = ".socket"


class Activation:
    """The sockets we were given, until a program takes its own."""

    def __init__(self, given: Sequence[tuple[str, int]] = ()) -> None:
        """Take names and descriptors."""
        self._waiting: dict[str, list[socket.socket]] = {}
        for name, descriptor in given:
            self._waiting.setdefault(name.removesuffix(_SUFFIX), []).append(_adopt(name, descriptor))

    def take(self, program: str, places: Sequence[Port]) -> list[socket.socket] | None:
        """Return the sockets of a program, one for each place; `None` where it was given none.

        Raises: ServiceError, where they are not those that the configuration names.
        """
        listeners = self._waiting.pop(program, None)
        if listeners is None:
            return None
        given = {_read_address(listener): listener for listener in listeners}
        if len(given) != len(listeners) or set(given) != set(places):
            raise ServiceError(
                f"{program} was given {_list(map(_read_address, listeners))} to listen on, "
                f"and the configuration says {_list(places)}",
                os.EX_CONFIG,
            )
        return [given[place] for place in places]

    def refuse_rest(self) -> None:
        """Raise ServiceError where sockets are left that nobody took."""
        if self._waiting:
            names = _list(self._waiting)
            raise ServiceError(f"sockets were given for {names}, which does not listen here", os.EX_CONFIG)


def take_activation() -> Activation:
    """Take what systemd left for us out of the environment, so that it goes no further.

    Raises: ServiceError, where it is no listening socket of those that we serve.
    """
    values = [os.environ.pop(name, "") for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")]
    process, count, names = values
    if process != str(os.getpid()) or not count.isdecimal():
        return Activation()
    descriptors = range(_FIRST, _FIRST + int(count))
    listed = names.split(":") if names else []
    if len(listed) != len(descriptors):
        raise ServiceError(f"LISTEN_FDNAMES does not name the {count} sockets that were given", os.EX_CONFIG)
    return Activation(list(zip(listed, descriptors, strict=True)))


def _adopt(name: str, descriptor: int) -> socket.socket:
    try:
        listener = adopt_listener(descriptor)
        listens = listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) or _takes_datagrams(listener)
    except OSError as error:
        reason = f"descriptor {descriptor}, given as {name}, is no socket: {error.strerror}"
        raise ServiceError(reason, os.EX_CONFIG) from error
    if not listens or listener.family not in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):
        listener.close()
        reason = (
            f"descriptor {descriptor}, given as {name}, is no listening TCP or UNIX socket, nor one for UDP"
        )
        raise ServiceError(reason, os.EX_CONFIG)
    return listener


def _read_address(listener: socket.socket) -> Port:
    if listener.family == socket.AF_UNIX:
        return LocalSocket(Path(os.fsdecode(listener.getsockname())))
    host, port = listener.getsockname()[:2]
    endpoint = Endpoint(host, port)
    return DatagramPort(endpoint) if _takes_datagrams(listener) else endpoint


def _takes_datagrams(listener: socket.socket) -> bool:
    return listener.type is socket.SOCK_DGRAM and listener.family != socket.AF_UNIX


def _list(items: Iterable[object]) -> str:
    return ", ".join(map(str, items))
