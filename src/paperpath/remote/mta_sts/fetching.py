"""Fetching a domain's policy from the domain's own host for that, by HTTPS (RFC 8461 §3.3).

Used by policies.py. The name of the host is made from the domain, so a stranger may have chosen it, and its
addresses; whoever has no certificate for that name hears nothing of us but a ClientHello.
"""

import asyncio
import os
import ssl
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from paperpath.mail.reply import Reply
from paperpath.remote.mta_sts.policy import PolicyError, StsPolicy, parse_policy
from paperpath.remote.mta_sts.web_answer import MOST_HEAD_OCTETS, WebError, make_request, read_body
from paperpath.remote.trust import make_verifying_context

MOST_OCTETS = 64 * 1024
TIMEOUT_S = 60.0
"""Seconds for all of it: a turn, the addresses, connecting to each, the answer."""
CONNECT_S = 10.0
"""Seconds of these for each address, TLS included."""
MOST_AT_ONCE = 32

_HOST = "mta-sts."
_PATH = "/.well-known/mta-sts.txt"
_PORT = 443

FindAddresses = Callable[[str], Awaitable[Sequence[str] | Reply]]


class FetchError(Exception):
    """There is no policy to be had: why."""


class Fetcher:
    """Fetches policies, several at once."""

    def __init__(
        self,
        find_addresses: FindAddresses,
        ca_file: Path | None = None,
        *,
        port: int = _PORT,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """Take how to find a host's addresses, and whom to trust: `None` is whom this system trusts."""
        self._find_addresses = find_addresses
        self._ca_file = ca_file
        self._port = port
        self._timeout_s = timeout_s
        self._room = asyncio.Semaphore(MOST_AT_ONCE)
        self._context: ssl.SSLContext | None = None

    async def fetch(self, domain: str) -> StsPolicy:
        """Fetch the policy of a domain, which is in A-labels. Raises: FetchError."""
        try:
            async with asyncio.timeout(self._timeout_s), self._room:
                return parse_policy(await self._get(f"{_HOST}{domain}"))
        except TimeoutError as error:
            raise FetchError(f"no policy in {self._timeout_s:g} s") from error
        except (WebError, PolicyError) as error:
            raise FetchError(str(error)) from error

    async def _get(self, host: str) -> bytes:
        """Get the file. Raises: FetchError, WebError."""
        found = await self._find_addresses(host)
        if isinstance(found, Reply):
            raise FetchError(" ".join(found.lines))
        failures: list[str] = []
        for address in found:
            try:
                return await self._get_from(host, address)
            except OSError as error:
                failures.append(f"{address}: {_explain(error)}")
        raise FetchError("; ".join(failures))

    async def _get_from(self, host: str, address: str) -> bytes:
        """Get the file from one address. Raises: WebError, OSError."""
        async with asyncio.timeout(CONNECT_S):
            stream, writer = await asyncio.open_connection(
                address, self._port, ssl=self._find_context(), server_hostname=host, limit=MOST_HEAD_OCTETS
            )
        try:
            writer.write(make_request(host, _PATH))
            return await read_body(stream, MOST_OCTETS)
        finally:
            writer.transport.abort()

    def _find_context(self) -> ssl.SSLContext:
        """Return the context. Raises: OSError, where the authorities cannot be read."""
        if self._context is None:
            self._context = make_verifying_context(self._ca_file)
        return self._context


def _explain(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not the host's: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason}"
    return os.strerror(error.errno) if error.errno else str(error)  # asyncio's own text names the address
