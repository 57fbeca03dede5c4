"""A raw SMTP client: sends octets as they are given, reads whole replies."""

import select
import socket
import ssl
from pathlib import Path
from types import TracebackType
from typing import Self


class Wire:
    """A connection to a server on loopback, or at a socket in the file system."""

    def __init__(
        self, port: int | Path, timeout_s: float = 20.0, host: str = "127.0.0.1", *, source: str = ""
    ) -> None:
        if isinstance(port, Path):
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.settimeout(timeout_s)
            self._socket.connect(str(port))
        else:
            self._socket = socket.create_connection((host, port), timeout_s, (source, 0) if source else None)
        self._stream = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, octets: bytes) -> None:
        """Send octets."""
        self._socket.sendall(octets)

    def reply(self) -> bytes:
        """Read one reply, all its lines; empty at the end of the connection."""
        reply = b""
        while line := self._stream.readline():
            reply += line
            if line[3:4] == b" ":
                break
        return reply

    def read_all(self) -> bytes:
        """Read whatever comes until the server closes, or cuts us off."""
        try:
            return self._stream.read()
        except ConnectionResetError:
            return b""

    def read_some(self) -> bytes:
        """Read what is there, or wait for some."""
        return self._stream.read1(65536)

    def start_tls(self, context: ssl.SSLContext, name: str = "mail.example.org") -> None:
        """Begin TLS on the connection."""
        self._stream.close()
        self._socket = context.wrap_socket(self._socket, server_hostname=name)
        self._stream = self._socket.makefile("rb")

    def ask(self, line: bytes) -> bytes:
        """Send a command and read the reply to it."""
        self.send(line + b"\r\n")
        return self.reply()

    def open_transaction(self, *recipients: bytes) -> None:
        """Go as far as the 354."""
        assert self.reply().startswith(b"220 ")
        assert self.ask(b"EHLO client.example").startswith(b"250")
        assert self.ask(b"MAIL FROM:<sender@else.example>").startswith(b"250")
        for recipient in recipients or (b"u@here.example",):
            assert self.ask(b"RCPT TO:<" + recipient + b">").startswith(b"250")
        assert self.ask(b"DATA").startswith(b"354")

    def is_quiet(self, seconds: float) -> bool:
        """Tell whether nothing comes from the server for that long."""
        return not select.select([self._socket], [], [], seconds)[0]

    def half_close(self) -> None:
        """Say that no more will be sent, and go on reading."""
        self._socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Cut the connection with a RST."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.close()

    def close(self) -> None:
        """Close."""
        self._stream.close()
        self._socket.close()


def stuffed(content: bytes) -> bytes:
    """Write content as DATA wants it, end of data included; content must end with CRLF or be empty."""
    octets = (b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:]
    return octets + b".\r\n"
