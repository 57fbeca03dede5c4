"""One program under the supervisor: its process, and what it says of itself."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from paperpath.service import handover, notify, watchdog
from paperpath.service.control import ask
from paperpath.service.errors import ServiceError
from paperpath.service.handover import Handover, Texts, format_handover
from paperpath.service.log import Log
from paperpath.service.notify import Notifications
from paperpath.service.stalling import Holder
from paperpath.service.tls.key_files import list_key_files, open_key_files
from paperpath.service.watchdog import format_watchdog

_READY_S = 30.0
_REASON_S = 5.0  # between saying why it cannot go on and ending
_ABORT_S = 2.0
_END_S = 15.0  # longer than any program takes to drain
_STEADY_S = 10.0  # who has lived that long is started again at once
_FIRST_PAUSE_S = 0.1
_MOST_PAUSE_S = 30.0


@dataclass(frozen=True, slots=True)
class Order:
    """What to run: the name in the log, the module whose `main` it is, and the sockets it listens on.

    The sockets stay open here, so that a process started anew finds the clients that wait.
    """

    name: str
    module: str
    listeners: Sequence[socket.socket] = ()
    takes_keys: bool = False
    """Whether it serves TLS: then it gets the certificates and keys opened with each reload."""


@dataclass(frozen=True, slots=True)
class Household:
    """What all programs of a supervisor share; the texts change with each reload."""

    file: Path
    texts: Texts
    control: Path
    log: Log
    watchdog_s: float


class Child:
    """Keeps one program alive."""

    def __init__(self, order: Order, household: Household) -> None:
        """Prepare; nothing runs yet."""
        self.name = order.name
        self.status = ""
        self.restarts = 0
        self._order = order
        self._household = household
        # -P: nothing that lies in the folder where root was standing is taken for a module of ours
        self._command = [sys.executable, "-P", "-m", order.module, "--config", str(household.file)]
        self._log = household.log
        self._text = ""
        self._heard_s = 0.0
        self._process: asyncio.subprocess.Process | None = None
        self._lifeline: int | None = None
        self._notifications: Notifications | None = None
        self._answered = asyncio.Event()
        self.is_ready = False

    async def start(self) -> None:
        """Start the process and wait until it is ready. Raises: ServiceError, with the program's reason."""
        self._answered.clear()
        self.is_ready = False
        process = await self._spawn()
        answering = asyncio.create_task(self._answered.wait())
        dying = asyncio.create_task(process.wait())
        done, waiting = await asyncio.wait(
            {answering, dying}, timeout=_READY_S, return_when=asyncio.FIRST_COMPLETED
        )
        for task in waiting:
            task.cancel()
        if self.is_ready:
            if self._text != self._household.texts.current:  # the reload came while it was starting
                await self.reload()
            return
        code = await _wait_or_kill(process, _REASON_S if answering in done else 0.0)
        if self._answered.is_set():
            reason = self.status
        else:
            reason = "it ended before it was ready" if done else "it takes too long"
        raise ServiceError(f"{self.name} did not start: {reason}", code if code > 0 else os.EX_SOFTWARE)

    async def reload(self) -> None:
        """Hand the current configuration to the process, unless it will get it when it starts.

        Raises: ServiceError, where it does not take it.
        """
        if not self.is_ready:
            return
        latest = self._household.texts.latest
        with open_key_files(list_key_files(latest.configuration) if self._order.takes_keys else ()) as keys:
            await asyncio.to_thread(
                ask, self._household.control, self.name, "reload", descriptors=keys, text=latest.text
            )
        self._text = latest.text

    async def keep_alive(self) -> None:
        """Wait for the process to die, start another, and so on."""
        loop = asyncio.get_running_loop()
        pause_s = 0.0
        while True:
            began_s = loop.time()
            if self._process is not None:
                await self._wait_for_death(self._process)
            self.is_ready = False
            if loop.time() - began_s > _STEADY_S:
                pause_s = 0.0
            self._log.warning("died", child=self.name, code=self._return_code, again_in_s=pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(max(pause_s * 2, _FIRST_PAUSE_S), _MOST_PAUSE_S)
            self.restarts += 1
            try:
                await self.start()
            except (ServiceError, OSError) as error:  # a full disk or process table passes
                self._log.error("cannot start", child=self.name, reason=str(error))

    async def stop(self) -> None:
        """End the process in order; kill it if it does not."""
        process = self._process
        if process is not None and process.returncode is None:
            process.terminate()
            if await _wait_or_kill(process, _END_S) == -signal.SIGKILL:
                self._log.error("killed, as it did not end", child=self.name)
        self._let_go()

    def kill_stalled(self, holder: Holder, after_s: float) -> bool:
        """Kill the process at once if it is the one that holds a lock; tell whether it is."""
        process = self._process
        if process is None or process.returncode is not None or process.pid != holder.pid:
            return False
        self._log.error(
            "gets nothing done with a lock, and killed", child=self.name, lock=holder.lock, after_s=after_s
        )
        with suppress(ProcessLookupError):
            process.kill()
        return True

    def describe(self) -> dict[str, object]:
        """Say how it fares."""
        process = self._process
        pid = process.pid if process is not None and process.returncode is None else None
        return {"name": self.name, "pid": pid, "ready": self.is_ready, "restarts": self.restarts}

    @property
    def _return_code(self) -> int | None:
        return None if self._process is None else self._process.returncode

    async def _spawn(self) -> asyncio.subprocess.Process:
        self._let_go()
        self._notifications = Notifications()
        self._text = self._household.texts.current
        texts = self._household.texts.open()
        reading, self._lifeline = os.pipe()
        listeners = tuple(listener.fileno() for listener in self._order.listeners)
        environment = os.environ | {
            notify.VARIABLE: self._notifications.address,
            watchdog.VARIABLE: format_watchdog(self._household.watchdog_s),
            handover.VARIABLE: format_handover(Handover(self.name, reading, texts, listeners)),
        }
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                env=environment,
                pass_fds=(reading, texts, *listeners),
                start_new_session=True,  # a Ctrl-C is for the supervisor, which ends all in order
            )
        finally:
            os.close(reading)
            os.close(texts)
        self._notifications.listen_to(self._process.pid, self._take)
        return self._process

    async def _wait_for_death(self, process: asyncio.subprocess.Process) -> None:
        """Wait for the process to die; kill it when it is silent for too long."""
        loop, limit_s = asyncio.get_running_loop(), self._household.watchdog_s
        while process.returncode is None:
            due_s = max(self._heard_s + limit_s, loop.time())
            with suppress(TimeoutError):
                async with asyncio.timeout_at(due_s):
                    await process.wait()
                    return
            if loop.time() > due_s + limit_s / 2:
                self._heard_s = loop.time()  # we were held up ourselves: the others may have been, too
            elif loop.time() >= self._heard_s + limit_s:
                self._log.error("silent for too long, and killed", child=self.name, after_s=limit_s)
                with suppress(ProcessLookupError):
                    process.send_signal(signal.SIGABRT)  # it may say where it hangs
                await _wait_or_kill(process, _ABORT_S)

    def _take(self, states: dict[str, str]) -> None:
        """Take in what the process says of itself."""
        self._heard_s = asyncio.get_running_loop().time()
        self.status = states.get("STATUS", self.status)
        if "READY" in states or "ERROR" in states:
            self.is_ready = "READY" in states
            self._answered.set()

    def _let_go(self) -> None:
        """Close what tied us to a process."""
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None
        if self._notifications is not None:
            self._notifications.close()
            self._notifications = None


async def _wait_or_kill(process: asyncio.subprocess.Process, patience_s: float) -> int:
    with suppress(TimeoutError):
        async with asyncio.timeout(patience_s):
            return await process.wait()
    with suppress(ProcessLookupError):
        process.kill()
    return await process.wait()
