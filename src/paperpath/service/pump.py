"""Carries octets between two descriptors and a socket of ours, by a thread for each way.

Used where standard input and output are no socket. The event loop could read from pipes itself, but not from
files, and it would make a terminal or a pipe non-blocking for all others who have it open. Here each way
waits for its reader, and where the source ends, sending ends.
"""

import os
import socket
import threading
from contextlib import suppress

_PIECE_OCTETS = 64 * 1024


class Pump:
    """Between `source`, `target` and the `socket`; whoever has that closes it when all is said."""

    def __init__(self, source: int, target: int) -> None:
        """Begin; the two descriptors are closed when they are done with."""
        self.socket, inner = socket.socketpair()
        for descriptor in (source, target):  # whoever had them before us may have left them otherwise
            os.set_blocking(descriptor, True)
        # Daemons, since nobody can end a read that waits: it ends with the process.
        self._writing = threading.Thread(
            target=_write, args=(inner.dup(), target), name="pump-out", daemon=True
        )
        self._writing.start()
        threading.Thread(target=_read, args=(source, inner), name="pump-in", daemon=True).start()

    def finish(self, patience_s: float) -> None:
        """Wait until all that was sent to the socket before it was closed is written, or cannot be."""
        self._writing.join(patience_s)


def _read(source: int, inner: socket.socket) -> None:
    with inner:
        with suppress(OSError):  # the source fails, or nobody wants more
            while octets := os.read(source, _PIECE_OCTETS):
                inner.sendall(octets)
        _shut_down(inner, socket.SHUT_WR)
    os.close(source)


def _write(inner: socket.socket, target: int) -> None:
    with inner:
        with suppress(OSError):  # whoever read is gone
            while octets := inner.recv(_PIECE_OCTETS):
                _write_all(target, octets)
        _shut_down(inner, socket.SHUT_RDWR)  # so that the other end notices
    os.close(target)


def _shut_down(inner: socket.socket, how: int) -> None:
    with suppress(OSError):  # the other end is closed
        inner.shutdown(how)


def _write_all(descriptor: int, octets: bytes) -> None:
    rest = memoryview(octets)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
