"""Key records, and whether a signature is by their key (RFC 6376 §3.6.1, RFC 8301, RFC 8463).

Called by verification.py. Whatever the DNS says gives a key or a FlawError.
"""

import base64
import binascii
import hashlib

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from paperpath.dkim.findings import FlawError, Verdict
from paperpath.dkim.tags import TagError, parse_tags, remove_blanks
from paperpath.mail.value import value

FEWEST_RSA_BITS = 1024
MOST_RSA_BITS = 4096
_HASH = b"sha256"
_SERVICES = frozenset({b"*", b"email"})
_KINDS = (b"rsa", b"ed25519")


@value
class KeyRecord:
    """What a record says: of which kind the key is, its octets, and what it may be used for.

    `is_strict`: the identity of a signature must be of its very domain (t=s).
    """

    kind: bytes
    octets: bytes
    is_strict: bool
    is_test: bool


def parse_key_record(octets: bytes) -> KeyRecord:
    """Read a record of the DNS, its strings joined. Raises: FlawError, where it gives no key for mail."""
    try:
        tags = parse_tags(octets)
    except TagError:
        raise _flaw("the key record is none") from None
    if tags.get(b"v", b"DKIM1") != b"DKIM1" or (b"v" in tags and next(iter(tags)) != b"v"):
        raise _flaw("the key record is of another version")
    kind = tags.get(b"k", b"rsa")
    if kind not in _KINDS:
        raise _flaw("the key is of an unknown kind")
    if b"h" in tags and _HASH not in _split(tags[b"h"]):
        raise _flaw("the key is not for this hash")
    if not _SERVICES & _split(tags.get(b"s", b"*")):
        raise _flaw("the key is not for mail")
    flags = _split(tags.get(b"t", b""))
    return KeyRecord(kind, _decode_key(tags), b"s" in flags, b"y" in flags)


def verify(record: KeyRecord, octets: bytes, signature: bytes) -> None:
    """See that a signature of some octets is by the key of a record. Raises: FlawError."""
    try:
        if record.kind == b"ed25519":
            key = Ed25519PublicKey.from_public_bytes(record.octets)
            key.verify(signature, hashlib.sha256(octets).digest())  # RFC 8463 §3
        else:
            _load_rsa(record.octets).verify(signature, octets, PKCS1v15(), SHA256())
    except InvalidSignature:
        raise FlawError(Verdict.FAIL, "the signature does not match the header") from None
    except (ValueError, UnsupportedAlgorithm):
        raise _flaw("the key cannot be used") from None


def _load_rsa(octets: bytes) -> RSAPublicKey:
    """Raises: FlawError; ValueError, UnsupportedAlgorithm."""
    key = load_der_public_key(octets)
    if not isinstance(key, RSAPublicKey):
        raise _flaw("the key is of another kind than it says")
    if not FEWEST_RSA_BITS <= key.key_size <= MOST_RSA_BITS:  # RFC 8301 §3.2
        raise FlawError(Verdict.POLICY, f"a key of {key.key_size} bits is not gone by")
    return key


def _decode_key(tags: dict[bytes, bytes]) -> bytes:
    if b"p" not in tags:
        raise _flaw("the key record has no key")
    written = remove_blanks(tags[b"p"])
    if not written:
        raise _flaw("the key is revoked")
    try:
        return base64.b64decode(written, validate=True)
    except binascii.Error:
        raise _flaw("the key is no base64") from None


def _split(text: bytes) -> frozenset[bytes]:
    return frozenset(remove_blanks(text).split(b":"))


def _flaw(reason: str) -> FlawError:
    return FlawError(Verdict.PERMERROR, reason)
