"""Certificates: read, refused with what mends it, and made for those who have none (L-4, A-70)."""

import os
import shlex
import ssl
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from paperpath.service.errors import ServiceError
from paperpath.service.tls import self_signed
from paperpath.service.tls.certificates import Certificate, read_certificate
from paperpath.service.tls.contexts import ContextSet
from paperpath.service.tls.key_files import CertificateError, read_key_file
from paperpath.service.tls.layer import TlsLayer
from paperpath.service.tls.self_signed import provide_self_signed
from tests.support.tls import TlsClient, write_certificate

NOW = datetime.now(UTC)
HOST = "mail.example.org"


def complain(chain: Path, key: Path, now: datetime = NOW) -> str:
    with pytest.raises(CertificateError) as caught:
        read_certificate(chain, key, now)
    assert caught.value.exit_code == os.EX_CONFIG
    return str(caught.value)


def encrypt(key: Path) -> None:
    """Put a key with a passphrase into a file."""
    secret = ec.generate_private_key(ec.SECP256R1())
    encryption = BestAvailableEncryption(b"secret")
    key.write_bytes(secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))


def test_a_certificate_is_read_with_its_names_and_its_end(tmp_path):
    chain, key = write_certificate(tmp_path, HOST, "*.example.net")
    read = read_certificate(chain, key, NOW)
    assert (read.chain.path, read.key.path, read.names) == (chain, key, (HOST, "*.example.net"))
    assert read.expires > NOW


def test_one_file_may_hold_both(tmp_path):
    chain, key = write_certificate(tmp_path, HOST)
    for number, octets in enumerate(
        [chain.read_bytes() + key.read_bytes(), key.read_bytes() + chain.read_bytes()]
    ):
        both = tmp_path / f"both{number}.pem"
        both.write_bytes(octets)
        both.chmod(0o600)
        ContextSet([read_certificate(both, both, NOW)])


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o666])
def test_L4_a_key_that_others_may_read_or_write_is_refused_with_the_command_to_run(tmp_path, mode):
    chain, key = write_certificate(tmp_path, HOST)
    key = key.rename(tmp_path / "the key")
    key.chmod(mode)
    _, _, command = complain(chain, key).partition("run: ")
    assert shlex.split(command) == ["chmod", "o-rw", str(key)]
    key.chmod(key.stat().st_mode & ~0o006)
    read_certificate(chain, key, NOW)


def test_a_key_that_its_group_may_read_is_taken(tmp_path):
    chain, key = write_certificate(tmp_path, HOST)
    key.chmod(0o640)
    read_certificate(chain, key, NOW)


def test_a_key_of_another_certificate_is_refused(tmp_path):
    chain, _ = write_certificate(tmp_path, HOST)
    _, other = write_certificate(tmp_path, "other.example.org")
    assert complain(chain, other) == f"{other}: this is not the key of the certificate in {chain}"


def test_an_expired_certificate_is_refused_with_its_day(tmp_path):
    chain, key = write_certificate(tmp_path, HOST)
    end = read_certificate(chain, key, NOW).expires
    assert complain(chain, key, end) == f"{chain}: the certificate expired on {end:%Y-%m-%d}"
    read_certificate(chain, key, end - timedelta(seconds=1))


def test_files_that_are_not_there_or_not_to_be_read_are_named(tmp_path):
    chain, key = write_certificate(tmp_path, HOST)
    absent = tmp_path / "absent"
    assert complain(absent, key) == f"{absent}: cannot be read: No such file or directory"
    assert complain(chain, absent) == f"{absent}: cannot be read: No such file or directory"
    assert complain(tmp_path, key) == f"{tmp_path}: cannot be read: Is a directory"
    assert complain(key, key).startswith(f"{key}: expected a certificate in PEM form")
    chain.chmod(0o644)
    assert complain(chain, chain).startswith(f"{chain}: every user")
    chain.chmod(0o600)
    assert complain(chain, chain) == f"{chain}: expected a private key in PEM form"


@pytest.mark.parametrize("body", ["", "x", "AAAA", "é"])
def test_an_unparsable_chain_is_named(tmp_path, body):
    _, key = write_certificate(tmp_path, HOST)
    chain = tmp_path / "chain"
    chain.write_text(f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n", encoding="utf-8")
    assert complain(chain, key).startswith(f"{chain}: expected a certificate in PEM form")


def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked_for_it(tmp_path):
    chain, key = write_certificate(tmp_path, HOST)
    encrypt(key)
    assert complain(chain, key) == f"{key}: the key has a passphrase, which no program can type"


def test_what_openssl_alone_refuses_is_named(tmp_path):
    chain, key = write_certificate(tmp_path, HOST)
    read = read_certificate(chain, key, NOW)
    _, other = write_certificate(tmp_path, "other.example.org")
    with pytest.raises(CertificateError, match=f"{chain}: OpenSSL does not take it: KEY_VALUES_MISMATCH"):
        ContextSet([replace(read, key=read_key_file(other))])
    encrypt(key)
    with pytest.raises(CertificateError, match=f"{chain}: OpenSSL does not take it: "):
        ContextSet([replace(read, key=read_key_file(key))])


def test_a_renewal_between_two_looks_changes_nothing(tmp_path):
    chain, key = write_certificate(tmp_path, HOST)
    read = read_certificate(chain, key, NOW)
    _, other = write_certificate(tmp_path, "other.example.org")
    other.rename(key)
    ContextSet([read])
    assert "PRIVATE KEY" not in repr(read)


def test_without_certificates_one_is_made_that_only_the_service_user_may_read(tmp_path):
    folder = tmp_path / "data" / "tls"
    made = provide_self_signed(folder, HOST, NOW)
    assert made.names == (HOST,)
    assert made.chain.path == made.key.path == folder / "self-signed.pem"
    assert (folder.stat().st_mode & 0o777, made.key.path.stat().st_mode & 0o777) == (0o700, 0o600)
    assert timedelta(days=364) < made.expires - NOW <= timedelta(days=365)


def test_a_client_that_knows_it_can_check_the_one_that_was_made(tmp_path):
    made = provide_self_signed(tmp_path, HOST, NOW)
    context = ssl.create_default_context(cafile=made.chain.path)
    TlsClient(context, HOST).shake_hands(TlsLayer(ContextSet([made]).choose))


def test_the_one_that_was_made_stays_until_less_than_thirty_days_are_left(tmp_path):
    made = provide_self_signed(tmp_path, HOST, NOW)
    octets = made.chain.path.read_bytes()
    provide_self_signed(tmp_path, HOST, made.expires - timedelta(days=30))
    assert made.chain.path.read_bytes() == octets
    later = made.expires - timedelta(days=30) + timedelta(seconds=1)
    assert provide_self_signed(tmp_path, HOST, later).expires > made.expires
    assert made.chain.path.read_bytes() != octets


def test_it_is_made_anew_for_another_host_or_where_it_is_broken_or_was_open_to_others(tmp_path):
    made = provide_self_signed(tmp_path, HOST, NOW)
    assert provide_self_signed(tmp_path, "new.example.org", NOW).names == ("new.example.org",)
    made.chain.path.write_text("garbage")
    assert provide_self_signed(tmp_path, HOST, NOW).names == (HOST,)
    octets = made.chain.path.read_bytes()
    made.chain.path.chmod(0o604)
    provide_self_signed(tmp_path, HOST, NOW)
    assert made.chain.path.read_bytes() != octets
    assert made.chain.path.stat().st_mode & 0o777 == 0o600


def test_a_program_that_starts_meanwhile_waits_and_takes_what_the_first_has_made(tmp_path, monkeypatch):
    make = self_signed._make
    second = threading.Thread(target=lambda: seen.append(provide_self_signed(tmp_path, HOST, NOW)))
    seen: list[Certificate] = []

    def make_slowly(hostname: str, now: datetime) -> str:
        second.start()
        second.join(0.1)
        assert second.is_alive()
        return make(hostname, now)

    monkeypatch.setattr(self_signed, "_make", make_slowly)
    first = provide_self_signed(tmp_path, HOST, NOW)
    octets = first.chain.path.read_bytes()
    second.join()
    assert seen == [first]
    assert first.chain.path.read_bytes() == octets


def test_where_it_cannot_be_written_is_named(tmp_path):
    (tmp_path / "tls").write_text("a file")
    with pytest.raises(ServiceError, match=r"tls/self-signed\.pem: cannot be written: ") as caught:
        provide_self_signed(tmp_path / "tls", HOST, NOW)
    assert caught.value.exit_code == os.EX_CANTCREAT
