"""Whom a host is taken for by its certificate."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from paperpath.remote.trust import make_verifying_context

HOST = "mx1.x.example"


def write_own(folder: Path, *alternatives: str) -> Path:
    """Write a certificate that vouches for itself, whose common name is HOST, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    day = timedelta(days=1)
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - day)
        .not_valid_after(now + day)
    )
    if alternatives:
        names = [x509.DNSName(each) for each in alternatives]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    file = folder / "own.pem"
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, form, plain)
    )
    return file


def shake_hands(file: Path) -> str:
    """Try a handshake in memory; return what is wrong with the certificate, or nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(there, back, server_side=True)
    client = make_verifying_context(file).wrap_bio(back, there, server_hostname=HOST)
    for side in (client, server, client):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLCertVerificationError as error:
            return error.verify_message
    return ""


@pytest.mark.parametrize(
    ("names", "is_right"),
    [
        ((HOST,), True),
        (("*.x.example",), True),
        ((), False),
        (("y.example",), False),
        (("mx*.x.example",), False),
    ],
)
def test_G39_only_alternative_names_count_and_a_star_is_a_whole_label(tmp_path, names, is_right):
    objection = shake_hands(write_own(tmp_path, *names))
    assert (objection == "") is is_right
    assert is_right or "ostname mismatch" in objection


def test_G39_a_file_without_authorities_is_an_error(tmp_path):
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    for file in (empty, tmp_path / "none.pem"):
        with pytest.raises(OSError, match=r".+"):
            make_verifying_context(file)
