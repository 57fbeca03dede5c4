"""The supervisor: starts programs, waits until each is ready, starts anew what dies, ends all in order.

Each program is a process of its own. A program that cannot start at all, because of a busy port say, ends the
whole with its reason; one that dies later is started again, at once the first time, then after growing
pauses. If the supervisor itself is killed, the programs see their lifeline close and end in order.
"""

import asyncio
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from paperpath.service.errors import ServiceError
from paperpath.service.log import Log
from paperpath.service.notify import VARIABLE, parse_notification
from paperpath.service.program import LIFELINE

_READY_S = 30.0
_REASON_S = 5.0  # between saying why it cannot go on and ending
_END_S = 15.0  # longer than any program takes to drain
_STEADY_S = 10.0  # who has lived that long is started again at once
_FIRST_PAUSE_S = 0.1
_MOST_PAUSE_S = 30.0
_NOTIFICATION_OCTETS = 4096


@dataclass(frozen=True, slots=True)
class ProgramSpec:
    """A program to run: its name, and the module whose `main` it is."""

    name: str
    module: str


class Supervisor:
    """Keeps programs alive. `run` does it all; `started` is called once everything is ready."""

    def __init__(self, specs: Sequence[ProgramSpec], file: Path, log: Log) -> None:
        """Prepare; programs are ended in the reverse of the order given."""
        self._children = [_Child(spec, file, log) for spec in specs]
        self._log = log

    @property
    def statuses(self) -> list[tuple[str, str]]:
        """What each program said when it became ready."""
        return [(child.name, child.status) for child in self._children]

    async def start(self) -> None:
        """Start all at once; return when all are ready. Raises: ServiceError; then none is left running."""
        results = await asyncio.gather(*(child.start() for child in self._children), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                await self.stop()
                raise result

    async def keep_alive(self) -> None:
        """Start anew whatever dies, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for child in self._children:
                group.create_task(child.keep_alive())

    async def stop(self) -> None:
        """End all: the ways in first."""
        for child in reversed(self._children):
            await child.stop()


class _Child:
    """One program's process, and the socket on which it says how it fares."""

    def __init__(self, spec: ProgramSpec, file: Path, log: Log) -> None:
        self.name = spec.name
        self.status = ""
        self._command = [sys.executable, "-m", spec.module, "--config", str(file)]
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._lifeline: int | None = None

    async def start(self) -> None:
        """Start the process and wait until it is ready. Raises: ServiceError, with the program's reason."""
        with ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="paperpath-"))
            notifications = stack.enter_context(_open_notifications(Path(folder) / "notify"))
            await self._spawn(Path(folder) / "notify")
            await self._wait_until_ready(notifications)

    async def keep_alive(self) -> None:
        """Wait for the process to die, start another, and so on."""
        loop = asyncio.get_running_loop()
        pause_s = 0.0
        while True:
            began_s = loop.time()
            if self._process is not None:
                await self._process.wait()
            if loop.time() - began_s > _STEADY_S:
                pause_s = 0.0
            self._log.warning("died", child=self.name, code=self._return_code, again_in_s=pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(max(pause_s * 2, _FIRST_PAUSE_S), _MOST_PAUSE_S)
            try:
                await self.start()
            except (ServiceError, OSError) as error:  # a full disk or process table passes
                self._log.error("cannot start", child=self.name, reason=str(error))

    async def stop(self) -> None:
        """End the process in order; kill it if it does not."""
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            process.terminate()
            if await _wait_or_kill(process, _END_S) == -signal.SIGKILL:
                self._log.error("killed, as it did not end", child=self.name)
        self._close_lifeline()

    @property
    def _return_code(self) -> int | None:
        return None if self._process is None else self._process.returncode

    async def _spawn(self, notify_path: Path) -> None:
        self._close_lifeline()
        reading, self._lifeline = os.pipe()
        environment = os.environ | {VARIABLE: str(notify_path), LIFELINE: str(reading)}
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                env=environment,
                pass_fds=(reading,),
                start_new_session=True,  # a Ctrl-C is for the supervisor, which ends all in order
            )
        finally:
            os.close(reading)

    async def _wait_until_ready(self, notifications: socket.socket) -> None:
        process = self._process
        assert process is not None
        reading = asyncio.create_task(_read_until_ready(notifications))
        dying = asyncio.create_task(process.wait())
        done, _ = await asyncio.wait({reading, dying}, timeout=_READY_S, return_when=asyncio.FIRST_COMPLETED)
        dying.cancel()
        if reading in done:
            states = reading.result()
            self.status = states.get("STATUS", "")
            if "READY" in states:
                return
        reading.cancel()
        code = await _wait_or_kill(process, _REASON_S if reading in done else 0.0)
        if reading in done:
            reason = self.status
        else:
            reason = "it ended before it was ready" if done else "it takes too long"
        raise ServiceError(f"{self.name} did not start: {reason}", code if code > 0 else os.EX_SOFTWARE)

    def _close_lifeline(self) -> None:
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None


async def _wait_or_kill(process: asyncio.subprocess.Process, patience_s: float) -> int:
    with suppress(TimeoutError):
        async with asyncio.timeout(patience_s):
            return await process.wait()
    with suppress(ProcessLookupError):
        process.kill()
    return await process.wait()


def _open_notifications(path: Path) -> socket.socket:
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    receiver.bind(str(path))
    return receiver


async def _read_until_ready(notifications: socket.socket) -> dict[str, str]:
    """Read what a program says until it is ready, or knows that it never will be."""
    loop = asyncio.get_running_loop()
    while True:
        states = parse_notification(await loop.sock_recv(notifications, _NOTIFICATION_OCTETS))
        if "READY" in states or "ERROR" in states:
            return states
