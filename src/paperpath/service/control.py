"""The control socket of a program: one line of JSON in, one line of JSON out, then it closes.

A request is `{"command": "status"}`, with more keys where a command takes some. An answer is an object; one
that could not be given is `{"error": "the reason"}`. Only the service user, and root, can connect (L-3).
Requests, answers, waiting times and the number of askers are bounded (promise P6).

Open files may come with a request (SCM_RIGHTS of unix(7)): so the supervisor, which may be root, has a
program read what its user could not open. The command finds them in the request under `DESCRIPTORS`,
whatever the line said; they are closed once it has answered.
"""

import asyncio
import json
import os
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from paperpath.config.places import CONTROL_NAME
from paperpath.config.tables import Configuration
from paperpath.service.askers import Askers
from paperpath.service.asking import ASK_S, Object, exchange, parse_object
from paperpath.service.errors import ServiceError
from paperpath.service.privileges import Identity, acting_as
from paperpath.service.socket_folder import SocketFolder

Command = Callable[[Object], Awaitable[Object]]

MOST_REQUEST_OCTETS = 1024 * 1024  # a reload brings the text of the configuration with it
MOST_DESCRIPTORS = 250  # the kernel takes 253 at once
DESCRIPTORS = "descriptors"
SUPERVISOR = "paperpath"
"""The name of the program that is asked about the others."""
_MOST_ASKERS = 16
_LISTEN_S = 5.0  # for a request to come, and for its answer to be read
_MOST_PIECE_OCTETS = 64 * 1024
_SUFFIX = ".sock"


class ControlServer:
    """The answering end: `async with`. Raises: ServiceError, where the program runs already."""

    def __init__(
        self, folder: Path, program: str, commands: Mapping[str, Command], owner: Identity | None = None
    ) -> None:
        """Name the program, and what it can be asked; the socket belongs to `owner`, or else to us."""
        self._path = folder
        self._program = program
        self._commands = commands
        self._owner = owner

    async def __aenter__(self) -> Self:
        with acting_as(self._owner):
            self._folder = SocketFolder(self._path)
        try:
            with acting_as(self._owner):
                listener = self._folder.bind(self._program + _SUFFIX, socket.SOCK_STREAM, self._program)
        except BaseException:
            self._folder.close()
            raise
        listener.listen()
        self._askers = await Askers(listener, self._has_room, self._serve).__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with acting_as(self._owner):
            self._folder.address(self._program + _SUFFIX).unlink(missing_ok=True)
        await self._askers.__aexit__(kind, error, trace)
        self._folder.close()

    def _has_room(self, _: socket.socket) -> bool:
        return len(self._askers) < _MOST_ASKERS

    async def _serve(self, connection: socket.socket) -> None:
        with connection, ExitStack() as opened, suppress(OSError, TimeoutError):
            descriptors: list[int] = []
            opened.callback(_close, descriptors)
            async with asyncio.timeout(_LISTEN_S):
                line = await _receive_line(connection, descriptors)
            answer = await self._answer(line, descriptors)
            async with asyncio.timeout(_LISTEN_S):
                await asyncio.get_running_loop().sock_sendall(connection, json.dumps(answer).encode() + b"\n")

    async def _answer(self, line: bytes, descriptors: Sequence[int]) -> Object:
        if len(line) > MOST_REQUEST_OCTETS or len(descriptors) > MOST_DESCRIPTORS:
            return {"error": f"expected {MOST_REQUEST_OCTETS} octets and {MOST_DESCRIPTORS} files at most"}
        request = parse_object(line)
        command = self._commands.get(str(request.get("command"))) if request is not None else None
        if request is None or command is None:
            known = " or ".join(json.dumps({"command": name}) for name in sorted(self._commands))
            return {"error": f"expected {known}"}
        try:
            return await command({**request, DESCRIPTORS: descriptors})
        except ServiceError as error:
            return {"error": str(error), "exit_code": error.exit_code}
        except Exception as error:  # noqa: BLE001 - whoever asks is told, and the program goes on
            return {"error": str(error) or repr(error)}


def control_folder(configuration: Configuration) -> Path:
    """Tell where the control sockets are."""
    return configuration.run_folder / CONTROL_NAME


def ask(
    folder: Path,
    program: str,
    command: str,
    timeout_s: float = ASK_S,
    descriptors: Sequence[int] = (),
    **more: object,
) -> Object:
    """Ask a program, and wait for its answer: blocking. Open files may go with the request.

    Raises: ServiceError, where it does not run, does not answer, or answers that it cannot.
    """
    request = {"command": command, **more}
    return exchange(folder, program + _SUFFIX, program, request, timeout_s, descriptors)


def list_programs(folder: Path) -> list[str]:
    """List the programs that have a control socket; one that was killed may be among them."""
    return sorted(path.name.removesuffix(_SUFFIX) for path in folder.glob(f"*{_SUFFIX}"))


async def _receive_line(connection: socket.socket, descriptors: list[int]) -> bytes:
    """Return what comes up to the end of a line, or too much of it; gather the files that come with it."""
    line, ended = bytearray(), False
    while not ended and len(line) <= MOST_REQUEST_OCTETS and len(descriptors) <= MOST_DESCRIPTORS:
        await _wait_for_octets(connection)
        octets, more, _, _ = socket.recv_fds(
            connection, _MOST_PIECE_OCTETS, MOST_DESCRIPTORS + 1, socket.MSG_CMSG_CLOEXEC
        )
        descriptors += more
        line += octets
        ended = not octets or b"\n" in octets
    return bytes(line)


async def _wait_for_octets(connection: socket.socket) -> None:
    loop, come = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(connection.fileno(), come.set)
    try:
        await come.wait()
    finally:
        loop.remove_reader(connection.fileno())


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
