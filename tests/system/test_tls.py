"""STARTTLS on the live relay, on both event loops (A-70 to A-76, A-49, S-8)."""

import json
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.installation import Installation, content_of, wait_until
from tests.support.tls import make_client_context, write_certificate
from tests.support.wire import Wire

pytestmark = pytest.mark.slow
MESSAGE = b"Subject: sealed\r\n\r\n..dots\r\n"


@pytest.fixture(scope="module", params=["uvloop", "asyncio"])
def relay(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Installation]:
    installation = Installation(tmp_path_factory.mktemp("tls"), processes=1)
    names = ("mx.here.example",), ("*.second.example",)
    entries = [write_certificate(installation.folder, *of) for of in names]
    with installation.file.open("a") as file:
        for chain, key in entries:
            file.write(f'\n[[tls.certificate]]\nchain = "{chain}"\nkey = "{key}"\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAPERPATH_LOOP", request.param)
        with installation.up():
            yield installation


def start_tls(relay: Installation, name: str | None, version: ssl.TLSVersion | None = None) -> ssl.SSLSocket:
    """Go as far as the handshake; return the encrypted socket."""
    plain = socket.create_connection(("127.0.0.1", relay.port), 20)
    stream = plain.makefile("rb")
    assert stream.readline().startswith(b"220 ")
    plain.sendall(b"EHLO c.example\r\n")
    while stream.readline()[3:4] == b"-":
        pass
    plain.sendall(b"STARTTLS\r\n")
    assert stream.readline().startswith(b"220 2.0.0")
    return make_client_context(version).wrap_socket(plain, server_hostname=name)


def ask(encrypted: ssl.SSLSocket, line: bytes) -> bytes:
    encrypted.sendall(line + b"\r\n")
    reply = encrypted.recv(4096)
    while reply.splitlines()[-1][3:4] != b" ":
        reply += encrypted.recv(4096)
    return reply


def test_A49_A70_C1_a_message_comes_in_over_tls_unchanged(relay: Installation) -> None:
    with smtplib.SMTP("127.0.0.1", relay.port, "client.example") as client:
        client.ehlo()
        assert client.has_extn("starttls")
        assert client.starttls(context=make_client_context())[0] == 220
        client.ehlo()
        assert not client.has_extn("starttls")
        client.sendmail("a@else.example", "u@here.example", MESSAGE)

    def sealed() -> list[bytes]:
        octets = [file.read_bytes() for file in relay.delivered()]
        return [message for message in octets if b"with ESMTPS id" in message]

    wait_until(sealed, "the message to be delivered")
    assert [content_of(message) for message in sealed()] == [MESSAGE]


def test_D8_version_cipher_and_service_are_kept_with_the_message(relay: Installation) -> None:
    with smtplib.SMTP("127.0.0.1", relay.port, "client.example") as client:
        client.starttls(context=make_client_context(ssl.TLSVersion.TLSv1_2))
        client.sendmail("a@else.example", "far@backup.example", MESSAGE)
    config = ("--config", str(relay.file))
    (row,) = map(json.loads, relay.run("queue", "list", "--json", *config).splitlines())
    shown, *_ = map(json.loads, relay.run("queue", "show", "--json", row["queue_id"], *config).splitlines())
    relay.run("queue", "remove", row["queue_id"], *config)
    client_facts = shown["client"]
    assert re.fullmatch(r"TLSv1\.2 TLS_ECDHE_\w+", client_facts["tls"])
    assert (client_facts["protocol"], client_facts["service"]) == ("ESMTPS", "normal")


def test_A71_A73_what_was_said_in_the_clear_is_forgotten(relay: Installation) -> None:
    with Wire(relay.port) as wire:
        wire.reply()
        wire.ask(b"EHLO c.example")
        assert wire.ask(b"STARTTLS now").startswith(b"501 5.5.4")
    with start_tls(relay, "mx.here.example") as encrypted:
        assert ask(encrypted, b"MAIL FROM:<a@b.example>").startswith(b"503 5.5.1")
        assert b"STARTTLS" not in ask(encrypted, b"EHLO c.example")
        assert ask(encrypted, b"RCPT TO:<u@here.example>").startswith(b"503 5.5.1")
        assert ask(encrypted, b"STARTTLS").startswith(b"503 5.5.1")


def test_A72_plaintext_behind_starttls_is_never_a_command(relay: Installation) -> None:
    with Wire(relay.port) as wire:
        wire.reply()
        wire.ask(b"EHLO c.example")
        wire.send(b"STARTTLS\r\nNOOP\r\nMAIL FROM:<evil@x.example>\r\n")
        assert wire.reply().startswith(b"421 4.7.0")
        assert wire.reply() == b""


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("mx.here.example", "mx.here.example"),
        ("mail.second.example", "*.second.example"),
        ("nonsense.example", "mx.here.example"),
        (None, "mx.here.example"),
    ],
)
def test_A75_the_name_asked_for_chooses_the_certificate(
    relay: Installation, name: str | None, subject: str
) -> None:
    with start_tls(relay, name) as encrypted:
        certificate = encrypted.getpeercert(binary_form=True)
    assert certificate is not None
    assert subject.encode() in certificate


def test_A76_S8_old_versions_get_an_alert_and_the_relay_goes_on(relay: Installation) -> None:
    hello_of_1_1 = bytes.fromhex("160301002f0100002b0302") + bytes(32) + bytes.fromhex("000004c014c0130100")
    with Wire(relay.port) as wire:
        wire.reply()
        assert wire.ask(b"STARTTLS").startswith(b"220")
        wire.send(hello_of_1_1)
        assert wire.read_all()[:1] == b"\x15"  # an alert record
    with start_tls(relay, None, ssl.TLSVersion.TLSv1_2) as encrypted:
        assert encrypted.version() == "TLSv1.2"
        assert ask(encrypted, b"NOOP").startswith(b"250")


def test_A74_nothing_needs_tls(relay: Installation) -> None:
    with Wire(relay.port) as wire:
        wire.open_transaction()
        wire.send(b"x\r\n.\r\n")
        assert wire.reply().startswith(b"250")


def test_A70_garbage_instead_of_a_handshake_ends_the_session_and_is_logged(relay: Installation) -> None:
    with Wire(relay.port) as wire:
        wire.reply()
        assert wire.ask(b"STARTTLS").startswith(b"220")
        wire.send(b"EHLO this is not TLS\r\n")
        wire.read_all()
    wait_until(lambda: "TLS failed" in relay.output(), "the reason in the log")


def test_A70_a_relay_without_a_certificate_makes_one_and_says_so(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    with installation.up():
        with start_tls(installation, None) as encrypted:
            certificate = encrypted.getpeercert(binary_form=True)
        assert certificate is not None
        assert b"mx.here.example" in certificate
        assert "signed by itself" in installation.output()
    (made,) = (tmp_path / "data" / "tls").glob("*.pem")
    assert made.stat().st_mode & 0o077 == 0
