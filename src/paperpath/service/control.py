"""The control socket of a program: one line of JSON in, one line of JSON out, then it closes.

A request is `{"command": "status"}`, with more keys where a command takes some. An answer is an object; one
that could not be given is `{"error": "the reason"}`. Only the service user, and root, can connect (L-3).
Requests, answers, waiting times and the number of askers are bounded (promise P6).
"""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing, suppress
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
_MOST_ASKERS = 16
_LISTEN_S = 5.0  # for a request to come, and for its answer to be read
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
                listener = self._folder.bind(self._program + _SUFFIX, socket.SOCK_STREAM, self._program)
            self._server = await asyncio.start_unix_server(
                self._take, sock=listener, limit=MOST_REQUEST_OCTETS
            )
        except BaseException:
            self._folder.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with acting_as(self._owner):
            self._folder.address(self._program + _SUFFIX).unlink(missing_ok=True)
        self._server.close()
        if self._askers:  # whoever asked for our end, say, gets the answer
            _, late = await asyncio.wait(self._askers, timeout=1.0)
            for asker in late:
                asker.cancel()
        self._folder.close()

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._askers) >= _MOST_ASKERS:
            writer.close()
            return
        asker = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._askers.add(asker)
        asker.add_done_callback(self._askers.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(OSError, TimeoutError):
            try:
                async with asyncio.timeout(_LISTEN_S):
                    line = await reader.readline()
            except ValueError:
                answer: Object = {"error": f"expected a line of at most {MOST_REQUEST_OCTETS} octets"}
            else:
                answer = await self._answer(line)
            writer.write(json.dumps(answer).encode() + b"\n")
            async with asyncio.timeout(_LISTEN_S):
                await writer.drain()

    async def _answer(self, line: bytes) -> Object:
        request = _parse(line)
        command = self._commands.get(str(request.get("command"))) if request is not None else None
        if request is None or command is None:
            known = " or ".join(json.dumps({"command": name}) for name in sorted(self._commands))
            return {"error": f"expected {known}"}
        try:
            return await command(request)
        except Exception as error:  # noqa: BLE001 - whoever asks is told, and the program goes on
            return {"error": str(error) or repr(error)}


def control_folder(configuration: Configuration) -> Path:
    """Tell where the control sockets are."""
    return configuration.run_folder / "control"


def ask(folder: Path, program: str, command: str, timeout_s: float = ASK_S, **more: object) -> Object:
    """Ask a program, and wait for its answer: blocking.

    Raises: ServiceError, where it does not run, does not answer, or answers that it cannot.
    """
    request = json.dumps({"command": command, **more}).encode() + b"\n"
    try:
        with closing(SocketFolder(folder, make=False)) as sockets, socket.socket(socket.AF_UNIX) as asker:
            asker.settimeout(timeout_s)
            asker.connect(str(sockets.address(program + _SUFFIX)))
            asker.sendall(request)
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
        raise ServiceError(f"{program}: {answer['error']}")
    return answer


def list_programs(folder: Path) -> list[str]:
    """List the programs that have a control socket; one that was killed may be among them."""
    return sorted(path.name.removesuffix(_SUFFIX) for path in folder.glob(f"*{_SUFFIX}"))


def _parse(line: bytes) -> Object | None:
    with suppress(ValueError, RecursionError):
        value = json.loads(line)
        if isinstance(value, dict):
            return value
    return None
