"""Private keys as PEM, and the records that hold their other halves (RFC 6376 §3.6.1, RFC 8301, RFC 8463).

For the programs that sign, and for `paperpath dkim`. RSA with SHA-1 is nowhere, and no key below 1024 bits
(requirement I-2). The only module of this room that imports cryptography.
"""

import base64
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from paperpath.dkim.tags import write_tags

FEWEST_BITS = 1024  # RFC 8301 §3.2
ADVISED_BITS = 2048
_EXPONENT = 65537
_STRING_OCTETS = 255  # of one string of a TXT record (RFC 1035 §3.3.14)


class KeyRefusedError(ValueError):
    """These octets are no key to sign with; the text says why."""


class RsaKey:
    """A key for rsa-sha256."""

    algorithm: Final = "rsa-sha256"

    def __init__(self, private: rsa.RSAPrivateKey) -> None:
        """Keep the key. Raises: KeyRefusedError, where it is too short."""
        self.bits = private.key_size
        if self.bits < FEWEST_BITS:
            raise KeyRefusedError(
                f"the RSA key has {self.bits} bits; fewer than {FEWEST_BITS} are valid nowhere, "
                f"{ADVISED_BITS} are advised"
            )
        self._private = private

    @property
    def weakness(self) -> str:
        """What is to be said against the key; empty for nothing."""
        few = self.bits < ADVISED_BITS
        return f"the RSA key has {self.bits} bits; {ADVISED_BITS} are advised (RFC 8301)" if few else ""

    @property
    def record(self) -> str:
        """The text of the TXT record."""
        public = self._private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return write_tags({"v": "DKIM1", "k": "rsa", "p": base64.b64encode(public).decode("ascii")})

    def sign(self, digest: bytes) -> bytes:
        """Sign a SHA-256 digest."""
        return self._private.sign(digest, PKCS1v15(), Prehashed(SHA256()))


class Ed25519Key:
    """A key for ed25519-sha256, which signs the digest as if it were the message (RFC 8463 §3)."""

    algorithm: Final = "ed25519-sha256"
    weakness: Final = ""

    def __init__(self, private: ed25519.Ed25519PrivateKey) -> None:
        """Keep the key."""
        self._private = private

    @property
    def record(self) -> str:
        """The text of the TXT record (RFC 8463 §4)."""
        public = self._private.public_key().public_bytes_raw()
        return write_tags({"v": "DKIM1", "k": "ed25519", "p": base64.b64encode(public).decode("ascii")})

    def sign(self, digest: bytes) -> bytes:
        """Sign a SHA-256 digest."""
        return self._private.sign(digest)


SigningPair = RsaKey | Ed25519Key


def load_key(pem: bytes) -> SigningPair:
    """Read a private key. Raises: KeyRefusedError."""
    try:
        private = load_pem_private_key(pem, password=None)
    except TypeError as error:
        raise KeyRefusedError("the key has a passphrase, which no program can type") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyRefusedError("expected a private key in PEM form") from error
    if isinstance(private, rsa.RSAPrivateKey):
        return RsaKey(private)
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return Ed25519Key(private)
    raise KeyRefusedError("expected an RSA or Ed25519 key; DKIM knows no other")


def make_rsa_key(bits: int = ADVISED_BITS) -> str:
    """Make a key, as PEM."""
    return _write_pem(rsa.generate_private_key(_EXPONENT, bits))


def make_ed25519_key() -> str:
    """Make a key, as PEM."""
    return _write_pem(ed25519.Ed25519PrivateKey.generate())


def cut_strings(record: str) -> list[str]:
    """Cut a record's text into strings that a TXT record can hold."""
    return [record[begin : begin + _STRING_OCTETS] for begin in range(0, len(record), _STRING_OCTETS)]


def _write_pem(private: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> str:
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")
