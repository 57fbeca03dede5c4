"""A signer of messages that has nothing of the product's, so that its canonical forms are other eyes' work.

Keys are made once, or stand here: the weak one, since nothing makes such keys any more.
"""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

DOMAIN = "signer.example"
MESSAGE = (
    b"From: Joe <joe@signer.example>\r\nTo: ann@here.example\r\nSubject:  a \r\n\tfolded  subject \r\n"
    b"Message-ID: <1@signer.example>\r\n\r\nHi, \t Ann.  \r\n\r\n\r\n"
)
NAMES = ("from", "to", "subject")

_WEAK_PEM = b"""\
-----BEGIN RSA PRIVATE KEY-----
MIIBzAIBAAJhALlzgtYwAHSs1BcMlSF93iSCS8B9K20SN6tJ3505qJA4nCoEfUK9
oOrN2wPb/DsjCC0DjPl9afkV0YO3DYihO7lKAVcDabjT5IiHpJz7O0ckOhSKPTNf
Lh6ozwaZlqXn0QIDAQABAmBsDYKZG6TYVm7I8zrdJcJOEWDjycqIpYmsEsHokNTH
G0TaMn1taqGczc6jhASFzFWTTqqCuRaPZZkZ4k8z/ye2RSGHUW9uOLaBvFaKAa/v
ch2HDVOd9DzHnpiH8o5jMHECMQDtqYp2ccpc2J3wOaRHhpXH3vdQNiWWFJWZ0WTk
VOLAkIxRAA0b10GXA6fNMewp0TUCMQDHwqnkpCRnZvVnoouOw1/2MwN0FKCb7nev
LxVoo+tVXGjUgJ3RVsOI3N7vlZnVS60CMQC1Vlhs2ZQTVcDkq8aaQKmGUK0ZiccS
BXDEZc36nn5JecFmiIh4Br1oEYT2fzH4EkUCMQCREbOj0fiGB2Vsz8Sd9xD3kPCP
GnPRCgts87qOdYxwP136BTWXU3VJLW3RfEltdzkCMQDskxUN99tvypKnM/uYK9Ni
sPs3zbbqVSi6CHbhywjcmVgbLSTqAc/9vOtnSM6O/rI=
-----END RSA PRIVATE KEY-----
"""
_KINDS = {"rsa-sha256": SHA256(), "rsa-sha1": SHA1()}


@dataclass(frozen=True)
class Key:
    """A private key, under a selector of its own."""

    selector: str
    private: RSAPrivateKey | Ed25519PrivateKey

    @property
    def algorithm(self) -> str:
        return "rsa-sha256" if isinstance(self.private, RSAPrivateKey) else "ed25519-sha256"

    @property
    def name(self) -> str:
        """Where its record is."""
        return f"{self.selector}._domainkey.{DOMAIN}"

    @property
    def public(self) -> str:
        """What stands in p=."""
        key = self.private.public_key()
        if isinstance(self.private, Ed25519PrivateKey):
            return _write(key.public_bytes(Encoding.Raw, PublicFormat.Raw))
        return _write(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    @property
    def record(self) -> bytes:
        kind = self.algorithm.partition("-")[0]
        return f"v=DKIM1; k={kind}; p={self.public}".encode()

    def sign(self, octets: bytes, algorithm: str) -> bytes:
        if isinstance(self.private, Ed25519PrivateKey):
            return self.private.sign(hashlib.sha256(octets).digest())
        return self.private.sign(octets, PKCS1v15(), _KINDS[algorithm])


@cache
def rsa_key(bits: int = 2048) -> Key:
    """Return the key of that size; 768 bits are the weak one."""
    if bits == 768:
        weak = load_pem_private_key(_WEAK_PEM, None)
        assert isinstance(weak, RSAPrivateKey)
        return Key("rsa768", weak)
    return Key(f"rsa{bits}", generate_private_key(65537, bits))


@cache
def ed25519_key() -> Key:
    """Return a key of the other kind."""
    return Key("ed25519", Ed25519PrivateKey.generate())


def ed25519_key_of(seed: str) -> Key:
    """Return the key of a seed in base64."""
    return Key("seed", Ed25519PrivateKey.from_private_bytes(base64.b64decode(seed)))


def private_octets(key: Key) -> bytes:
    """Return the seed of an Ed25519 key."""
    return key.private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())


def sign(
    message: bytes,
    key: Key,
    forms: str = "relaxed/relaxed",
    names: Sequence[str] = NAMES,
    changes: Mapping[str, str | None] | None = None,
) -> bytes:
    """Return the field of a signature; `changes` are tags that are otherwise, or `None` for none."""
    header, _, body = message.partition(b"\r\n\r\n")
    fields = re.split(rb"\r\n(?![ \t])", header)
    header_form, _, body_form = forms.partition("/")
    tags: dict[str, str | None] = {
        "v": "1",
        "a": key.algorithm,
        "c": forms,
        "d": DOMAIN,
        "s": key.selector,
        "h": ":".join(names),
        "bh": _write(hashlib.sha256(_body(body, body_form)).digest()),
        **(changes or {}),
    }
    tags["b"] = (changes or {}).get("b", "")
    text = "; ".join(f"{name}={value}" for name, value in tags.items() if value is not None)
    own = f"DKIM-Signature: {text}".encode()
    if tags["b"] is None or tags["b"]:
        return own + b"\r\n"
    signed = b"".join(_field(field, header_form) + b"\r\n" for field in _choose(fields, names))
    octets = signed + _field(own, header_form)
    return own + _write(key.sign(octets, tags["a"] or "")).encode() + b"\r\n"


def _choose(fields: Sequence[bytes], names: Sequence[str]) -> list[bytes]:
    left, chosen = list(fields), []
    for name in names:
        for field in reversed(left):
            if field.partition(b":")[0].strip().lower() == name.lower().encode():
                chosen.append(field)
                left.reverse()
                left.remove(field)
                left.reverse()
                break
    return chosen


def _field(field: bytes, form: str) -> bytes:
    if form == "simple":
        return field
    name, _, value = field.partition(b":")
    return name.strip().lower() + b":" + re.sub(rb"[ \t\r\n]+", b" ", value).strip()


def _body(body: bytes, form: str) -> bytes:
    lines = body.split(b"\r\n")
    if form == "relaxed":
        lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in lines]
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        return b"" if form == "relaxed" else b"\r\n"
    return b"".join(line + b"\r\n" for line in lines)


def _write(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
