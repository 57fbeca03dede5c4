"""TLS between a plain connection and a protocol: octets in, plaintext out, and the other way round.

Driven by the sessions of the ways in. They own the connection and the clock, and end a handshake that takes
too long. The layer is over memory BIOs, and not the event loop's own TLS with 256 KiB for each connection, so
that memory is ours to count (promise P6). Between two calls it holds at most

1. while it waits for a ClientHello, `hello.MOST_HELLO_OCTETS` and one segment;
2. in the handshake, one message: no other of a client's may have more than 2 KiB, says OpenSSL;
3. after it, one record of 16 KiB that is not whole yet;
4. what `octets_to_send` has not given away. A client can make the layer send no more than it sends itself
   (alerts, answers to key updates), so a session that stops reading from who does not read bounds this too.

Octets that are not TLS end the handshake: what a client sent in the clear behind STARTTLS has no way in even
where the session hands it on by mistake (RFC 3207 §6, requirement A-72).
"""

import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from string import ascii_letters, digits
from typing import NoReturn, cast

from paperpath.service.tls.cipher import format_cipher
from paperpath.service.tls.hello import HelloReader
from paperpath.service.tls.peer_chain import read_peer_chain

MOST_PIECE_OCTETS = 4 * 1024  # put into a BIO at once: it never gives back what it once grew to
_RECORD_OCTETS = 16 * 1024  # of plaintext, at most

# RFC 8446 §4.1.3: a ServerHello with this random asks for another ClientHello. OpenSSL would take a long one.
_RANDOM = slice(5 + 4 + 2, 5 + 4 + 2 + 32)  # behind the headers of record and message, and the version
_RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
_ILLEGAL_PARAMETER = bytes.fromhex("15 0303 0002 022f")  # the alert that OpenSSL sends for what is too long

_NAME_CHARACTERS = frozenset(f"{ascii_letters}{digits}.-_")
# What OpenSSL says of a client that speaks in the clear would mislead.
_REASONS = {"WRONG_VERSION_NUMBER": "what came is not TLS", "HTTP_REQUEST": "what came is HTTP and not TLS"}


class TlsError(Exception):
    """The connection failed. The text is for a log: plain words, and none that the client chose."""


class TlsState(Enum):
    """How far a connection is."""

    HANDSHAKE = "handshake"
    OPEN = "open"
    HALF_CLOSED = "half-closed"  # the client sends no more; it may still read
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """What a handshake came to.

    `version` is such as "TLSv1.3", `cipher` is IANA's name. `server_name` is what the client asked for, empty
    if nothing; what is no letter, digit, dot, hyphen or underscore became a question mark (attack S-6).
    `client_addresses`: for whom the client's certificate is, if it showed one that was verified.
    """

    version: str
    cipher: str
    server_name: str
    client_addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Machine:
    """OpenSSL's state of a connection, and the octets on their way in and out of it."""

    ssl_object: ssl.SSLObject
    incoming: ssl.MemoryBIO
    outgoing: ssl.MemoryBIO


class TlsLayer:
    """The server's side of one connection.

    `choose` gives the context for the name that the client asks for: any octets, or none.
    """

    def __init__(self, choose: Callable[[bytes], ssl.SSLContext]) -> None:
        """Wait for the ClientHello; until it is there, nothing is asked of OpenSSL."""
        self._choose = choose
        self._hello: HelloReader | None = HelloReader()
        self._machine: _Machine | None = None
        self._server_name = b""
        self._state = TlsState.HANDSHAKE
        self._facts: TlsFacts | None = None
        self._ready: list[bytes] = []

    @property
    def state(self) -> TlsState:
        """How far the connection is. Only `receive` and `close` change it."""
        return self._state

    @property
    def facts(self) -> TlsFacts | None:
        """What the handshake came to, once it is over."""
        return self._facts

    def receive(self, octets: bytes) -> bytes:
        """Take octets from the connection, and return all plaintext that is whole by now.

        There may be octets to send afterwards, after an error too: the alert that tells the client. What
        comes after the client's end, or after ours, is dropped.

        Raises: TlsError; then the layer is closed, and plaintext out of the same octets is lost.
        """
        if self._hello is not None:
            if not self._hello.receive(octets):
                return b""
            octets = self._take_hello(self._hello)
        plaintext: list[bytes] = []
        for piece in _cut(octets):
            if self._machine is None or self._state is TlsState.HALF_CLOSED:
                break
            self._machine.incoming.write(piece)
            self._advance(self._machine, plaintext)
        return b"".join(plaintext)

    def send(self, plaintext: bytes) -> None:
        """Encrypt; once the layer is closed there is nobody to send to, and nothing happens."""
        assert self._state is not TlsState.HANDSHAKE
        if self._machine is None:
            return
        for piece in _cut(plaintext):
            self._machine.ssl_object.write(piece)
            self._collect(self._machine)

    def octets_to_send(self) -> bytes:
        """Return what is to go out over the connection, once."""
        octets = b"".join(self._ready)
        self._ready.clear()
        return octets

    def close(self) -> None:
        """End from our side: tell the client, if there is a connection to end, and let all memory go."""
        machine = self._machine
        if machine is not None and self._state is not TlsState.HANDSHAKE:
            with suppress(ssl.SSLError):  # the client's own end is not waited for
                machine.ssl_object.unwrap()
            self._collect(machine)
        self._let_go()

    def _take_hello(self, hello: HelloReader) -> bytes:
        """Return what came so far, for OpenSSL to judge. Raises: TlsError, where that is too much."""
        self._hello = None
        if hello.is_too_long:
            self._ready.append(_ILLEGAL_PARAMETER)
            self._let_go()
            raise TlsError("the ClientHello is too long")
        if self._machine is None:
            self._begin(hello)
        return hello.octets

    def _begin(self, hello: HelloReader) -> None:
        """Choose the context for the name in the first hello."""
        self._server_name = hello.find_server_name()
        context = self._choose(self._server_name)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._machine = _Machine(context.wrap_bio(incoming, outgoing, server_side=True), incoming, outgoing)

    def _advance(self, machine: _Machine, plaintext: list[bytes]) -> None:
        """Go on with what came, until more is needed."""
        try:
            if self._state is TlsState.HANDSHAKE:
                machine.ssl_object.do_handshake()
                self._judge_peer(machine)
                self._state = TlsState.OPEN
                self._facts = _find_facts(machine.ssl_object, self._server_name)
            while octets := machine.ssl_object.read(_RECORD_OCTETS):
                plaintext.append(octets)
                if not (machine.incoming.pending or machine.ssl_object.pending()):
                    break  # to ask for more would cost an exception, and OpenSSL's making of its text
            else:
                self._state = TlsState.HALF_CLOSED
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self._state = TlsState.HALF_CLOSED
        except ssl.SSLError as error:
            self._fail(machine, error)
        self._collect(machine)

    def _judge_peer(self, machine: _Machine) -> None:
        """Take whom the handshake was with for good, which with clients it always is. Raises: TlsError."""

    def _fail(self, machine: _Machine, error: ssl.SSLError) -> NoReturn:
        self._collect(machine)
        self._let_go()
        reason = error.reason or type(error).__name__
        raise TlsError(_REASONS.get(reason) or reason.lower().replace("_", " ")) from error

    def _collect(self, machine: _Machine) -> None:
        """Take out of its BIO what is to be sent, so that the BIO need not grow for the next piece."""
        if machine.outgoing.pending:
            octets = machine.outgoing.read()
            self._ready.append(octets)
            if self._state is TlsState.HANDSHAKE and octets[_RANDOM] == _RETRY:
                self._hello = HelloReader(again=True)

    def _let_go(self) -> None:
        self._state = TlsState.CLOSED
        self._hello = self._machine = None


class ClientTlsLayer(TlsLayer):
    """The client's side of one connection; there are octets to send at once: the ClientHello."""

    def __init__(
        self,
        context: ssl.SSLContext,
        server_name: str,
        find_objection: Callable[[Sequence[bytes]], str] | None = None,
    ) -> None:
        """Begin the handshake with a server of that name; where the context verifies, with no other.

        `find_objection` is shown the server's certificates, in DER, before anything is said inside TLS: what
        it objects in plain words ends the connection.
        """
        super().__init__(lambda _: context)
        self._find_objection = find_objection
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        ssl_object = context.wrap_bio(incoming, outgoing, server_hostname=server_name or None)
        self._hello = None
        self._server_name = server_name.encode()
        self._machine = _Machine(ssl_object, incoming, outgoing)
        self._advance(self._machine, [])

    def _judge_peer(self, machine: _Machine) -> None:
        if self._find_objection is None:
            return
        if objection := self._find_objection(read_peer_chain(machine.ssl_object)):
            self._let_go()
            raise TlsError(objection)


def _cut(octets: bytes) -> Iterator[bytes]:
    for start in range(0, len(octets), MOST_PIECE_OCTETS):
        yield octets[start : start + MOST_PIECE_OCTETS]


def _find_facts(ssl_object: ssl.SSLObject, server_name: bytes) -> TlsFacts:
    cipher = ssl_object.cipher()
    assert cipher is not None  # after a handshake there is one
    name = "".join(chr(octet) if chr(octet) in _NAME_CHARACTERS else "?" for octet in server_name)
    return TlsFacts(
        ssl_object.version() or "", format_cipher(cipher[0]), name, _find_client_addresses(ssl_object)
    )


def _find_client_addresses(ssl_object: ssl.SSLObject) -> tuple[str, ...]:
    """Return the addresses of mail (rfc822Name) in a certificate that was verified; ssl tells of no other."""
    names = cast("tuple[tuple[str, str], ...]", (ssl_object.getpeercert() or {}).get("subjectAltName", ()))
    return tuple(value for kind, value in names if kind == "email")
