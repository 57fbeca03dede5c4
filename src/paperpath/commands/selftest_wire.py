"""A connection of the self-test to a server: octets as they are given, replies as they come.

Called by the parts of `paperpath selftest` that say what no client library would. What a server may answer is
bounded, in octets and in time, so a faulty one ends the part and not the patience.
"""

import socket
import ssl
from itertools import islice
from types import TracebackType
from typing import Self

from paperpath.commands.selftest_dialogue import UnreachableError
from paperpath.config.endpoint import Endpoint, Place

_PATIENCE_S = 120.0  # lists may be asked first
_MOST_OCTETS = 64 * 1024  # of a line
_MOST_LINES = 100  # of a reply, and replies


class Talk:
    """One connection. Every method but `close` raises UnreachableError where the server is silent or gone."""

    def __init__(self, server: Place, source: str = "", patience_s: float = _PATIENCE_S) -> None:
        """Connect, from an address of this host."""
        self._server = server
        self._buffer = bytearray()
        try:
            self._socket = _connect(server, source, patience_s)
        except OSError as error:
            raise UnreachableError(f"{server}: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def has_more(self) -> bool:
        """Whether something came behind the last reply that was read."""
        return bool(self._buffer)

    def say(self, line: str) -> str:
        """Say a command and return the reply to it."""
        self.send(f"{line}\r\n".encode())
        return self.read_reply()

    def send(self, octets: bytes) -> None:
        """Send octets as they are."""
        try:
            self._socket.sendall(octets)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it had enough; what it said before is still to be read
        except OSError as error:
            raise UnreachableError(f"{self._server}: {error}") from error

    def read_reply(self) -> str:
        """Return one reply, its lines joined by spaces; empty where the server has closed."""
        lines: list[str] = []
        while len(lines) < _MOST_LINES and (line := self._read_line()):
            lines.append(line)
            if line[3:4] != "-":
                break
        return " ".join(lines)

    def read_replies(self) -> list[str]:
        """Return the replies until the server closes, unless there are very many."""
        return list(islice(iter(self.read_reply, ""), _MOST_LINES))

    def start_tls(self) -> None:
        """Begin TLS, whoever the server says it is. Raises: ssl.SSLError, UnreachableError."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        try:
            self._socket = context.wrap_socket(self._socket)
        except ssl.SSLError:
            raise
        except OSError as error:
            raise UnreachableError(f"{self._server}: {error}") from error

    def read_certificate(self) -> bytes:
        """Return the certificate that the server showed, as DER."""
        assert isinstance(self._socket, ssl.SSLSocket)
        return self._socket.getpeercert(binary_form=True) or b""

    def close(self) -> None:
        """Close."""
        self._socket.close()

    def _read_line(self) -> str:
        while b"\n" not in self._buffer and len(self._buffer) < _MOST_OCTETS:
            try:
                octets = self._socket.recv(65536)
            except (ConnectionResetError, ssl.SSLEOFError):
                octets = b""
            except OSError as error:
                raise UnreachableError(f"{self._server}: {error}") from error
            if not octets:
                break
            self._buffer += octets
        line, _, rest = bytes(self._buffer).partition(b"\n")
        self._buffer[:] = rest
        return line.decode("utf-8", "replace").rstrip("\r")


def _connect(server: Place, source: str, patience_s: float) -> socket.socket:
    if isinstance(server, Endpoint):
        return socket.create_connection(
            (server.host, server.port), patience_s, (source, 0) if source else None
        )
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(patience_s)
    try:
        connection.connect(str(server.path))
    except BaseException:
        connection.close()
        raise
    return connection
