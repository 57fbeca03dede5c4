"""Who is connected to a local socket of ours: each is served in a task of its own.

Used by the control sockets and by the socket that is open to all users. Whom there is no place for is sent
away at once, but so many a second at most that sending away costs next to nothing.
"""

import asyncio
import socket
import struct
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self

Serve = Callable[[socket.socket], Coroutine[Any, Any, None]]

_TROUBLE_PAUSE_S = 1.0  # when nobody can be let in: there are no descriptors left, say
_TURNED_AWAY_PAUSE_S = 0.005
_LAST_ANSWERS_S = 1.0
_CREDENTIALS = struct.Struct("iII")  # struct ucred of unix(7): process, user, group


class Askers:
    """Accepts and serves for the length of an `async with`; closes the listening socket."""

    def __init__(
        self, listener: socket.socket, has_room: Callable[[socket.socket], bool], serve: Serve
    ) -> None:
        """Take a listening socket, what says who is let in, and what serves and closes a connection."""
        self._listener = listener
        self._has_room = has_room
        self._serve = serve
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    async def __aenter__(self) -> Self:
        self._accepting = asyncio.create_task(self._accept())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._accepting.cancel()
        await asyncio.wait({self._accepting})
        self._listener.close()
        if self._tasks:  # whoever asked for our end, say, gets the answer
            _, late = await asyncio.wait(self._tasks, timeout=_LAST_ANSWERS_S)
            for task in late:
                task.cancel()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(self._listener)
            except OSError:
                await asyncio.sleep(_TROUBLE_PAUSE_S)
                continue
            if self._has_room(connection):
                task = loop.create_task(self._serve(connection))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            else:
                connection.close()
                await asyncio.sleep(_TURNED_AWAY_PAUSE_S)


def read_uid(connection: socket.socket) -> int:
    """Return who is connected to a local socket, as the kernel says (SO_PEERCRED of unix(7))."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(credentials)
    return int(uid)
