"""smtprd and smtpsd behind programs that start one for each client: ours, ucspi-tcp's, and systemd's."""

import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.installation import PATIENCE_S, find_free_port, program_path, wait_until
from tests.support.peers import find_peer
from tests.support.submission import ACCOUNT, PASSWORD, Submission
from tests.support.wire import Wire

pytestmark = [pytest.mark.interop, pytest.mark.slow]

NORMAL, NULL, DENIED, PRIVILEGED = (f"127.0.0.{number}" for number in range(1, 5))
RULES = f"{NULL} 0\n{DENIED} deny\n{PRIVILEGED} privileged\n"
UCSPI_RULES = f'{DENIED}:deny\n{PRIVILEGED}:allow,RELAYCLIENT=""\n:allow\n'


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Submission]:
    folder = tmp_path_factory.mktemp("site")
    (folder / "rules").write_text(RULES)
    site = Submission(folder)
    with site.up():
        yield site


@contextmanager
def running(command: Sequence[str], folder: Path, ready: str = "") -> Iterator[None]:
    """Run a spawner for the length of the block, from when it says that it is ready."""
    said = folder / "said"
    with said.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, stdin=subprocess.DEVNULL)
    try:
        wait_until(lambda: ready in said.read_text() or process.poll() is not None, f"{command[0]} to listen")
        assert process.poll() is None, said.read_text()
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)


def spawner(name: str, port: int, site: Submission, folder: Path) -> tuple[list[str], str]:
    """Return the beginning of a command that serves a port, and what it says when it does."""
    if name == "tcpsrun":
        rules = str(site.folder / "rules")
        return [program_path("tcpsrun"), "-x", rules, "127.0.0.1", str(port)], "listening on"
    if name == "tcpserver":
        rules = str(folder / "rules.cdb")
        command = [find_peer("tcprules"), rules, str(folder / "rules.tmp")]
        subprocess.run(command, input=UCSPI_RULES, text=True, check=True)
        return [find_peer("tcpserver"), "-1HR", "-l", "0", "-x", rules, "127.0.0.1", str(port)], f"{port}\n"
    return [find_peer("systemd-socket-activate"), "--inetd", "-a", "-l", f"127.0.0.1:{port}"], "Listening on"


def serve(site: Submission, program: str, *arguments: str) -> list[str]:
    return [program_path(program), "--stdio", *arguments, "--config", str(site.file)]


def swaks(port: int, *options: str) -> None:
    command = [find_peer("swaks"), "--server", "127.0.0.1", "--port", str(port), "--tls"]
    command += ["--ehlo", "client.example", "--from", ACCOUNT, "--to", "u@here.example", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["tcpsrun", "tcpserver", "systemd"])
def test_L17_mail_arrives_through_both_servers(site: Submission, name: str, tmp_path: Path) -> None:
    port = find_free_port()
    command, ready = spawner(name, port, site, tmp_path)
    with running([*command, *serve(site, "smtprd")], tmp_path, ready):
        swaks(port, "--header", "Subject: relayed")
    (message,) = site.take()
    assert b"from client.example ([127.0.0.1])" in message
    assert b" with ESMTPS id " in message
    with running([*command, *serve(site, "smtpsd")], tmp_path, ready):
        swaks(port, "--auth", "PLAIN", "--auth-user", ACCOUNT, "--auth-password", PASSWORD)
    (message,) = site.take()
    assert b" with ESMTPSA id " in message


def talk(port: int, source: str) -> list[bytes]:
    """Return what a client gets for its connection, and for a recipient of another host."""
    with Wire(port, source=source) as wire:
        replies = [wire.reply()[:3]]
        if replies == [b"220"]:
            assert wire.ask(b"EHLO client.example")[:3] == b"250"
            assert wire.ask(b"MAIL FROM:<joe@here.example>")[:3] == b"250"
            replies.append(wire.ask(b"RCPT TO:<u@else.example>")[:3])
        return replies


def test_C9_L14_each_client_has_its_level_under_tcpsrun(site: Submission, tmp_path: Path) -> None:
    port = find_free_port()
    command, ready = spawner("tcpsrun", port, site, tmp_path)
    run_file = tmp_path / "run"
    run_file.write_text(" ".join(["# one client\n", *serve(site, "smtprd", "--access", "%4")]))
    command[1:1] = ["--run-file", str(run_file)]
    with running(command, tmp_path, ready):
        assert talk(port, NORMAL) == [b"220", b"550"]
        assert talk(port, PRIVILEGED) == [b"220", b"250"]
        assert talk(port, NULL) == [b"554"]
        assert talk(port, DENIED) == [b""]
        (site.folder / "rules").write_text(f"{NORMAL} 2\n{PRIVILEGED} 1\n")  # at once, for whoever comes next
        assert talk(port, NORMAL) == [b"220", b"250"]
        run_file.write_text("cat /etc/hostname")
        with Wire(port) as wire:
            assert wire.read_all() == Path("/etc/hostname").read_bytes()
    (site.folder / "rules").write_text(RULES)


def test_L17_each_client_has_its_level_under_tcpserver(site: Submission, tmp_path: Path) -> None:
    port = find_free_port()
    command, ready = spawner("tcpserver", port, site, tmp_path)
    with running([*command, *serve(site, "smtprd")], tmp_path, ready):
        assert talk(port, NORMAL) == [b"220", b"550"]
        assert talk(port, PRIVILEGED) == [b"220", b"250"]
        assert talk(port, DENIED) == [b""]
