"""A program that hangs is killed and started anew; and systemd hears what it wants to hear."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.installation import Installation
from tests.support.wire import Wire, stuffed

pytestmark = pytest.mark.slow


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    installation = Installation(tmp_path, processes=2)
    installation.file.write_text(installation.file.read_text() + "\n[service]\nwatchdog_s = 2\n")
    return installation


@pytest.mark.parametrize("program", ["smtppd", "smtpld", "smtprd"])
def test_P8_a_stopped_program_is_killed_and_started_anew(installation: Installation, program: str) -> None:
    with installation.up():
        stopped = installation.pids(program)
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        with Wire(installation.port) as wire:  # of smtprd: in waiting until it is back
            wire.open_transaction()
            wire.send(stuffed(b"Subject: late\r\n"))
            assert wire.reply().startswith(b"250 ")
        installation.wait_for_deliveries(1)
        told = installation.output()
        assert told.count(" error silent for too long, and killed ") == len(stopped)
        assert not set(stopped) & set(installation.pids(program))


@pytest.fixture
def systemd(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Return the socket that systemd would read, and ask for a word every third of 300 ms."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind("")
        receiver.settimeout(20)
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + receiver.getsockname()[1:].decode())
        monkeypatch.setenv("WATCHDOG_USEC", "300000")
        yield receiver


def read_until(systemd: socket.socket, wanted: bytes) -> list[bytes]:
    """Read notifications up to the one that begins as wanted."""
    heard = [systemd.recv(4096)]
    while not heard[-1].startswith(wanted):
        heard.append(systemd.recv(4096))
    return heard


def test_systemd_hears_of_the_supervisor_alone(installation: Installation, systemd: socket.socket) -> None:
    with installation.up() as supervisor:
        assert read_until(systemd, b"READY=1\n")[-1] == b"READY=1\nSTATUS=all programs are ready\n"
        for _ in range(3):
            read_until(systemd, b"WATCHDOG=1\n")
        supervisor.send_signal(signal.SIGHUP)
        assert read_until(systemd, b"RELOADING=1\nMONOTONIC_USEC=")
        assert read_until(systemd, b"READY=1\n")
        supervisor.terminate()  # and listen at once: who does not read misses the eleventh word
        heard = read_until(systemd, b"STOPPING=1\n")
    assert {word for word in heard if not word.startswith(b"WATCHDOG=1")} == {b"STOPPING=1\n"}
