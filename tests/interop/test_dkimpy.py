"""What dkimpy signs passes, and what is changed behind it does not: with us as with dkimpy (I-9, I-10)."""

import base64
from itertools import product

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from paperpath.dkim.verification import Verification
from paperpath.mail.header import header_section
from tests.support.dkim_signer import DOMAIN, MESSAGE, Key, ed25519_key, private_octets, rsa_key

pytestmark = pytest.mark.interop
dkim = pytest.importorskip("dkim")

FORMS = tuple(product((b"simple", b"relaxed"), repeat=2))
BODIES = (b"", b"\r\n\r\n", b"a \t b \r\n\r\n \t\r\n", b"\r\n \r\nlast line is not ended")
CHANGES = (b"Ann", b"\t Ann", b"  folded", b"folded  subject \r\n")


def passes(message: bytes, key: Key) -> bool:
    """Tell whether the only signature passes, which both must agree upon."""
    header = header_section(message)
    verification = Verification(header, 1_700_000_000)
    verification.add(message[len(header) + 2 :])
    (result,) = verification.conclude({key.name: [key.record]})
    theirs = dkim.verify(message, dnsfunc=lambda *_, **__: key.record)
    assert (result.verdict == "pass") == theirs, (result, message)
    return bool(theirs)


def sign(message: bytes, key: Key, forms: tuple[bytes, bytes]) -> bytes:
    """Return the message with dkimpy's signature above it."""
    field: bytes = dkim.sign(
        message,
        key.selector.encode(),
        DOMAIN.encode(),
        write_private(key),
        canonicalize=forms,
        signature_algorithm=key.algorithm.encode(),
        include_headers=[b"from", b"subject", b"subject", b"to"],
    )
    return field + message


def write_private(key: Key) -> bytes:
    """Write a key as dkimpy reads it."""
    if key is ed25519_key():
        return base64.b64encode(private_octets(key))
    return key.private.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


@pytest.mark.parametrize("key", [rsa_key(1024), ed25519_key()], ids=["rsa", "ed25519"])
@pytest.mark.parametrize("forms", FORMS)
def test_I9_I10_dkimpy_and_we_agree(key: Key, forms: tuple[bytes, bytes]) -> None:
    for body in BODIES:
        message = MESSAGE.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + body
        assert passes(sign(message, key, forms), key)
    signed = sign(MESSAGE, key, forms)
    for piece in CHANGES:
        for change in (b" ", b"x", b"\t"):
            passes(signed.replace(piece, piece + change), key)
    assert not passes(signed.replace(b"Ann", b"Eve"), key)
