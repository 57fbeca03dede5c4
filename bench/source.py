"""Postfix's load source, smtp-source: find it, spell its command line, run it and time it.

It writes the messages, waits for every reply, and fails on the first reply that is not the expected
one; so an exit status of 0 means that every message was accepted. It knows a port and nothing else of
the server it drives.
"""

import contextlib
import dataclasses
import os
import shutil
import subprocess
import time
from pathlib import Path

from bench.failure import AbsentError, BenchError
from bench.process import ended_within, held_signals, tail

SENDER = "load@source.test"
HELO_NAME = "source.test"
SYSTEM_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"


@dataclasses.dataclass(frozen=True)
class Load:
    """What is sent: how many messages of which body length (octets), over how many sessions, and how."""

    messages: int
    length: int
    sessions: int
    kept: bool  # True: a session sends many messages over its connection; False: one each
    recipients: int = 1  # of each message

    @property
    def label(self) -> str:
        """A short name of it, with what is varied; without sessions it is a queue that is full already."""
        if not self.sessions:
            return f"{self.messages} waiting"
        return f"{self.sessions} sessions, {'kept' if self.kept else 'a connection each'}"

    @property
    def work(self) -> str:
        """How much of it there is."""
        each = f" to {self.recipients} recipients each" if self.recipients > 1 else ""
        return f"{self.messages} messages of {self.length} octets{each}"


@dataclasses.dataclass(frozen=True)
class Run:
    """One run: when it started (Unix time), how long it took and the CPU it used, in seconds."""

    started: float
    seconds: float
    cpu_seconds: float


def find_tool(name: str) -> str | None:
    """The path of an administrator's tool, also where the search path of a plain user ends before it."""
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", os.defpath), SYSTEM_FOLDERS)))


def find_source() -> str:
    """The path of smtp-source; AbsentError without it."""
    found = find_tool("smtp-source")
    if found is None:
        raise AbsentError("smtp-source is not installed; it comes with Postfix (Debian: package postfix).")
    return found


def command(program: str, load: Load, recipient: str, port: int) -> list[str]:
    """The command line that sends `load` to `recipient` through the server on 127.0.0.1:`port`."""
    options = ["-s", str(load.sessions), "-m", str(load.messages), "-l", str(load.length)]
    options += ["-f", SENDER, "-t", recipient, "-M", HELO_NAME]
    options += ["-r", str(load.recipients)] if load.recipients > 1 else []  # 1me@..., 2me@... and so on
    return [program, *options, *(["-d"] if load.kept else []), f"127.0.0.1:{port}"]


def run(line: list[str], timeout: float, log: Path) -> Run:
    """Run smtp-source to its end; BenchError if it fails or is not done after `timeout` seconds."""
    began, started = time.monotonic(), time.time()
    with contextlib.ExitStack() as stack:
        with held_signals(), log.open("wb") as output:
            process = subprocess.Popen(
                line, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
            stack.callback(_end, process)
            pidfd = os.pidfd_open(process.pid)
            stack.callback(os.close, pidfd)
        if not ended_within(pidfd, timeout):
            raise BenchError(f"smtp-source was not done after {timeout:.0f} s.")
        seconds = time.monotonic() - began
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise BenchError(f"smtp-source failed with status {process.returncode}:\n{tail(log)}")
    return Run(started, seconds, usage.ru_utime + usage.ru_stime)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.returncode is None:
        process.kill()
        process.wait()
