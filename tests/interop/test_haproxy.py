"""HAProxy in front, both versions of the PROXY protocol, with TLS and without; swaks in its place (A-99)."""

import smtplib
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.installation import find_free_port, wait_until
from tests.support.peers import find_peer
from tests.support.submission import ACCOUNT, PASSWORD, Submission
from tests.support.tls import make_client_context
from tests.support.wire import Wire

pytestmark = [pytest.mark.interop, pytest.mark.slow]

VERSIONS = {"v1": ("send-proxy", "127.0.0.1"), "v2": ("send-proxy-v2", "[::1]")}
FRIEND, OTHER, STRANGER = "127.0.0.9", "127.0.0.10", "127.0.0.11"


@dataclass(frozen=True)
class Proxied:
    """An installation and the HAProxy in front; `ports` are HAProxy's, by service and version."""

    submission: Submission
    ports: dict[tuple[str, str], int]
    behind: dict[str, int]
    statistics: Path


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    folder = tmp_path_factory.mktemp("proxied")
    behind = {service: find_free_port() for service in ("relay", "starttls", "tls")}
    listen = {service: f'["127.0.0.1:{port}", "[::1]:{port}"]' for service, port in behind.items()}
    proxies = 'proxies = ["127.0.0.1", "::1"]'
    submission = Submission(
        folder / "paperpath",
        more_submission=f"listen_proxy = {listen['starttls']}\nlisten_tls_proxy = {listen['tls']}\n{proxies}",
    )
    access = f'access = [{{ clients = ["{FRIEND}"], service = "privileged" }}]'
    relay = f"[relay]\nlisten_proxy = {listen['relay']}\n{proxies}\n{access}\n"
    submission.file.write_text(submission.file.read_text().replace("[relay]\n", relay))
    proxied = Proxied(
        submission,
        {(service, version): find_free_port() for service in behind for version in VERSIONS},
        behind,
        folder / "statistics",
    )
    with submission.up(), run_haproxy(folder / "haproxy.cfg", proxied):
        yield proxied


@contextmanager
def run_haproxy(file: Path, proxied: Proxied) -> Iterator[None]:
    """Run it for the length of the block."""
    program = find_peer("haproxy")
    file.write_text("\n".join(write_configuration(proxied)))
    with subprocess.Popen([program, "-db", "-q", "-f", str(file)]) as process:
        wait_until(lambda: proxied.statistics.exists() or process.poll() is not None, "haproxy to run")
        assert process.poll() is None
        yield
        process.kill()


def write_configuration(proxied: Proxied) -> Iterator[str]:
    """Write a proxy for each service and version, with a health check that speaks SMTP where it can."""
    yield f"global\n  stats socket {proxied.statistics} mode 600"
    yield "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s"
    for (service, version), port in proxied.ports.items():
        option, host = VERSIONS[version]
        yield f"listen {service}-{version}\n  bind 127.0.0.1:{port}\n  bind [::1]:{port}"
        checks = "" if service == "tls" else " check inter 100ms"
        yield "" if service == "tls" else "  option smtpchk EHLO haproxy.example"
        yield f"  server paperpath {host}:{proxied.behind[service]} {option}{checks}\n"


@pytest.fixture(params=[FRIEND, "::1"])
def client(request: pytest.FixtureRequest) -> str:
    address: str = request.param
    return address


def shown(client: str) -> bytes:
    """Return the client's address as the Received field has it."""
    return f"[IPv6:{client}]".encode() if ":" in client else f"[{client}]".encode()


def connect(port: int, client: str) -> Wire:
    return Wire(port, host="::1" if ":" in client else "127.0.0.1", source=client)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("tls", [False, True])
def test_A99_the_relay_knows_who_is_behind_haproxy(
    proxied: Proxied, client: str, version: str, tls: bool
) -> None:
    with connect(proxied.ports["relay", version], client) as wire:
        assert wire.reply().startswith(b"220 ")
        if tls:
            wire.ask(b"EHLO client.example")
            assert wire.ask(b"STARTTLS").startswith(b"220 ")
            wire.start_tls(make_client_context())
        for line in (b"EHLO client.example", b"MAIL FROM:<a@b.example>", b"RCPT TO:<u@here.example>"):
            assert wire.ask(line).startswith(b"250")
        assert wire.ask(b"DATA").startswith(b"354 ")
        assert wire.ask(b"Subject: hello\r\n\r\n.").startswith(b"250 ")
    (taken,) = proxied.submission.take()
    received = taken.partition(b"Received: ")[2].partition(b";")[0]
    assert shown(client) in received
    assert (b"with ESMTPS" if tls else b"with ESMTP id") in received
    assert f"client={client} proxy=" in proxied.submission.output()


@pytest.mark.parametrize("version", VERSIONS)
def test_A99_access_rules_are_about_who_is_behind_haproxy(proxied: Proxied, version: str) -> None:
    for client, reply in ((FRIEND, b"250 "), (OTHER, b"550 5.7.1")):
        with connect(proxied.ports["relay", version], client) as wire:
            wire.reply()
            for line in (b"EHLO client.example", b"MAIL FROM:<a@b.example>"):
                assert wire.ask(line).startswith(b"250")
            assert wire.ask(b"RCPT TO:<somebody@else.example>").startswith(reply)


def open_with_starttls(port: int, client: str) -> smtplib.SMTP:
    host = "::1" if ":" in client else "127.0.0.1"
    smtp = smtplib.SMTP(host, port, "client.example", 20, (client, 0))
    smtp.starttls(context=make_client_context())
    return smtp


def open_with_tls(port: int, client: str) -> smtplib.SMTP:
    host = "::1" if ":" in client else "127.0.0.1"
    return smtplib.SMTP_SSL(
        host, port, "client.example", timeout=20, source_address=(client, 0), context=make_client_context()
    )


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("service", "open_"), [("starttls", open_with_starttls), ("tls", open_with_tls)])
def test_A99_people_hand_in_mail_through_haproxy(
    proxied: Proxied, client: str, version: str, service: str, open_: Callable[[int, str], smtplib.SMTP]
) -> None:
    with open_(proxied.ports[service, version], client) as smtp:
        smtp.login(ACCOUNT, PASSWORD)
        smtp.sendmail(ACCOUNT, ["u@here.example"], b"To: u@here.example\r\nSubject: hello\r\n\r\n")
    (taken,) = proxied.submission.take()
    assert shown(client) in taken.partition(b"Received: ")[2].partition(b";")[0]
    assert f"client={client} proxy=" in proxied.submission.output()


def test_A99_haproxys_health_checks_are_greeted(proxied: Proxied) -> None:
    def read_statuses() -> set[str]:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(proxied.statistics))
            connection.sendall(b"show stat typed\n")
            lines = connection.makefile().read().splitlines()
        return {line.rpartition(":")[2] for line in lines if ".check_status." in line} - {""}

    wait_until(lambda: read_statuses() == {"L7OK"}, "haproxy to find everybody well")


@pytest.mark.parametrize("service", ["relay", "starttls", "tls"])
def test_A99_a_stranger_at_the_port_for_proxies_hears_nothing(proxied: Proxied, service: str) -> None:
    with connect(proxied.behind[service], STRANGER) as wire:
        wire.send(b"PROXY TCP4 127.0.0.9 127.0.0.1 1 2\r\nEHLO c\r\n")
        assert wire.read_all() == b""
    reason = f"PROXY header refused client={STRANGER} reason='this is no proxy of ours'"
    wait_until(lambda: reason in proxied.submission.output(), "the log to tell")


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("client", ["192.0.2.9", "2001:db8::9"])
def test_A99_swaks_can_be_anybody_to_try_the_rules(proxied: Proxied, version: str, client: str) -> None:
    family = {"1": "TCP6" if ":" in client else "TCP4", "2": "AF_INET6" if ":" in client else "AF_INET"}
    us = "2001:db8::1" if ":" in client else "192.0.2.1"
    command = [
        *(find_peer("swaks"), "--server", f"127.0.0.1:{proxied.behind['relay']}", "--timeout", "20"),
        *("--from", "a@b.example", "--to", "u@here.example", "--ehlo", "client.example"),
        *("--proxy-version", version, "--proxy-family", family[version]),
        *("--proxy-source", client, "--proxy-source-port", "40000"),
        *("--proxy-dest", us, "--proxy-dest-port", "25"),
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (taken,) = proxied.submission.take()
    assert shown(client) in taken.partition(b"Received: ")[2].partition(b";")[0]
