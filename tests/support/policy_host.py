"""A web server for policies of MTA-STS, on a port of loopback, in the event loop of the test."""

import asyncio
import ssl
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.tls import write_certificate

DOMAIN = "x.example"
POLICY = "version: STSv1\nmode: enforce\nmx: mx1.x.example\nmax_age: 604800\n"


def web_answer(
    body: str | bytes = POLICY, *fields: str, status: str = "200 OK", kind: str = "text/plain"
) -> bytes:
    """Make an answer with a length, and with these fields beside."""
    octets = body.encode() if isinstance(body, str) else body
    lines = (f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(octets)}", *fields, "", "")
    return "\r\n".join(lines).encode() + octets


class PolicyHost:
    """Gives one answer to all, however long that is; `requests` has what they asked."""

    def __init__(self, folder: Path, *names: str, answer: bytes | None = None) -> None:
        """Take the names of its certificate; by default those of DOMAIN's host."""
        chain, key = write_certificate(folder, *(names or (f"mta-sts.{DOMAIN}",)))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(chain, key)
        self.answer = web_answer() if answer is None else answer
        self.stalls = False
        self.requests: list[bytes] = []
        self.contacts = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(self.answer)
            if self.stalls:
                await reader.read()
        writer.close()
