"""From a route to a session: finds the hosts, and tries one address after the other (requirements G-5, G-6).

Used by the lanes, and by `smtprc` by hand. Who does not greet us, or not as a server should, is passed over
at once; what is left when all were tried says whether that may be final (G-18, G-31).
"""

import asyncio
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from paperpath.config.tables import RemoteTable
from paperpath.config.via import UNIX
from paperpath.dns.exchangers import Identity
from paperpath.mail.reply import Reply, make_reply
from paperpath.remote.connection import Connection, Manner, SessionError
from paperpath.remote.route import Login, Route, Security
from paperpath.remote.security import ClientContexts
from paperpath.smtp import client_settings
from paperpath.smtp.client import ClientConnection
from paperpath.smtp.client_settings import ClientSettings, Credentials
from paperpath.smtp.client_states import Wait
from paperpath.smtp.observer import NOBODY, Observer

_MOST_PASSWORD_OCTETS = 4096
_NONCE_OCTETS = 18  # before they are text
_SECURITY = {
    "never": client_settings.Security.NEVER,
    "opportunistic": client_settings.Security.WANTED,
    "require": client_settings.Security.REQUIRED,
}


@dataclass(frozen=True, slots=True)
class Hop:
    """One address of one host; `is_encrypted`: TLS from the start; `is_lmtp`: LMTP instead of SMTP.

    `identity`: that of a mail exchanger which DNSSEC vouches for.
    """

    host: str
    address: str
    port: int
    is_encrypted: bool = False
    is_lmtp: bool = False
    identity: Identity | None = None

    def __str__(self) -> str:
        return f"{self.host} [{self.address}]:{self.port}"


@dataclass(frozen=True, slots=True)
class SocketHop:
    """A UNIX socket of this host, where LMTP is spoken in the clear."""

    path: str
    is_encrypted: ClassVar[bool] = False
    is_lmtp: ClassVar[bool] = True

    def __str__(self) -> str:
        return self.host

    @property
    def host(self) -> str:
        """What stands for the name of a host, wherever that is shown."""
        return f"{UNIX}{self.path}"


AnyHop = Hop | SocketHop
FindHops = Callable[[Route], Awaitable[Sequence[AnyHop] | Reply]]
FindSecurity = Callable[[Route, Hop], Awaitable[Security]]
"""Raises: SessionError, where that host is to be passed over."""


@dataclass(frozen=True, slots=True)
class Guide:
    """Who is asked for the hosts of a route, and how to speak with each of them.

    `tell_overlooked` hears why a host cannot do what was asked for on trial.
    """

    find_hops: FindHops
    find_security: FindSecurity
    tell_overlooked: Callable[[Reply], None]


@dataclass(frozen=True, slots=True)
class Peer:
    """A session, and whom it is with. `is_lmtp`: what is taken there has arrived (RFC 2033 §3)."""

    connection: Connection
    host: str
    is_lmtp: bool = False


class UnreachedError(Exception):
    """No host could be spoken with: why, and who said that, empty where we do. Is it for good?"""

    def __init__(self, reply: Reply, host: str = "", *, is_permanent: bool) -> None:
        """Take the reason."""
        super().__init__(str(reply))
        self.reply = reply
        self.host = host
        self.is_permanent = is_permanent


class Contact:
    """Makes sessions, by one configuration."""

    def __init__(
        self,
        table: RemoteTable,
        hello: str,
        guide: Guide,
        is_wanted: Callable[[], bool],
        observer: Observer = NOBODY,
    ) -> None:
        """Take how to do it; `is_wanted` is asked before each message ends."""
        self._table = table
        self._hello = hello
        self._guide = guide
        self._is_wanted = is_wanted
        self._observer = observer
        self._contexts = ClientContexts()

    async def reach(self, route: Route) -> Peer:
        """Find a host that talks to us. Raises: UnreachedError."""
        found = await self._guide.find_hops(route)
        if isinstance(found, Reply):
            raise UnreachedError(found, is_permanent=found.code >= 500)
        refusals: list[tuple[AnyHop, SessionError]] = []
        for hop in found:
            try:
                return await self._try_hop(hop, route)
            except SessionError as error:
                refusals.append((hop, error))
        temporary = [refusal for refusal in refusals if not refusal[1].is_permanent]
        last, refusal = (temporary or refusals)[-1]
        raise UnreachedError(refusal.reply, "" if refusal.is_ours else last.host, is_permanent=not temporary)

    async def _try_hop(self, hop: AnyHop, route: Route) -> Peer:
        """Talk to one host; without TLS, if it cannot do what it offers and nobody asks for it (G-35)."""
        if isinstance(hop, SocketHop):
            return await self._open(hop, Security("never"), None)
        security = await self._guide.find_security(route, hop)
        while True:
            try:
                return await self._open(hop, security, route.login)
            except SessionError as error:
                security = self._weaken(security, hop, error)

    def _weaken(self, security: Security, hop: Hop, error: SessionError) -> Security:
        """Return how to speak with a host where TLS failed. Raises: SessionError, where that is the end."""
        if not error.is_for_tls:
            raise error
        explained = _explain(error, hop, security) if security.because else error
        otherwise = Security("never") if security.policy == "opportunistic" else security.otherwise
        if otherwise is None or hop.is_encrypted:
            raise explained
        if security.because:
            self._guide.tell_overlooked(explained.reply)
        return otherwise

    async def _open(self, hop: AnyHop, security: Security, login: Login | None) -> Peer:
        credentials = _read_credentials(login)
        settings = ClientSettings(self._hello, _SECURITY[security.policy], credentials, hop.is_lmtp)
        core = ClientConnection(settings, self._observer, encrypted=hop.is_encrypted)
        layer_host = hop.host if security.verifies or not _is_address(hop.host) else ""
        self._contexts.check(security)
        manner = Manner(
            self._table.timeouts, lambda: self._contexts.make_layer(security, layer_host), self._is_wanted
        )
        connection = await self._connect(hop, lambda: Connection(core, manner))
        try:
            await connection.open()
        except SessionError:
            await connection.quit()
            raise
        except BaseException:
            connection.abort()
            raise
        return Peer(connection, hop.host, hop.is_lmtp)

    async def _connect(self, hop: AnyHop, make: Callable[[], Connection]) -> Connection:
        """Connect. Raises: SessionError."""
        try:
            async with asyncio.timeout(self._table.timeouts.connect_s):
                connection = await self._connect_to(hop, make)
        except TimeoutError:
            reason = "no answer in time"
        except OSError as error:  # asyncio's own text names the address once more
            reason = os.strerror(error.errno) if error.errno else str(error)
        else:
            return connection
        reply = make_reply(451, "4.4.1", f"Cannot connect to {hop}: {reason}")
        raise SessionError(reply, Wait.GREETING, is_ours=True)

    async def _connect_to(self, hop: AnyHop, make: Callable[[], Connection]) -> Connection:
        """Connect, however long it takes. Raises: OSError."""
        loop = asyncio.get_running_loop()
        if isinstance(hop, SocketHop):
            _, connection = await loop.create_unix_connection(make, hop.path)
        else:
            source = self._find_source(hop.address)
            _, connection = await loop.create_connection(make, hop.address, hop.port, local_addr=source)
        return connection

    def _find_source(self, address: str) -> tuple[str, int] | None:
        """Return the address that a connection is to come from, if it is to be one of ours in particular."""
        sources = [source for source in self._table.bind if (":" in source) is (":" in address)]
        return (sources[0], 0) if sources else None


def _explain(error: SessionError, hop: Hop, security: Security) -> SessionError:
    """Say who asks for the TLS that failed."""
    what = " ".join(error.reply.lines) if error.is_ours else f"its reply is {error.reply}"
    reply = make_reply(451, "4.7.5", f"{hop.host}: {what}; {security.because} ask for TLS")
    return SessionError(reply, Wait.STARTTLS, is_ours=True, is_for_tls=True)


def _read_credentials(login: Login | None) -> Credentials | None:
    """Read the password, the first line of its file. Raises: SessionError, without a word of what it says."""
    if login is None:
        return None
    try:
        with login.password_file.open("rb") as file:
            text = file.read(_MOST_PASSWORD_OCTETS).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        reply = make_reply(451, "4.7.0", f"{login.password_file} cannot be read: {reason}")
        raise SessionError(reply, Wait.AUTH, is_ours=True) from error
    return Credentials(login.user, text.partition("\n")[0].rstrip("\r"), secrets.token_urlsafe(_NONCE_OCTETS))


def _is_address(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return True
    return False
