"""Wake-ups between programs: a datagram that says "look again", nothing more (promise P8).

One UNIX datagram socket per program, in a folder that only the service user can enter. A wake-up that is lost
costs at most the receiver's poll interval; one that is superfluous costs one look.
"""

import asyncio
import socket
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from paperpath.service.socket_folder import SocketFolder

_DRAIN_OCTETS = 16


class Waker:
    """Wakes other programs. May be called from any thread; never waits and never fails."""

    def __init__(self, folder: Path) -> None:
        """Open the sending end."""
        self._folder = SocketFolder(folder)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)

    def wake(self, program: str) -> None:
        """Tell a program to look again. One that is away, or has enough wake-ups waiting, needs none."""
        with suppress(OSError):
            self._socket.sendto(b"", str(self._folder.address(_name(program))))

    def close(self) -> None:
        """Let go; waking does nothing any more."""
        self._socket.close()
        self._folder.close()


class Wakeups:
    """The receiving end: `async with`, then `wait`. Raises: ServiceError, where the program runs already."""

    def __init__(self, folder: Path, program: str) -> None:
        """Name the program whose wake-ups these are."""
        self._path = folder
        self._program = program
        self._event = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._folder = SocketFolder(self._path)
        try:
            self._socket = self._folder.bind(_name(self._program), socket.SOCK_DGRAM, self._program)
        except BaseException:
            self._folder.close()
            raise
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._receive)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()
        self._folder.address(_name(self._program)).unlink(missing_ok=True)
        self._folder.close()

    async def wait(self, timeout_s: float) -> None:
        """Wait until woken, since the last wait or from now on, or until the time is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._event.wait()
        self._event.clear()

    def wake(self) -> None:
        """End the present or next `wait`, from inside."""
        self._event.set()

    def _receive(self) -> None:
        with suppress(BlockingIOError):
            while True:
                self._socket.recv(_DRAIN_OCTETS)
        self._event.set()


def _name(program: str) -> str:
    return f"{program}.wake"
