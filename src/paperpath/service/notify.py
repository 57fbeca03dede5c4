"""Telling whoever started a program how it fares: the readiness protocol of systemd (sd_notify(3)).

The supervisor speaks it too, so a program behaves the same under either, and alone.
"""

import asyncio
import os
import socket
import struct
from collections.abc import Callable
from contextlib import suppress

VARIABLE = "NOTIFY_SOCKET"
_MOST_WAIT_S = 1.0  # for a receiver that is busy
_MOST_OCTETS = 4096
_CREDENTIALS = struct.Struct("3i")  # process, user, group: struct ucred of unix(7)


def notify(**states: str) -> None:
    """Send states such as READY="1" or STATUS="text"; without a listener nothing happens."""
    address = os.environ.get(VARIABLE)
    if not address:
        return
    if address.startswith("@"):  # an abstract name
        address = "\0" + address[1:]
    text = "".join(f"{name}={value}\n" for name, value in states.items())
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        # Who does not read must not stop us: of beats there are more to come.
        sender.settimeout(0 if "WATCHDOG" in states else _MOST_WAIT_S)
        sender.sendto(text.encode(), address)


class Notifications:
    """The receiving end, for what one process says of itself.

    The address is an abstract name that the kernel chose. Anybody on the host may send to it, so the
    process id counts, which the kernel vouches for.
    """

    def __init__(self) -> None:
        """Open an address; what is sent to it waits for `listen_to`."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind("")
        self._loop = asyncio.get_running_loop()

    @property
    def address(self) -> str:
        """The value of NOTIFY_SOCKET for who is to send."""
        name: bytes = self._socket.getsockname()
        return "@" + name[1:].decode()

    def listen_to(self, process: int, take: Callable[[dict[str, str]], None]) -> None:
        """Have `take` called with the states that a process sends, and those that it has sent."""
        self._loop.add_reader(self._socket.fileno(), self._receive, process, take)

    def close(self) -> None:
        """Receive no more."""
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

    def _receive(self, process: int, take: Callable[[dict[str, str]], None]) -> None:
        with suppress(BlockingIOError):
            octets, ancillary, _, _ = self._socket.recvmsg(_MOST_OCTETS, socket.CMSG_SPACE(_CREDENTIALS.size))
            for level, kind, data in ancillary:
                known = (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS)
                if known and _CREDENTIALS.unpack(data)[0] == process:
                    take(parse_notification(octets))


def parse_notification(octets: bytes) -> dict[str, str]:
    """Read what `notify` sends."""
    lines = octets.decode(errors="replace").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)
