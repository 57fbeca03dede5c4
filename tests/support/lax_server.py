"""A server that does what it should not: what `paperpath selftest` must find.

It relays for everybody, ends messages at a bare LF, and goes on inside TLS with what it read before.
"""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_END = b"\n.\n"


class _Session:
    def __init__(self, connection: socket.socket, context: ssl.SSLContext) -> None:
        self._connection = connection
        self._context = context
        self._buffer = bytearray()

    def serve(self) -> None:
        self._say("220 lax.example")
        while line := self._take(b"\n"):
            if not self._answer(line.decode("utf-8", "replace").strip().upper()):
                return

    def _answer(self, command: str) -> bool:
        match command.split(" ")[0].split(":")[0]:
            case "EHLO":
                self._say("250-lax.example\r\n250-PIPELINING\r\n250 STARTTLS")
            case "STARTTLS":
                self._say("220 go on")
                self._connection = self._context.wrap_socket(self._connection, server_side=True)
            case "DATA":
                self._say("354 go on")
                self._take(_END)
                self._say("250 taken")
            case "QUIT":
                self._say("221 bye")
                return False
            case "MAIL" | "RCPT" | "RSET" | "NOOP":
                self._say("250 fine")
            case _:
                self._say("500 what?")
        return True

    def _take(self, end: bytes) -> bytes:
        while end not in self._buffer.replace(b"\r\n", b"\n"):
            octets = self._connection.recv(65536)
            if not octets:
                return b""
            self._buffer += octets
        line, _, rest = bytes(self._buffer.replace(b"\r\n", b"\n")).partition(end)
        self._buffer[:] = rest
        return line + end

    def _say(self, text: str) -> None:
        self._connection.sendall(text.encode() + b"\r\n")

    def close(self) -> None:
        self._connection.close()


@contextmanager
def lax_server(chain: Path, key: Path) -> Iterator[int]:
    """Serve for the length of the block; give the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, context))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(listener: socket.socket, context: ssl.SSLContext) -> None:
    """Serve one after the other, until the listener is shut down."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        session = _Session(connection, context)
        try:
            session.serve()
        except OSError:
            pass  # the client left
        finally:
            session.close()
