"""The installation that `paperpath bench` makes to be measured: it ends with the block.

Called by bench_measuring.py. It is what `paperpath init` makes, with limits that let one client do all; mail
for one domain goes into a Maildir, for another on to our sink. All programs run as users run them.
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from paperpath.config.loader import load_configuration
from paperpath.config.tables import Configuration
from paperpath.load.processes import cpu_us, families
from paperpath.service.control import SUPERVISOR, ask, control_folder
from paperpath.service.errors import ServiceError

HERE, ELSEWHERE, MAILBOX = "bench.test", "sink.test", "me"

_PAPERPATH = (sys.executable, "-m", "paperpath.commands.paperpath")
_SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)
_READY_S, _END_S = 60.0, 30.0
_LOOK_S = 0.05
_REST_S, _RESTING_US = 0.3, 10_000  # who used no more CPU in that time has nothing to do
_MOST_LOG_LINES = 20
_TEMPLATE = """\
hostname = "mail.{here}"
data = "data"

[relay]
listen = ["127.0.0.1:{port}"]
domains = ["{here}", "{elsewhere}"]
size = "{size}"
most_recipients = {recipients}
most_connections = {connections}
most_connections_per_client = {connections}

[post_office]
postmaster = "{mailbox}@{here}"

[[post_office.route]]
domain = "{here}"
via = "local"

[[post_office.route]]
domain = "{elsewhere}"
via = "smtp://127.0.0.1:{sink_port}"
"""
"""Durability has its default, as all else that is not here."""


@dataclass(frozen=True)
class Installation:
    """One that runs, with a sink beside it."""

    configuration: Configuration
    maildir: Path
    port: int
    sink_port: int
    pid: int
    sink_pid: int


@contextmanager
def installation(folder: Path, *, connections: int, recipients: int, size: int) -> Iterator[Installation]:
    """Make one in a folder that is empty or missing, and run it for the length of the block.

    Raises: ServiceError, where it does not start; it says why.
    """
    port, sink_port = _find_free_ports(2)
    quiet = ["--submission-port", "0", "--submission-tls-port", "0"]
    listen = ["--listen", f"127.0.0.1:{port}"]
    _run_to_end(["init", str(folder), "--domain", HERE, "--mailbox", MAILBOX, *listen, *quiet])
    file = folder / "paperpath.toml"
    text = _TEMPLATE.format(
        here=HERE,
        elsewhere=ELSEWHERE,
        mailbox=MAILBOX,
        port=port,
        sink_port=sink_port,
        size=f"{size} MiB",
        recipients=recipients,
        connections=connections,
    )
    file.write_text(text, encoding="utf-8")
    configuration = load_configuration(file)
    sink = ["bench", "sink", "--listen", f"127.0.0.1:{sink_port}"]
    with (
        _running(sink, folder / "sink.log") as sink_process,
        _running(["up", "--config", str(file)], folder / "paperpath.log") as process,
    ):
        _wait_until_ready(configuration, process, folder / "paperpath.log")
        _wait_for_port(sink_port, sink_process, folder / "sink.log")
        _wait_for_rest(process.pid)
        maildir = configuration.mailbox_root / HERE / MAILBOX
        yield Installation(configuration, maildir, port, sink_port, process.pid, sink_process.pid)


def _run_to_end(arguments: Sequence[str]) -> None:
    command = [*_PAPERPATH, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - it is our own
    if done.returncode:
        raise ServiceError(f"paperpath {arguments[0]}: {done.stderr.strip()}")


@contextmanager
def _running(arguments: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command of ours for the length of the block. A Ctrl-C is not for it: it is ended in order.

    The kernel ends it where this process is killed.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603
            [*_PAPERPATH, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=partial(ctypes.CDLL(None).prctl, _SET_DEATH_SIGNAL, signal.SIGTERM),
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(configuration: Configuration, process: subprocess.Popen[bytes], log: Path) -> None:
    folder = control_folder(configuration)

    def is_ready() -> bool:
        with suppress(ServiceError):
            programs = ask(folder, SUPERVISOR, "programs")["programs"]
            return bool(programs) and all(program["ready"] for program in programs)
        return False

    _wait_for(is_ready, process, log)


def _wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    def listens() -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), _READY_S):
            return True
        return False

    _wait_for(listens, process, log)


def _wait_for_rest(pid: int) -> None:
    """Wait until the programs have done what they do at their start, which is no part of what is measured."""
    deadline_s, used_us = time.monotonic() + _READY_S, 0
    while time.monotonic() < deadline_s:
        before_us = used_us
        used_us = sum(cpu_us(each) or 0 for each in families([pid]))
        if used_us - before_us < _RESTING_US:
            return
        time.sleep(_REST_S)


def _wait_for(is_ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline_s = time.monotonic() + _READY_S
    while not is_ready():
        if process.poll() is not None or time.monotonic() > deadline_s:
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_MOST_LOG_LINES:]
            raise ServiceError("\n".join(["what was to be measured does not start:", *lines]), os.EX_SOFTWARE)
        time.sleep(_LOOK_S)


def _find_free_ports(count: int) -> list[int]:
    """Return ports on loopback that were free a moment ago."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
