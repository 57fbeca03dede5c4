"""What a program serves TLS with: one context for each certificate, and the choice among them.

Used by the programs, which hold one `ServerTls` each. Promises (attack S-8, requirements A-75, A-76): TLS 1.2
or later, no compression, no renegotiation; the name a client asks for chooses a certificate and nothing else;
no client is refused for that name, or asked for a certificate of its own but where submission is served and
`client_ca` says who may vouch for clients; nobody needs one there either.
"""

import os
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from paperpath.config.tables import Configuration
from paperpath.service.tls.certificates import Certificate, read_certificate
from paperpath.service.tls.key_files import CertificateError, KeyFile, Reader, read_key_file
from paperpath.service.tls.layer import TlsLayer
from paperpath.service.tls.self_signed import provide_self_signed


class ContextSet:
    """The contexts of one moment. It does not change: sessions under way keep theirs over a reload."""

    def __init__(self, certificates: Iterable[Certificate], authorities: KeyFile | None = None) -> None:
        """Make a context for each certificate, of which there is one at least. Raises: CertificateError."""
        self._by_name: dict[bytes, ssl.SSLContext] = {}
        contexts: list[ssl.SSLContext] = []
        for certificate in certificates:
            contexts.append(make_context(certificate, authorities))
            for name in certificate.names:  # of two certificates for one name, the first serves
                self._by_name.setdefault(_fold(name.encode()), contexts[-1])
        self._default = contexts[0]

    def choose(self, server_name: bytes) -> ssl.SSLContext:
        """Return the context for the name that a client asked for; an empty one stands for no name."""
        name = _fold(server_name)
        _, dot, parent = name.partition(b".")
        return self._by_name.get(name) or self._by_name.get(b"*" + dot + parent) or self._default


class ServerTls:
    """TLS as one program serves it: makes the layer for each connection, from the certificates in force."""

    def __init__(
        self, configuration: Configuration, opened: ContextSet | None = None, *, asks_clients: bool = False
    ) -> None:
        """Take the contexts that root opened, else read the certificates, or make one.

        `asks_clients`: they may show a certificate, where the configuration says who vouches for them.

        Raises: ServiceError, mostly a CertificateError.
        """
        self._asks_clients = asks_clients
        self._self_signed: Path | None = None
        if opened is None:
            self._take(configuration, read_key_file)
        else:
            self._contexts = opened

    def reload(self, configuration: Configuration, read: Reader = read_key_file) -> None:
        """Put the certificates of now in force for new connections.

        Raises: ServiceError; then the old ones stay in force.
        """
        self._take(configuration, read)

    @property
    def self_signed(self) -> Path | None:
        """The file of the certificate in force, where it is one that nobody vouches for: worth a warning."""
        return self._self_signed

    def make_layer(self) -> TlsLayer:
        """Make the layer for a new connection."""
        return TlsLayer(self._contexts.choose)

    def _take(self, configuration: Configuration, read: Reader) -> None:
        contexts = open_contexts(configuration, read, asks_clients=self._asks_clients)
        self_signed: Path | None = None
        if contexts is None:
            own = provide_self_signed(configuration.tls_folder, configuration.hostname, datetime.now(UTC))
            authorities = _read_authorities(configuration, read) if self._asks_clients else None
            contexts, self_signed = ContextSet([own], authorities), own.chain.path
        self._contexts, self._self_signed = contexts, self_signed


def open_contexts(
    configuration: Configuration, read: Reader = read_key_file, *, asks_clients: bool = False
) -> ContextSet | None:
    """Make the contexts of the certificates that are configured; nothing, where none is.

    Raises: CertificateError.
    """
    now = datetime.now(UTC)
    entries = configuration.tls.certificate
    certificates = [read_certificate(entry.chain, entry.key, now, read) for entry in entries]
    authorities = _read_authorities(configuration, read) if asks_clients else None
    return ContextSet(certificates, authorities) if certificates else None


def _read_authorities(configuration: Configuration, read: Reader) -> KeyFile | None:
    submission = configuration.submission
    return None if submission is None or submission.client_ca is None else read(submission.client_ca)


def make_context(certificate: Certificate, authorities: KeyFile | None = None) -> ssl.SSLContext:
    """Make the context that serves one certificate; clients may show one that `authorities` vouch for.

    Raises: CertificateError.

    Memory: Python's ssl releases the buffers of idle connections by itself (SSL_MODE_RELEASE_BUFFERS).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 8314 §4.1; SHOULD of RFC 9325 §3.1.1
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    # Tickets are sealed with a key that lives as long as the context; so none in TLS 1.3. In 1.2 they stay:
    # without them OpenSSL keeps the sessions themselves, up to 20,480, and Python's ssl cannot stop it.
    context.num_tickets = 0
    try:  # the password is there lest OpenSSL ask the terminal for one
        with _in_memory(certificate.chain.octets) as chain, _in_memory(certificate.key.octets) as key:
            context.load_cert_chain(chain, key, password="")
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise CertificateError(certificate.chain.path, f"OpenSSL does not take it: {reason}") from error
    if authorities is not None:
        ask_clients(context, authorities)
    return context


def ask_clients(context: ssl.SSLContext, authorities: KeyFile) -> None:
    """Have clients asked for a certificate, without which they are served too. Raises: CertificateError."""
    try:
        context.load_verify_locations(cadata=authorities.octets.decode("ascii"))
    except (ssl.SSLError, ValueError) as error:
        raise CertificateError(authorities.path, "expected certificates in PEM form") from error
    context.verify_mode = ssl.CERT_OPTIONAL


@contextmanager
def _in_memory(octets: bytes) -> Iterator[str]:
    """Give a file of that content, for the length of the block: ssl wants a name, and we hold octets."""
    descriptor = os.memfd_create("paperpath-tls", os.MFD_CLOEXEC)
    with os.fdopen(descriptor, "wb") as file:
        file.write(octets)
        file.flush()
        yield f"/proc/self/fd/{descriptor}"


def _fold(name: bytes) -> bytes:
    return name.lower().removesuffix(b".")
