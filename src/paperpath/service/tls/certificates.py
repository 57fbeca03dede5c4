"""Certificates in files: read, and refused where no client could use them, or where others know the key.

Called by the contexts and by what makes certificates of our own. Promise: what is returned goes with its key,
has not expired, and its key could not be read by every user of the host.
"""

import os
import shlex
import stat
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from paperpath.service.errors import ServiceError


class CertificateError(ServiceError):
    """A certificate cannot be used; the text names the file, and the command that mends it where one does."""

    def __init__(self, message: str) -> None:
        """Keep the sentence to print; the code is that of a wrong configuration."""
        super().__init__(message, os.EX_CONFIG)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate to serve: its files, the DNS names it is for, and its end."""

    chain: Path
    key: Path
    names: tuple[str, ...]
    expires: datetime


def read_certificate(chain: Path, key: Path, now: datetime) -> Certificate:
    """Read a chain, the certificate itself first, and its key.

    Raises: CertificateError.
    """
    leaf, names = _read_leaf(chain)
    if _read_key(key).public_key() != leaf.public_key():
        raise CertificateError(f"{key}: this is not the key of the certificate in {chain}")
    expires = leaf.not_valid_after_utc
    if expires <= now:
        raise CertificateError(f"{chain}: the certificate expired on {expires:%Y-%m-%d}")
    return Certificate(chain, key, names, expires)


def _read_leaf(file: Path) -> tuple[x509.Certificate, tuple[str, ...]]:
    octets, _ = _read(file)
    try:
        leaf = x509.load_pem_x509_certificates(octets)[0]
        leaf.public_key()  # is parsed only now
        return leaf, _find_names(leaf)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CertificateError(f"{file}: expected a certificate in PEM form: {error}") from error


def _find_names(leaf: x509.Certificate) -> tuple[str, ...]:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(names.get_values_for_type(x509.DNSName))


def _read_key(file: Path) -> PrivateKeyTypes:
    octets, mode = _read(file)
    if mode & (stat.S_IROTH | stat.S_IWOTH):  # attack L-4
        command = f"chmod o-rw {shlex.quote(str(file))}"
        raise CertificateError(f"{file}: every user of this host may read or write the key; run: {command}")
    try:
        return load_pem_private_key(octets, password=None)
    except TypeError as error:
        raise CertificateError(f"{file}: the key has a passphrase, which no program can type") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CertificateError(f"{file}: expected a private key in PEM form") from error


def _read(file: Path) -> tuple[bytes, int]:
    """Return what a file holds and its mode, both of the same file, whatever is renamed meanwhile."""
    try:
        with file.open("rb") as opened:
            return opened.read(), os.fstat(opened.fileno()).st_mode
    except OSError as error:
        raise CertificateError(f"{file}: cannot be read: {error.strerror}") from error
