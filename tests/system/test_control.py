"""Asking the programs how they fare, and having them take a changed configuration, all while they run."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.installation import Installation, Process, program_path, wait_until
from tests.support.wire import Wire, stuffed

pytestmark = pytest.mark.slow
NEW = "new.example"
ROUTE = f'\n[[post_office.route]]\ndomain = "{NEW}"\nvia = "local"\n'


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path, processes=2)


@pytest.fixture
def running(installation: Installation) -> Iterator[Process]:
    with installation.up() as process:
        yield process


def command(installation: Installation, *arguments: str) -> subprocess.CompletedProcess[str]:
    line = [program_path("paperpath"), *arguments, "--config", str(installation.file)]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def statuses(installation: Installation) -> dict[str, dict[str, object]]:
    rows = json.loads(command(installation, "status", "--json").stdout)
    return {row["name"]: row for row in rows}


def add_domain(installation: Installation) -> None:
    text = installation.file.read_text().replace('domains = ["', f'domains = ["{NEW}", "')
    installation.file.write_text(text + ROUTE)


def ask_for(installation: Installation, recipient: bytes) -> bytes:
    with Wire(installation.port) as wire:
        wire.reply()
        wire.ask(b"EHLO c")
        wire.ask(b"MAIL FROM:<a@b.example>")
        return wire.ask(b"RCPT TO:<" + recipient + b">")


def programs_reloaded(installation: Installation) -> list[str]:
    """Return who reloaded, by the time that the lines carry: a line may be written after the next one's."""
    lines = [line for line in installation.output().splitlines() if " info reloaded" in line]
    return [line.split()[1] for line in sorted(lines)]


def test_status_knows_every_program_and_misses_one_that_does_not_answer(
    installation: Installation, running: Process
) -> None:
    assert list(statuses(installation)) == [
        "paperpath",
        "smtpld",
        "smtppd",
        "smtprcd",
        "smtprd.1",
        "smtprd.2",
    ]
    assert statuses(installation)["paperpath"]["pid"] == running.pid
    told = command(installation, "status")
    assert told.returncode == 0
    assert told.stdout.count("\n") == 6
    smtppd = installation.pid("smtppd")
    assert smtppd is not None
    os.kill(smtppd, signal.SIGSTOP)
    try:
        told = command(installation, "status", "--json")
    finally:
        os.kill(smtppd, signal.SIGCONT)
    assert told.returncode == os.EX_UNAVAILABLE
    assert [row["name"] for row in json.loads(told.stdout) if "error" in row] == ["smtppd"]


def test_status_counts_restarts(installation: Installation, running: Process) -> None:
    installation.kill("smtppd")
    wait_until(lambda: statuses(installation).get("smtppd", {}).get("restarts") == 1, "smtppd to be back")


@pytest.mark.parametrize("way", ["command", "signal"])
def test_P5_a_new_domain_is_taken_and_delivered_after_a_reload(
    installation: Installation, running: Process, way: str
) -> None:
    installation.run("account", "add", "--config", str(installation.file), f"u@{NEW}")
    assert ask_for(installation, b"u@new.example").startswith(b"550 ")
    add_domain(installation)
    if way == "command":
        assert command(installation, "reload").returncode == 0
    else:
        running.send_signal(signal.SIGHUP)
        wait_until(lambda: len(programs_reloaded(installation)) == 6, "the reload")
    order = programs_reloaded(installation)
    assert order == ["smtpld", "smtprcd", "smtppd", "smtprd.1", "smtprd.2", "paperpath"]
    with Wire(installation.port) as wire:
        wire.open_transaction(b"u@new.example")
        wire.send(stuffed(b"Subject: new\r\n"))
        assert wire.reply().startswith(b"250 ")
    installation.wait_for_deliveries(1, f"u@{NEW}")


def test_a_domain_that_goes_is_refused_at_the_door_first(
    installation: Installation, running: Process
) -> None:
    text = installation.file.read_text()
    installation.file.write_text(text.replace('"backup.example", ', ""))
    assert command(installation, "reload").returncode == 0
    order = programs_reloaded(installation)
    assert order == ["smtprd.2", "smtprd.1", "smtppd", "smtprcd", "smtpld", "paperpath"]
    assert ask_for(installation, b"u@backup.example").startswith(b"550 ")


def test_a_broken_file_changes_nothing_and_outlives_a_crash(
    installation: Installation, running: Process
) -> None:
    installation.file.write_text("nonsense")
    running.send_signal(signal.SIGHUP)
    wait_until(lambda: "configuration refused" in installation.output(), "the refusal")
    for name in ("smtppd", "smtprd"):
        installation.kill(name)
    wait_until(lambda: "died" in installation.output(), "the deaths to be noticed")
    with Wire(installation.port) as wire:
        wire.open_transaction()
        wire.send(stuffed(b"Subject: old rules\r\n"))
        assert wire.reply().startswith(b"250 ")
    installation.wait_for_deliveries(1)


def test_whoever_is_started_anew_goes_on_with_what_was_reloaded(
    installation: Installation, running: Process
) -> None:
    add_domain(installation)
    text = installation.file.read_text().replace("mx.here.example", "other.example")
    installation.file.write_text(text)
    done = command(installation, "reload")
    assert (done.returncode, done.stderr) == (0, "hostname waits for a restart\n")
    for pid in installation.pids("smtprd"):
        os.kill(pid, signal.SIGKILL)
    with Wire(installation.port) as wire:
        assert wire.reply().startswith(b"220 mx.here.example ")
    installation.run("account", "add", "--config", str(installation.file), f"u@{NEW}")
    assert ask_for(installation, b"u@new.example").startswith(b"250 ")


def test_a_program_alone_reloads_too(installation: Installation) -> None:
    with installation.start("smtprd") as process:
        wait_until(lambda: " info ready " in installation.output(), "smtprd to be ready")
        add_domain(installation)
        installation.run("account", "add", "--config", str(installation.file), f"u@{NEW}")
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: "smtprd info reloaded" in installation.output(), "the reload")
        assert ask_for(installation, b"u@new.example").startswith(b"250 ")
        assert command(installation, "reload").returncode == 0
        installation.file.write_text("nonsense")
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: "configuration refused" in installation.output(), "the refusal")
        assert ask_for(installation, b"u@new.example").startswith(b"250 ")
