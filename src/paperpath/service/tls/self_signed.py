"""The certificate for those who have configured none: signed by itself, for the name of the host.

Called by the contexts, of several programs at once: one file has key and certificate, so that the two always
go together, and a lock keeps a second program from making a second one.
"""

import fcntl
import os
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from paperpath.service.durable import replace_text
from paperpath.service.errors import ServiceError
from paperpath.service.tls.certificates import Certificate, read_certificate
from paperpath.service.tls.key_files import CertificateError

NAME = "self-signed.pem"
_LIFE = timedelta(days=365)
_LEAST_LEFT = timedelta(days=30)
_SLOW_CLOCKS = timedelta(hours=1)  # a client's may be behind ours


def provide_self_signed(folder: Path, hostname: str, now: datetime) -> Certificate:
    """Return the certificate for a host, made anew where there is none, an old one, or another host's.

    Raises: ServiceError, where it cannot be written.
    """
    file = folder / NAME
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _is_good(file, hostname, now):
                replace_text(file, _make(hostname, now))
    except OSError as error:
        reason = f"{file}: cannot be written: {error.strerror}"
        raise ServiceError(reason, os.EX_CANTCREAT) from error
    return read_certificate(file, file, now)


def _is_good(file: Path, hostname: str, now: datetime) -> bool:
    """Tell whether a file serves on; a key that others could read does not: a new one mends that."""
    try:
        found = read_certificate(file, file, now)
    except CertificateError:
        return False
    return found.names == (hostname,) and found.expires - now >= _LEAST_LEFT


def _make(hostname: str, now: datetime) -> str:
    """Make a key and its certificate, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "self-signed by Paperpath")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - _SLOW_CLOCKS)
        .not_valid_after(now + _LIFE)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(hostname)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return (secret + certificate.public_bytes(Encoding.PEM)).decode("ascii")
