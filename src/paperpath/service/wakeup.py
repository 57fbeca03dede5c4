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

from paperpath.service.errors import ServiceError

_MOST_PATH_OCTETS = 100  # the kernel takes 107 and a terminating null
_DRAIN_OCTETS = 16


class Waker:
    """Wakes other programs. May be called from any thread; never waits and never fails."""

    def __init__(self, folder: Path) -> None:
        """Open the sending end."""
        self._folder = folder
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)

    def wake(self, program: str) -> None:
        """Tell a program to look again. One that is away, or has enough wake-ups waiting, needs none."""
        with suppress(OSError):
            self._socket.sendto(b"", str(_socket_path(self._folder, program)))


class Wakeups:
    """The receiving end: `async with`, then `wait`."""

    def __init__(self, folder: Path, program: str) -> None:
        """Name the program whose wake-ups these are."""
        self._folder = folder
        self._program = program
        self._path = _socket_path(folder, program)
        self._event = asyncio.Event()
        self._socket: socket.socket | None = None

    async def __aenter__(self) -> Self:
        if len(str(self._path)) > _MOST_PATH_OCTETS:
            raise ServiceError(f"{self._path} is too long for a socket; choose a shorter `data` folder")
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._socket = _bind(self._path, self._program)
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._receive)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()
            self._path.unlink(missing_ok=True)

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
        if self._socket is not None:
            with suppress(BlockingIOError):
                while True:
                    self._socket.recv(_DRAIN_OCTETS)
        self._event.set()


def _socket_path(folder: Path, program: str) -> Path:
    return folder / f"{program}.wake"


def _bind(path: Path, program: str) -> socket.socket:
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        if path.exists():
            _remove_stale(path, program)
        receiver.bind(str(path))
        path.chmod(0o600)
    except BaseException:
        receiver.close()
        raise
    return receiver


def _remove_stale(path: Path, program: str) -> None:
    """Remove a socket nobody receives on; refuse to start beside a program that does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise ServiceError(f"{program} is running already; {path} is its socket")
