"""dkimpy and we agree: what one of us signs passes with the other, and what is changed behind it does not."""

import base64
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from paperpath.dkim.keyring import Keyring, Signer
from paperpath.dkim.keys import SigningPair, load_key, make_ed25519_key, make_rsa_key
from paperpath.dkim.verification import Verification
from paperpath.mail.header import header_section
from paperpath.maildrop.content import read_content
from tests.support.dkim_signer import DOMAIN, MESSAGE, Key, ed25519_key, private_octets, rsa_key
from tests.support.peers import skip_or_fail
from tests.unit.submission.example import WHOLE, Setting

pytestmark = pytest.mark.interop

FORMS = tuple(product((b"simple", b"relaxed"), repeat=2))
BODIES = (b"", b"\r\n\r\n", b"a \t b \r\n\r\n \t\r\n", b"\r\n \r\nlast line is not ended")
CHANGES = (b"Ann", b"\t Ann", b"  folded", b"folded  subject \r\n")
KEYS = [pytest.param(rsa_key(1024), id="rsa"), pytest.param(ed25519_key(), id="ed25519")]
SUBMITTED = {
    "plain": WHOLE + b"\r\nHello\r\n",
    "repeated fields": b"Comments: 1\r\nComments: 2\r\nKeywords: a\r\nComments: 3\r\n"
    + WHOLE
    + b"\r\nHello\r\n",
    "empty body": WHOLE + b"\r\n",
    "no body": WHOLE,
    "folded header": WHOLE
    + b"Subject:  a \t b\r\n\t folded \r\n  subject \r\nsender :joe@here.example\r\n\r\nx\r\n",
    "trailing empty lines": WHOLE + b"\r\na \t b \r\n\r\n \t\r\n\r\n\r\n",
    "no last line end": WHOLE + b"\r\n\r\nlast line is not ended",
}


@pytest.fixture
def dkim() -> Any:
    """dkimpy's module, from its own lock file."""
    if find_spec("dkim") is None:
        skip_or_fail("dkimpy is not installed")
    return import_module("dkim")


def passes(dkim: Any, message: bytes, key: Key) -> bool:
    """Tell whether the only signature passes, which both must agree upon."""
    header = header_section(message)
    verification = Verification(header, 1_700_000_000)
    verification.add(message[len(header) + 2 :])
    (result,) = verification.conclude({key.name: [key.record]})
    theirs = dkim.verify(message, dnsfunc=lambda *_, **__: key.record)
    assert (result.verdict == "pass") == theirs, (result, message)
    return bool(theirs)


def sign(dkim: Any, message: bytes, key: Key, forms: tuple[bytes, bytes]) -> bytes:
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


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("forms", FORMS)
def test_I9_I10_what_dkimpy_signs_passes_with_us(dkim: Any, key: Key, forms: tuple[bytes, bytes]) -> None:
    for body in BODIES:
        message = MESSAGE.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + body
        assert passes(dkim, sign(dkim, message, key, forms), key)
    signed = sign(dkim, MESSAGE, key, forms)
    for piece in CHANGES:
        for change in (b" ", b"x", b"\t"):
            passes(dkim, signed.replace(piece, piece + change), key)
    assert not passes(dkim, signed.replace(b"Ann", b"Eve"), key)


@pytest.fixture(scope="module", params=[make_rsa_key, make_ed25519_key], ids=["rsa", "ed25519"])
def own_key(request: pytest.FixtureRequest) -> SigningPair:
    return load_key(request.param().encode())


@pytest.mark.parametrize("name", SUBMITTED)
def test_I1_I3_I4_I5_what_we_sign_passes_with_dkimpy(
    dkim: Any, own_key: SigningPair, tmp_path: Path, name: str
) -> None:
    setting = Setting(tmp_path)
    setting.site = replace(setting.site, keyring=Keyring([Signer("here.example", "s2026", own_key)]))
    assert setting.receive(SUBMITTED[name]).startswith("250 ")
    content = read_content(setting.claim().message.content)

    def look_up(name: bytes, **_: object) -> bytes | None:
        return own_key.record.encode() if name == b"s2026._domainkey.here.example." else None

    assert dkim.verify(content, dnsfunc=look_up, minkey=2048)
    for added in (b"From: eve@there.example\r\n", b"Subject: other\r\n", b"Reply-To: eve@there.example\r\n"):
        assert not dkim.verify(added + content, dnsfunc=look_up)
    for old, new in ((b"Message-ID: <1@", b"Message-ID: <2@"), (b"To: u@", b"To: v@")):
        assert old in content
        assert not dkim.verify(content.replace(old, new, 1), dnsfunc=look_up)
    behind = b"more\r\n" if b"\r\n\r\n" in content else b"\r\nmore\r\n"
    assert not dkim.verify(content + behind, dnsfunc=look_up)
