"""Several processes on one port: they share the clients, and one of them may die."""

import os
import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.support.installation import Installation, program_path, wait_until
from tests.support.wire import Wire, stuffed

pytestmark = pytest.mark.slow


def send(installation: Installation) -> None:
    with Wire(installation.port) as wire:
        wire.open_transaction()
        wire.send(stuffed(b"Subject: shared\r\n"))
        assert wire.reply().startswith(b"250 ")


def test_P2_P8_three_processes_share_the_clients_and_lose_nothing(tmp_path: Path) -> None:
    installation = Installation(tmp_path, processes=3)
    with installation.up():
        assert len(installation.pids("smtprd")) == 3
        for _ in range(60):
            send(installation)
        installation.wait_for_deliveries(60)
        wait_until(lambda: installation.books().open == 0, "the queue to drain")
    who_accepted = set(re.findall(r"(smtprd\S*) info accepted", installation.output()))
    assert who_accepted == {"smtprd.1", "smtprd.2", "smtprd.3"}
    assert installation.books().delivered == 60


def test_P8_clients_of_a_process_that_died_wait_for_the_next(tmp_path: Path) -> None:
    installation = Installation(tmp_path, processes=2)
    with installation.up():
        for pid in installation.pids("smtprd"):
            os.kill(pid, signal.SIGKILL)
        wires = [Wire(installation.port) for _ in range(8)]
        for wire in wires:
            with wire:
                assert wire.reply().startswith(b"220 ")
        wait_until(lambda: len(installation.pids("smtprd")) == 2, "both to live again")


@pytest.mark.parametrize("processes", [1, 2])
def test_a_second_run_never_shares_the_port_of_the_first(tmp_path: Path, processes: int) -> None:
    first = Installation(tmp_path / "first", processes=2)
    second = Installation(tmp_path / "second", processes=processes)
    second.file.write_text(second.file.read_text().replace(str(second.port), str(first.port)))
    with first.up():
        done = subprocess.run(
            [program_path("paperpath"), "up", "--config", str(second.file)],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == os.EX_UNAVAILABLE
    assert f"smtprd cannot listen on 127.0.0.1:{first.port}: another program has it already" in done.stderr


def test_both_families_are_served(tmp_path: Path) -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    installation = Installation(tmp_path, processes=2)
    text = installation.file.read_text()
    four = f'"127.0.0.1:{installation.port}"'
    installation.file.write_text(text.replace(four, f'{four}, "[::1]:{installation.port}"'))
    with installation.up():
        for host in ("127.0.0.1", "::1"):
            with socket.create_connection((host, installation.port), 10) as client:
                assert client.recv(100).startswith(b"220 ")
