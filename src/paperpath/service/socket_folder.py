"""A folder of local sockets, one for each program, which only the service user can enter (attack L-3).

Used by the wake-ups and by the control sockets; and for the one socket that is open to all. A socket that a
dead program left is taken over, once it is clear that nobody is behind it.
"""

import os
import socket
from pathlib import Path

from paperpath.service.errors import ServiceError


class SocketFolder:
    """The folder, held open: a socket is addressed through it, however long its path is.

    The kernel takes no more than 107 octets for the path of a socket.
    """

    def __init__(self, folder: Path, *, make: bool = True) -> None:
        """Open the folder, and make it where it is missing unless told not to. Raises: OSError."""
        if make:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Who asks may pass through the folder, and not list it.
        access = os.O_RDONLY if make else os.O_PATH
        self._descriptor = os.open(folder, access | os.O_DIRECTORY | os.O_CLOEXEC)

    def address(self, name: str) -> Path:
        """Tell where a socket is; good for as long as the folder is held open."""
        return Path(f"/proc/self/fd/{self._descriptor}/{name}")

    def let_pass(self) -> None:
        """Let everybody pass through the folder, to whatever is open to them there."""
        os.fchmod(self._descriptor, 0o711)

    def bind(self, name: str, kind: socket.SocketKind, program: str, mode: int = 0o600) -> socket.socket:
        """Make a program's socket, non-blocking. Raises: ServiceError, where the program runs already."""
        address = self.address(name)
        bound = socket.socket(socket.AF_UNIX, kind | socket.SOCK_NONBLOCK)
        try:
            if address.exists():
                _remove_stale(address, kind, program)
            bound.bind(str(address))
            address.chmod(mode)
        except BaseException:
            bound.close()
            raise
        return bound

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._descriptor)


def _remove_stale(address: Path, kind: socket.SocketKind, program: str) -> None:
    """Remove a socket nobody is behind; refuse to start beside a program that is."""
    with socket.socket(socket.AF_UNIX, kind | socket.SOCK_NONBLOCK) as probe:
        try:
            probe.connect(str(address))
        except ConnectionRefusedError:
            address.unlink()
            return
        except BlockingIOError:  # so many wait there that it cannot be told
            pass
    raise ServiceError(f"{program} is running already, with the same data folder")
