"""Runs a program for each connection of a listening socket, with the connection as its standard streams.

Used by tcpsrun. Promises: no more programs at once than it is told, while further clients wait in the kernel;
a program gets the connection and standard error, and no other descriptor of ours; there is no shell; whatever
fails for one client, the others are served.
"""

import asyncio
import os
import socket
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from paperpath.service.log import Log

_PAUSE_S = 1.0  # where the system has no descriptors or processes left, others need them first
_END_S = 15.0  # for the programs to end in order


@dataclass(frozen=True, slots=True)
class Errand:
    """What to run for a client: a program with its arguments, and the whole environment."""

    command: Sequence[str]
    environment: dict[str, str]


Process = subprocess.Popen[bytes]
Choose = Callable[[socket.socket, Log], Awaitable[Errand | None]]


class Spawner:
    """Serves one listener until it is cancelled; then `end` what runs."""

    def __init__(self, listener: socket.socket, most: int, choose: Choose, log: Log) -> None:
        """Take the listener. `choose` says what to run for a connection, which else is closed."""
        self._listener = listener
        self._room = asyncio.Semaphore(most)
        self._choose = choose
        self._log = log
        self._clients: set[asyncio.Task[None]] = set()
        self._processes: set[Process] = set()
        self._ending = False

    async def serve(self) -> None:
        """Take connections for ever."""
        while True:
            await self._room.acquire()
            connection = await self._accept()
            client = asyncio.create_task(self._serve_client(connection))
            self._clients.add(client)
            client.add_done_callback(self._leave)

    async def end(self) -> None:
        """Ask all programs for their end, and kill those that take too long."""
        self._ending = True
        self._signal(Process.terminate)
        if not self._clients:
            return
        _, waiting = await asyncio.wait(self._clients, timeout=_END_S)
        if waiting:
            self._log.warning("killed, as they did not end", count=len(self._processes))
            self._signal(Process.kill)
            await asyncio.wait(waiting)

    async def _accept(self) -> socket.socket:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(self._listener)
            except ConnectionError:  # it was gone before its turn came
                continue
            except OSError as error:
                self._log.error("cannot take a connection", reason=error.strerror)
                await asyncio.sleep(_PAUSE_S)
            else:
                return connection

    async def _serve_client(self, connection: socket.socket) -> None:
        with connection:
            log = self._log.bind(client=_name_peer(connection))
            errand = await self._choose(connection, log)
            process = None if errand is None or self._ending else _spawn(connection, errand, log)
        if process is None:
            return
        self._processes.add(process)
        log.info("began", pid=process.pid)
        code = await _wait_for_end(process)
        self._processes.discard(process)
        log.info("ended", pid=process.pid, code=code)

    def _leave(self, client: asyncio.Task[None]) -> None:
        self._clients.discard(client)
        self._room.release()
        if not client.cancelled() and (error := client.exception()) is not None:
            self._log.error("defect", error=repr(error))

    def _signal(self, send: Callable[[Process], None]) -> None:
        for process in self._processes:
            send(process)


def _spawn(connection: socket.socket, errand: Errand, log: Log) -> Process | None:
    """Start a program; its signals are as every program expects them.

    By hand, since the descriptors that uvloop makes for a subprocess stay open in it.
    """
    connection.setblocking(True)  # as every program expects it, too
    streams = connection.fileno()
    try:
        return subprocess.Popen(  # noqa: S603 - the command is the operator's, and no shell reads it
            errand.command, stdin=streams, stdout=streams, env=errand.environment
        )
    except (OSError, ValueError) as error:  # ValueError: an argument with a NUL
        log.error("cannot run", program=errand.command[0], reason=str(error))
        return None


async def _wait_for_end(process: Process) -> int:
    """Return the exit code, negative for a signal, once there is one."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    while (descriptor := _watch(process)) is None:  # noqa: ASYNC110 - nobody tells when there is one again
        await asyncio.sleep(_PAUSE_S)
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
    return process.wait()


def _name_peer(connection: socket.socket) -> str:
    try:
        return str(connection.getpeername()[0])
    except OSError:  # it is gone already
        return ""


def _watch(process: Process) -> int | None:
    """Return a descriptor that is readable from the end of a process on; `None` while there is none left."""
    try:
        return os.pidfd_open(process.pid)
    except OSError:
        return None
