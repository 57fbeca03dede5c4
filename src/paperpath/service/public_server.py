"""A socket that every user of this host may ask: one line of JSON in, one line of JSON out, then it closes.

The kernel says who asks (SO_PEERCRED of unix(7)); what somebody may know is for the commands to decide. No
user can hold up the program behind the socket (promise P6), nor other users: a request is short, waiting has
its end, one user has few places, and answering takes a fifth of the program's time at most. Who runs the
programs has places of his own. Open files that come with a request are never taken.
"""

import asyncio
import json
import os
import pwd
import socket
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from paperpath.service.askers import Askers, read_uid
from paperpath.service.asking import Object, parse_object
from paperpath.service.errors import ServiceError
from paperpath.service.log import Log
from paperpath.service.socket_folder import SocketFolder


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: a user's number, and the name that goes with it, if any does."""

    uid: int
    login: str
    is_operator: bool


PublicCommand = Callable[[Asker, Object], Object]

MOST_REQUEST_OCTETS = 4096
MOST_OF_ONE = 4  # places of one user
MOST_OF_ALL = 32
_LISTEN_S = 5.0  # for a request to come, and for its answer to be read
_REST = 4  # after an answer that took one second there is none for four
_SHORTEST_S = 0.001  # that an answer is taken to take, with all that is around it
_BACKLOG = 64
_BUSY = {"error": "too many ask at once; ask again", "exit_code": os.EX_TEMPFAIL}


class PublicServer:
    """The answering end: `async with`. Raises: ServiceError, where the program runs already."""

    def __init__(
        self,
        folder: Path,
        name: str,
        program: str,
        commands: Mapping[str, PublicCommand],
        operators: Collection[int],
        log: Log,
    ) -> None:
        """Name the socket and its program, what it can be asked, and which users have places of their own."""
        self._path = folder
        self._name = name
        self._program = program
        self._commands = commands
        self._operators = operators
        self._log = log
        self._places: Counter[int] = Counter()
        self._turn = asyncio.Lock()
        self._next_s = 0.0  # when there is an answer again
        self._trouble = ""

    async def __aenter__(self) -> Self:
        self._folder = SocketFolder(self._path)
        try:
            self._folder.let_pass()
            listener = self._folder.bind(self._name, socket.SOCK_STREAM, self._program, mode=0o666)
        except BaseException:
            self._folder.close()
            raise
        listener.listen(_BACKLOG)
        self._askers = await Askers(listener, self._has_room, self._serve).__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.address(self._name).unlink(missing_ok=True)
        await self._askers.__aexit__(kind, error, trace)
        self._folder.close()

    def _has_room(self, connection: socket.socket) -> bool:
        uid = read_uid(connection)
        has_room = self._places[uid] < MOST_OF_ONE and (
            uid in self._operators or self._places.total() < MOST_OF_ALL
        )
        if has_room:
            self._places[uid] += 1
        else:
            with suppress(OSError):
                connection.send(_format(_BUSY), socket.MSG_DONTWAIT)
        return has_room

    async def _serve(self, connection: socket.socket) -> None:
        uid = read_uid(connection)
        try:
            with connection, suppress(OSError, TimeoutError):
                async with asyncio.timeout(_LISTEN_S):
                    line = await _receive_line(connection)
                answer = _format(await self._answer(uid, line))
                async with asyncio.timeout(_LISTEN_S):
                    await asyncio.get_running_loop().sock_sendall(connection, answer)
        finally:
            self._places[uid] -= 1
            self._places += Counter()  # forget those who have no place any more

    async def _answer(self, uid: int, line: bytes) -> Object:
        request = parse_object(line)
        command = self._commands.get(str(request.get("command"))) if request is not None else None
        if request is None or command is None:
            return {"error": "this is no question"}
        asker = Asker(uid, await asyncio.to_thread(_find_login, uid), uid in self._operators)
        loop = asyncio.get_running_loop()
        async with self._turn:
            await asyncio.sleep(self._next_s - loop.time())
            began_s = loop.time()
            answer = self._answer_now(command, asker, request)
            self._next_s = loop.time() + max(loop.time() - began_s, _SHORTEST_S) * _REST
        return answer

    def _answer_now(self, command: PublicCommand, asker: Asker, request: Object) -> Object:
        try:
            answer = command(asker, request)
        except ServiceError as error:
            return {"error": str(error), "exit_code": error.exit_code}
        except Exception as error:  # noqa: BLE001 - the log has it; whoever asks is to learn nothing by it
            self._tell(repr(error))
            return {"error": "there is no answer just now", "exit_code": os.EX_TEMPFAIL}
        self._trouble = ""
        return answer

    def _tell(self, trouble: str) -> None:
        """Log a trouble of ours, once: nobody may fill the log by asking."""
        if trouble != self._trouble:
            self._trouble = trouble
            self._log.error("cannot answer users", reason=trouble)


def _find_login(uid: int) -> str:
    """Return a user's name, as the books have it; may wait for a directory service."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


async def _receive_line(connection: socket.socket) -> bytes:
    """Return what comes up to the end of a line, or too much of it to be a request."""
    line = b""
    while b"\n" not in line and len(line) <= MOST_REQUEST_OCTETS:
        octets = await asyncio.get_running_loop().sock_recv(connection, MOST_REQUEST_OCTETS + 1)
        if not octets:
            break
        line += octets
    return line if len(line) <= MOST_REQUEST_OCTETS else b""


def _format(answer: Object) -> bytes:
    return json.dumps(answer).encode() + b"\n"
