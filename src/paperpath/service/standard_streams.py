"""Standard input and output as the connection of one client: a TCP socket, two pipes, or whatever there is.

Used by the programs that are started for one client (`--stdio`). The two are taken away from descriptors 0
and 1, which lead nowhere from then on: nothing gets to the client but what is meant for it. Where standard
error leads to the client as well, as under inetd, or is closed, the log goes to syslog.
"""

import os
import socket
import stat
import sys
from dataclasses import dataclass

from paperpath.service.errors import ServiceError
from paperpath.service.syslog_stream import open_syslog

_INPUT, _OUTPUT, _ERROR = range(3)
_NOBODY = ("", 0)


@dataclass(frozen=True, slots=True)
class StandardStreams:
    """The two as descriptors of our own; the same one, where they are one TCP connection."""

    source: int
    target: int

    @property
    def is_connection(self) -> bool:
        """Whether they are one TCP connection, which can be served like any other."""
        return self.source == self.target

    def find_peer(self) -> tuple[str, int]:
        """Return address and port of who is connected; empty and 0 where the kernel does not know."""
        if not _is_socket(self.source):
            return _NOBODY
        with socket.socket(fileno=os.dup(self.source)) as connection:
            if connection.family not in (socket.AF_INET, socket.AF_INET6):
                return _NOBODY
            try:
                host, port = connection.getpeername()[:2]
            except OSError:  # it is gone already
                return _NOBODY
        return host, port


def take_standard_streams(program: str) -> StandardStreams:
    """Take them from where they are; the log of `program` goes on where it reaches no client.

    Raises: ServiceError, where they are closed, or are no connection.
    """
    if sys.stdin is None or sys.stdout is None:  # another file may have got the number meanwhile
        raise ServiceError("standard input or output is closed", os.EX_IOERR)
    _refuse_listener(_INPUT)
    same = os.path.sameopenfile(_INPUT, _OUTPUT)
    if sys.stderr is None or (os.path.sameopenfile(_OUTPUT, _ERROR) and not os.isatty(_ERROR)):
        sys.stderr = open_syslog(program)
        _lead_nowhere(_ERROR)
    source = os.dup(_INPUT)
    target = source if same and _is_tcp(source) else os.dup(_OUTPUT)
    _lead_nowhere(_INPUT)
    _lead_nowhere(_OUTPUT)
    return StandardStreams(source, target)


def _refuse_listener(descriptor: int) -> None:
    if not _is_socket(descriptor):
        return
    with socket.socket(fileno=os.dup(descriptor)) as given:
        if given.type != socket.SOCK_STREAM or given.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            reason = "standard input is no connection: systemd wants Accept=yes, inetd stream and nowait"
            raise ServiceError(reason, os.EX_CONFIG)


def _is_socket(descriptor: int) -> bool:
    return stat.S_ISSOCK(os.fstat(descriptor).st_mode)


def _is_tcp(descriptor: int) -> bool:
    if not _is_socket(descriptor):
        return False
    with socket.socket(fileno=os.dup(descriptor)) as given:
        return given.family in (socket.AF_INET, socket.AF_INET6)


def _lead_nowhere(descriptor: int) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    os.dup2(nowhere, descriptor)
    if nowhere != descriptor:
        os.close(nowhere)
