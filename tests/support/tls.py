"""A TLS client in memory, certificates for tests, and a client's side driven against a `TlsLayer`."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import trustme

from paperpath.service.tls.layer import TlsLayer, TlsState

AUTHORITY = trustme.CA()
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
Cut = Callable[[bytes], Iterator[bytes]]


def write_certificate(folder: Path, *names: str, end: datetime | None = None) -> tuple[Path, Path]:
    """Write a certificate for some names, and its key beside it; return both files."""
    issued = AUTHORITY.issue_cert(*names, not_after=end)
    chain, key = folder / f"{names[0]}.pem", folder / f"{names[0]}.key"
    chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    key.chmod(0o600)
    return chain, key


def make_client_context(version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """Make a context that takes any certificate, as senders of mail do."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


def whole(octets: bytes) -> Iterator[bytes]:
    """Give octets as they are."""
    yield octets


def one_by_one(octets: bytes) -> Iterator[bytes]:
    """Give octets one by one."""
    for place in range(len(octets)):
        yield octets[place : place + 1]


class TlsClient:
    """The client's side of a connection; `name` is what it asks for."""

    def __init__(self, context: ssl.SSLContext | None = None, name: str | None = None) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.ssl_object = (context or make_client_context()).wrap_bio(
            self.incoming, self.outgoing, server_hostname=name
        )

    def hello(self) -> bytes:
        """Begin: return the ClientHello."""
        with suppress(ssl.SSLWantReadError):
            self.ssl_object.do_handshake()
        return self.outgoing.read()

    def shake_hands(self, layer: TlsLayer, cut: Cut = whole) -> bytes:
        """Go through the handshake; return what the layer gave out of it, which should be nothing."""
        plaintext, done = b"", False
        while not done or layer.state is TlsState.HANDSHAKE:
            with suppress(ssl.SSLWantReadError):
                self.ssl_object.do_handshake()
                done = True
            for octets in cut(self.outgoing.read()):
                plaintext += layer.receive(octets)
            self.incoming.write(layer.octets_to_send())
        return plaintext

    def encrypt(self, plaintext: bytes) -> bytes:
        """Return the octets that carry plaintext."""
        self.ssl_object.write(plaintext)
        return self.outgoing.read()

    def decrypt(self, octets: bytes) -> bytes:
        """Return the plaintext that octets carry, up to the server's end."""
        self.incoming.write(octets)
        plaintext = b""
        with suppress(ssl.SSLWantReadError):
            while some := self.ssl_object.read(65536):
                plaintext += some
        return plaintext

    def end(self) -> bytes:
        """Send no more: return the octets that say so."""
        with suppress(ssl.SSLError):
            self.ssl_object.unwrap()
        return self.outgoing.read()
