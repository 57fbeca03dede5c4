"""The connection of one session: octets in and out, in the clear or inside TLS, and its end.

Used by the session, which is what the event loop calls. TLS is a layer over the plain connection, and its
memory is ours (promise P6); what came in the clear before it began never gets into it.
"""

import asyncio
import fcntl
import select
import socket
import struct
import termios

from paperpath.service.tls.layer import TlsFacts, TlsLayer, TlsState

_GONE = select.POLLRDHUP | select.POLLHUP | select.POLLERR
_CREDENTIALS = struct.Struct("iII")  # struct ucred of unix(7): process, user, group


class Wire:
    """A connection of the event loop, with or without TLS on it."""

    def __init__(self, transport: asyncio.Transport) -> None:
        """Begin in the clear."""
        self._transport = transport
        self._tls: TlsLayer | None = None
        self._reading = True

    @property
    def peer(self) -> tuple[str, int]:
        """Address and port of the client; empty if it is gone already, or of this host's local socket.

        IPv4 is IPv4, however it came; a zone, which says something to this host only, is left out.
        """
        found = self._transport.get_extra_info("peername")
        if not isinstance(found, tuple):
            return "", 0
        host, port = found[:2]
        return host.partition("%")[0].removeprefix("::ffff:"), port

    @property
    def peer_uid(self) -> int | None:
        """Who connected to the local socket, as the kernel says: a user's number; `None` if it is gone."""
        connection = self._transport.get_extra_info("socket")
        if connection is None or connection.fileno() < 0:
            return None
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        _, uid, _ = _CREDENTIALS.unpack(credentials)
        return int(uid)

    @property
    def has_octets_waiting(self) -> bool:
        """Whether something has come that was not read yet."""
        connection = self._transport.get_extra_info("socket")
        if connection is None or connection.fileno() < 0:
            return False
        (octets,) = struct.unpack("i", fcntl.ioctl(connection.fileno(), termios.FIONREAD, bytes(4)))
        return bool(octets)

    @property
    def is_abandoned(self) -> bool:
        """Whether the client has hung up, or sends no more, though what it sent before may be unread yet.

        For who does not read, whom the event loop does not tell.
        """
        connection = self._transport.get_extra_info("socket")
        if connection is None or connection.fileno() < 0:
            return False
        look = select.poll()
        look.register(connection.fileno(), _GONE)
        return bool(look.poll(0))

    @property
    def is_closing(self) -> bool:
        """Whether nothing more can be sent."""
        return self._transport.is_closing()

    @property
    def in_handshake(self) -> bool:
        """Whether TLS has begun and is not yet in force."""
        return self._tls is not None and self._tls.state is TlsState.HANDSHAKE

    @property
    def has_ended(self) -> bool:
        """Whether the client has said, inside TLS, that it sends no more."""
        return self._tls is not None and self._tls.state is TlsState.HALF_CLOSED

    @property
    def tls_facts(self) -> TlsFacts | None:
        """What the handshake came to, once it is over."""
        return None if self._tls is None else self._tls.facts

    def give_to(self, protocol: asyncio.Protocol) -> None:
        """Have somebody else told of what comes from now on."""
        self._transport.set_protocol(protocol)

    def start_tls(self, layer: TlsLayer) -> None:
        """Take whatever comes from now on for TLS; the client's side begins it."""
        self._tls = layer
        self._write(layer.octets_to_send())

    def receive(self, octets: bytes) -> bytes:
        """Return what the octets say. Raises: TlsError; the client was told by an alert."""
        tls = self._tls
        if tls is None:
            return octets
        try:
            return tls.receive(octets)
        finally:
            self._write(tls.octets_to_send())

    def send(self, octets: bytes) -> None:
        """Send octets, if there is somebody to send to."""
        tls = self._tls
        if tls is not None:
            tls.send(octets)
            octets = tls.octets_to_send()
        self._write(octets)

    def acknowledge(self) -> None:
        """Have the kernel say at once that what came has come; else it waits for something to say it with.

        For the middle of what a client sends in several writes: without TCP_NODELAY the last of them stays
        with the client until then (Nagle's algorithm, RFC 896), some 40 ms.
        """
        connection = self._transport.get_extra_info("socket")
        if connection is not None and connection.fileno() >= 0:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def set_reading(self, *, wanted: bool) -> None:
        """Read from the client, or let it wait."""
        if wanted is self._reading or self._transport.is_closing():
            return
        self._reading = wanted
        if wanted:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def close(self) -> None:
        """Close once the client has read what was sent."""
        if self._tls is not None:
            self._tls.close()
            self._write(self._tls.octets_to_send())
        self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def _write(self, octets: bytes) -> None:
        if octets and not self._transport.is_closing():
            self._transport.write(octets)
