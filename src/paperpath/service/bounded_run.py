"""Runs a program to its end, with bounds on its time and on what is kept of its output (requirement F-16).

Called where mail is delivered to programs, in threads. There is no shell. The program has the environment it
is given and three descriptors: standard input is a file, so nobody waits for it to read; the other two lead
to us. It is the first of a session and process group of its own. What it left running in that group when it
ended, or all of it when its time is over, is killed; who means to stay leaves the group, as daemons do. It
leaves no core, since the programs of Paperpath have given that up.
"""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

_PIECE_OCTETS = 64 * 1024
_UMASK = 0o077
_DEATH_S = 10.0  # for a program that was killed; one that waits for a disk does not even die then


@dataclass(frozen=True, slots=True)
class Order:
    """What to run: a program with its arguments, the whole environment, in which folder, how long at most.

    `end`: a descriptor, if any, that can be read from when on it may run no longer.
    """

    command: Sequence[bytes]
    environment: Mapping[bytes, bytes]
    folder: Path
    limit_s: float
    most_output: int
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended: its exit code, negative for a signal, `None` where it was killed.

    `output` is the begin of what it wrote to standard output and standard error. `is_broken_off`: it was
    killed, and its time was not over.
    """

    code: int | None
    output: bytes
    is_broken_off: bool = False


def run_bounded(order: Order, source: int, clock: Callable[[], float] = time.monotonic) -> Ended:
    """Run a program with a file, from where it stands, as standard input. Raises: OSError, if it cannot."""
    end_s = clock() + order.limit_s
    process = subprocess.Popen(  # noqa: S603 - the command is the operator's, and no shell reads it
        order.command,
        bufsize=0,
        stdin=source,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=order.environment,
        cwd=order.folder,
        start_new_session=True,
        umask=_UMASK,
    )
    assert process.stdout is not None
    with process.stdout as pipe:
        output = _Output(pipe.fileno(), order.most_output)
        try:
            way = _attend(process, output, lambda: end_s - clock(), order.end)
        finally:
            code = _end(process)
        output.take_rest()
    return Ended(code if way is _Way.ITSELF else None, output.kept, way is _Way.BROKEN_OFF)


class _Way(Enum):
    """The ways in which a program ends."""

    ITSELF = "by itself"
    LATE = "too late"
    BROKEN_OFF = "broken off"


class _Output:
    """What comes from a pipe: the begin is kept, the rest read all the same, so that nobody has to wait."""

    def __init__(self, pipe: int, most: int) -> None:
        self.pipe = pipe
        self._most = most
        self.kept = b""

    def take(self) -> bool:
        """Read what is there; tell whether more can come."""
        octets = os.read(self.pipe, _PIECE_OCTETS)
        self.kept += octets[: self._most - len(self.kept)]
        return bool(octets)

    def take_rest(self) -> None:
        """Read what is there still, and wait for nobody who has the other end."""
        os.set_blocking(self.pipe, False)
        with suppress(BlockingIOError):
            while len(self.kept) < self._most and self.take():
                pass


def _attend(
    process: subprocess.Popen[bytes], output: _Output, ask_rest_s: Callable[[], float], end: int | None
) -> _Way:
    """Take output until the program ends, whoever else holds the pipe, or is to end; tell which it is."""
    own_end = os.pidfd_open(process.pid)
    try:
        poll = select.poll()
        poll.register(output.pipe, select.POLLIN)
        for descriptor in (own_end, end):
            if descriptor is not None:
                poll.register(descriptor, select.POLLIN)
        while (rest_s := ask_rest_s()) > 0:
            ready = [descriptor for descriptor, _ in poll.poll(rest_s * 1000)]
            if own_end in ready:
                return _Way.ITSELF
            if end in ready:
                return _Way.BROKEN_OFF
            if output.pipe in ready and not output.take():
                poll.unregister(output.pipe)
    finally:
        os.close(own_end)
    return _Way.LATE


def _end(process: subprocess.Popen[bytes]) -> int | None:
    """Kill what there is of a program's group, and wait for the program.

    Before its end is asked for: until then nobody else can get its number.
    """
    with suppress(ProcessLookupError, PermissionError):  # what became another user is not ours to kill
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        return process.wait(_DEATH_S)
    return None
