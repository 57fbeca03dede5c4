"""A program that runs beside the measurement: start it, watch it, weigh it, stop all of it.

Waiting is done on pidfds, so an exit is seen when it happens and nothing polls. What a program spent
is read for its whole tree. This module knows nothing about mail; it works on Linux only.
"""

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

from bench.failure import BenchError
from paperpath.load.processes import TICKS_PER_SECOND, Entry, read_entry
from paperpath.load.processes import program_name as program_name  # who weighs programs finds both here
from paperpath.load.processes import tree as tree

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def held_signals() -> Iterator[None]:
    """Keep SIGINT, SIGTERM and SIGHUP back while the block runs; deliver the last of them afterwards."""
    arrived: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        arrived.append(number)

    before = {number: signal.signal(number, note) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if arrived:
        signal.raise_signal(arrived[-1])


class Child:
    """A program of ours in its own session, with its output in a log file.

    Its own session keeps a Ctrl-C at the terminal from reaching it: we stop it in order ourselves.
    """

    def __init__(self, name: str, command: Sequence[str], log: Path) -> None:
        self.name = name
        self.command = list(command)
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._pidfd = -1
        self._seen: dict[int, Entry] = {}  # by pid: whoever belonged to it at one look or another

    @property
    def pid(self) -> int:
        """The process id; only while it is started."""
        if self._process is None:
            raise BenchError(f"{self.name} was not started.")
        return self._process.pid

    @property
    def is_started(self) -> bool:
        """Whether it was started, and not stopped since."""
        return self._process is not None

    def start(self) -> None:
        """Start the program. It is stopped by `stop` even if a signal arrives meanwhile."""
        with held_signals(), self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._pidfd = os.pidfd_open(self._process.pid)

    def exited_within(self, seconds: float) -> bool:
        """Wait up to `seconds` for the program's end; True at once when it has ended."""
        return self._pidfd < 0 or ended_within(self._pidfd, seconds)

    def status(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return None if self._process is None else self._process.poll()

    def cpu_seconds(self) -> float:
        """CPU seconds, user and system, that the program and all its descendants have used so far."""
        return sum(entry.ticks for entry in self._family()) / TICKS_PER_SECOND

    def cpu_by_program(self) -> dict[str, float]:
        """The same by the programs' names."""
        found: dict[str, float] = {}
        for entry in self._family():
            name = program_name(entry.pid)
            found[name] = found.get(name, 0.0) + entry.ticks / TICKS_PER_SECOND
        return found

    def stop(self, grace: float = 20.0) -> None:
        """End the program and all its descendants: SIGTERM, and SIGKILL after `grace` seconds."""
        if self._process is None:
            return
        self._family()
        if self._process.poll() is None:
            self._process.terminate()
            self.exited_within(grace)
        self._family()
        leader = self._seen.pop(self._process.pid, None)
        end_all([*self._seen.values()], grace / 4)
        end_all([leader] if leader else [], 0.0)
        self._process.wait()
        os.close(self._pidfd)
        self._process, self._pidfd = None, -1
        self._seen.clear()

    def _family(self) -> list[Entry]:
        family = tree(self.pid)
        self._seen.update((entry.pid, entry) for entry in family)
        return family

    def failure(self, what: str) -> BenchError:
        """An error saying that this program did `what`, with the end of its log."""
        return BenchError(f"{self.name} {what}. The end of its log:\n{tail(self.log)}")


def run_to_end(line: Sequence[str], text: str = "") -> None:
    """Run a command that takes `text`; BenchError with what it said if it fails."""
    done = subprocess.run(line, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"{line[0]} failed with status {done.returncode}:\n{done.stderr}{done.stdout}")


def ended_within(pidfd: int, seconds: float) -> bool:
    """Wait up to `seconds` for the end of the process behind `pidfd`; True when it has ended."""
    poller = select.poll()
    poller.register(pidfd, select.POLLIN)
    return bool(poller.poll(max(0.0, seconds) * 1000))


def end_all(entries: Sequence[Entry], grace: float) -> None:
    """Wait `grace` seconds altogether for these processes to end by themselves, then kill the rest."""
    deadline = time.monotonic() + grace
    for entry in entries:
        with contextlib.suppress(ProcessLookupError):
            pidfd = os.pidfd_open(entry.pid)
            try:
                current = read_entry(entry.pid)
                if current is None or current.started != entry.started:
                    continue  # the number belongs to another process by now
                if not ended_within(pidfd, deadline - time.monotonic()):
                    signal.pidfd_send_signal(pidfd, signal.SIGKILL)
                    ended_within(pidfd, 5.0)
            finally:
                os.close(pidfd)


def tail(log: Path, lines: int = 25) -> str:
    """The last `lines` lines of a log file, indented for a message."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        text = ""
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:]) or "    (it is empty)"
