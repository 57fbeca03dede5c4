"""An IMAP client that costs little: sends a command, counts octets up to the line that ends it.

It reads whatever comes into one buffer, and keeps of it only what it is asked to keep. The answer ends with
the line that has the command's tag: behind it a server has nothing to say.
"""

import dataclasses
import socket
import ssl
import time

from bench.failure import BenchError

_WITHIN_S = 600.0
_AT_ONCE = 1 << 20
_TAIL = 2048  # no line that ends a command is longer


@dataclasses.dataclass(frozen=True)
class Answer:
    """What came: how many octets, how long it took to the last one, and the octets where they were kept."""

    octets: int
    seconds: float
    text: bytes


class Client:
    """A connection over TLS on which somebody has logged in."""

    def __init__(self, port: int, user: str, password: str) -> None:
        """Connect, and log in."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        plain = socket.create_connection(("127.0.0.1", port), _WITHIN_S)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = context.wrap_socket(plain)
        self._buffer = bytearray(_AT_ONCE)
        self._count = 0
        self._socket.recv(_AT_ONCE)  # the greeting
        self.ask(f"LOGIN {user} {password}")

    def ask(self, command: str, *, keep: bool = False) -> Answer:
        """Say a command, and read its answer. Raises: BenchError, where that is not OK."""
        self._count += 1
        tag = b"bench%d" % self._count
        line = tag + b" " + command.encode("ascii") + b"\r\n"
        began = time.perf_counter()
        self._socket.sendall(line)
        octets, kept, end = self._read(b"\r\n" + tag + b" ", keep=keep)
        seconds = time.perf_counter() - began
        if not end.startswith(b"OK"):
            raise BenchError(f"{command}: {end.decode('utf-8', 'replace')}")
        return Answer(octets, seconds, kept)

    def close(self) -> None:
        """Log out."""
        self.ask("LOGOUT")
        self._socket.close()

    def _read(self, mark: bytes, *, keep: bool) -> tuple[int, bytes, bytes]:
        octets, kept, tail = 0, bytearray(), b"\r\n"
        view = memoryview(self._buffer)
        while True:
            count = self._socket.recv_into(view)
            if not count:
                raise BenchError("the connection was closed")
            octets += count
            tail = (tail + view[max(0, count - _TAIL) : count])[-_TAIL:]
            if keep:
                kept += view[:count]
            if tail.endswith(b"\r\n") and (place := tail.rfind(mark)) >= 0:
                return octets, bytes(kept), tail[place + len(mark) :]
