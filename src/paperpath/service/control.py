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
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from paperpath.config.tables import Configuration
from paperpath.service.errors import ServiceError
from paperpath.service.privileges import Identity, acting_as
from paperpath.service.socket_folder import SocketFolder

Object = dict[str, Any]
Command = Callable[[Object], Awaitable[Object]]

ASK_S = 10.0
MOST_REQUEST_OCTETS = 1024 * 1024  # a reload brings the text of the configuration with it
MOST_ANSWER_OCTETS = 4 * 1024 * 1024
MOST_DESCRIPTORS = 250  # the kernel takes 253 at once
DESCRIPTORS = "descriptors"
_MOST_ASKERS = 16
_LISTEN_S = 5.0  # for a request to come, and for its answer to be read
_PAUSE_S = 1.0  # when nobody can be let in: there are no descriptors left, say
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
        self._askers: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        with acting_as(self._owner):
            self._folder = SocketFolder(self._path)
        try:
            with acting_as(self._owner):
                self._listener = self._folder.bind(self._program + _SUFFIX, socket.SOCK_STREAM, self._program)
        except BaseException:
            self._folder.close()
            raise
        self._listener.listen()
        self._accepting = asyncio.create_task(self._accept())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with acting_as(self._owner):
            self._folder.address(self._program + _SUFFIX).unlink(missing_ok=True)
        self._accepting.cancel()
        await asyncio.wait({self._accepting})
        self._listener.close()
        if self._askers:  # whoever asked for our end, say, gets the answer
            _, late = await asyncio.wait(self._askers, timeout=1.0)
            for asker in late:
                asker.cancel()
        self._folder.close()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(self._listener)
            except OSError:
                await asyncio.sleep(_PAUSE_S)
                continue
            self._take(connection)

    def _take(self, connection: socket.socket) -> None:
        if len(self._askers) >= _MOST_ASKERS:
            connection.close()
            return
        asker = asyncio.get_running_loop().create_task(self._serve(connection))
        self._askers.add(asker)
        asker.add_done_callback(self._askers.discard)

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
        request = _parse(line)
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
    return configuration.run_folder / "control"


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
    request = json.dumps({"command": command, **more}).encode() + b"\n"
    try:
        with closing(SocketFolder(folder, make=False)) as sockets, socket.socket(socket.AF_UNIX) as asker:
            asker.settimeout(timeout_s)
            asker.connect(str(sockets.address(program + _SUFFIX)))
            with suppress(BrokenPipeError):  # who answers early closes early: the answer is there to be read
                sent = socket.send_fds(asker, [request], descriptors) if descriptors else 0
                asker.sendall(request[sent:])  # even where nothing is left, the kernel is asked to send it
            with asker.makefile("rb") as answers:
                line = answers.readline(MOST_ANSWER_OCTETS)
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise ServiceError(f"{program} is not running") from error
    except OSError as error:
        raise ServiceError(f"{program} does not answer: {error}") from error
    answer = _parse(line)
    if answer is None:
        raise ServiceError(f"{program} does not answer as expected")
    if "error" in answer:
        exit_code = answer.get("exit_code", os.EX_UNAVAILABLE)
        raise ServiceError(f"{program}: {answer['error']}", exit_code)
    return answer


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


def _parse(line: bytes) -> Object | None:
    with suppress(ValueError, RecursionError):
        value = json.loads(line)
        if isinstance(value, dict):
            return value
    return None
