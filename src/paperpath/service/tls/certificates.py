"""Certificates in files: read, and refused where no client could use them, or where others know the key.

Called by the contexts and by what makes certificates of our own. Promise: what is returned goes with its key,
has not expired, and its key could not be read by every user of the host.
"""

import shlex
import stat
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from paperpath.service.tls.key_files import CertificateError, KeyFile, Reader, read_key_file


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate to serve: its files, the DNS names it is for, and its end."""

    chain: KeyFile
    key: KeyFile
    names: tuple[str, ...]
    expires: datetime


def read_certificate(chain: Path, key: Path, now: datetime, read: Reader = read_key_file) -> Certificate:
    """Read a chain, the certificate itself first, and its key; `read` gives what is in the files.

    Raises: CertificateError.
    """
    chain_file = read(chain)
    leaf, names = _read_leaf(chain_file)
    key_file = read(key)
    if _read_key(key_file).public_key() != leaf.public_key():
        raise CertificateError(key, f"this is not the key of the certificate in {chain}")
    expires = leaf.not_valid_after_utc
    if expires <= now:
        raise CertificateError(chain, f"the certificate expired on {expires:%Y-%m-%d}")
    return Certificate(chain_file, key_file, names, expires)


def _read_leaf(file: KeyFile) -> tuple[x509.Certificate, tuple[str, ...]]:
    try:
        leaf = x509.load_pem_x509_certificates(file.octets)[0]
        leaf.public_key()  # is parsed only now
        return leaf, _find_names(leaf)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CertificateError(file.path, f"expected a certificate in PEM form: {error}") from error


def _find_names(leaf: x509.Certificate) -> tuple[str, ...]:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(names.get_values_for_type(x509.DNSName))


def _read_key(file: KeyFile) -> PrivateKeyTypes:
    path = file.path
    if file.mode & (stat.S_IROTH | stat.S_IWOTH):  # attack L-4
        command = f"chmod o-rw {shlex.quote(str(path))}"
        raise CertificateError(path, f"every user of this host may read or write the key; run: {command}")
    try:
        return load_pem_private_key(file.octets, password=None)
    except TypeError as error:
        raise CertificateError(path, "the key has a passphrase, which no program can type") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CertificateError(path, "expected a private key in PEM form") from error
