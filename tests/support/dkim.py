"""Signatures verified by the words of RFC 6376, for tests alone: nothing of the product is in it."""

import base64
import hashlib
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

SHORT_KEY = b"""-----BEGIN PRIVATE KEY-----
MIIBVAIBADANBgkqhkiG9w0BAQEFAASCAT4wggE6AgEAAkEA7nNoHLN2PeftkKap
2dqKoSwbmy+pEdltsiRboiFGpxuRsNb5vVnhszCgYN4ySWrCnNIkSQU3/apzsuEt
4F1LpQIDAQABAkBGh9peyvKJoyWQ6MtKxirFO5+6ymEvB2o8DCcSkNcuLBY4i2A7
3v1Tqx9UljWDbxjdhX2N9zU9Mpj0lZnZIJJBAiEA/aYkvECqXO8cFFsMc1T1r2bY
ONqRR+abTyrMk77Q+5UCIQDwqTN29Okv3ldbSGx3lKpe8IiwjX2F1BtAK2SPKQ6L
0QIhAIya0dhNHGMh5PXfttoj6YFOyGNTvZ8W1VcgSYFJEH21AiBpl6PIFu9VnHWx
zJYi5azXGSywYnRnysfmIOPvWHFUcQIgOAJx584N0NOPfoYsW0KsbrZT+NysoF/J
v4IMEA1tlf8=
-----END PRIVATE KEY-----
"""
"""An RSA key of 512 bits, which cryptography no longer makes."""

_FIELDS = re.compile(rb"(?s)[^\r\n].*?\r\n(?![ \t])")


def find_signatures(message: bytes) -> list[dict[str, str]]:
    """Return the tags of each signature, the highest first; blanks are removed from all of them."""
    return [_read(field) for field in _split(message)[0] if _is_signature(field)]


def verify(message: bytes, records: dict[str, str]) -> list[bool]:
    """Tell of each signature, the highest first, whether it is good; `records` have full names."""
    fields, body = _split(message)
    return [_is_good(field, fields, body, records) for field in fields if _is_signature(field)]


def _is_good(own: bytes, fields: list[bytes], body: bytes, records: dict[str, str]) -> bool:
    tags = _read(own)
    assert (tags["v"], tags["c"]) == ("1", "relaxed/relaxed")
    body = re.sub(rb" (?=\r\n|\Z)", b"", re.sub(rb"[ \t]+", b" ", body))
    body = re.sub(rb"(\r\n)*\Z", b"", body, count=1)
    digest = hashlib.sha256(body and body + b"\r\n").digest()
    if base64.b64decode(tags["bh"]) != digest:
        return False
    left, signed = list(reversed(fields)), b""
    for name in tags["h"].encode().lower().split(b":"):
        found = next((field for field in left if field.split(b":")[0].strip().lower() == name), None)
        if found is not None:
            left.remove(found)
            signed += _relax(found)
    signed += re.sub(rb"([;:] ?b=).*", rb"\1", _relax(own).removesuffix(b"\r\n"))
    return _check(tags, records[f"{tags['s']}._domainkey.{tags['d']}"], signed)


def _check(tags: dict[str, str], record: str, signed: bytes) -> bool:
    published = dict(part.strip().split("=", 1) for part in record.split(";"))
    public, signature = base64.b64decode(published["p"]), base64.b64decode(tags["b"])
    assert tags["a"] == f"{published['k']}-sha256"
    try:
        if published["k"] == "ed25519":
            Ed25519PublicKey.from_public_bytes(public).verify(signature, hashlib.sha256(signed).digest())
        else:
            key = load_der_public_key(public)
            assert isinstance(key, RSAPublicKey)
            key.verify(signature, signed, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def _split(message: bytes) -> tuple[list[bytes], bytes]:
    header, _, body = message.partition(b"\r\n\r\n")
    return _FIELDS.findall(header + b"\r\n"), body


def _is_signature(field: bytes) -> bool:
    return field.lower().startswith(b"dkim-signature:")


def _read(field: bytes) -> dict[str, str]:
    text = re.sub(r"\s", "", field.decode().partition(":")[2])
    pairs = [part.split("=", 1) for part in text.split(";")]
    assert len(dict(pairs)) == len(pairs), "a tag comes twice"
    return dict(pairs)


def _relax(field: bytes) -> bytes:
    name, _, value = field.partition(b":")
    value = re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b"")).strip(b" ")
    return name.strip(b" \t").lower() + b":" + value + b"\r\n"
