"""Telling whoever started a program how it fares: the readiness protocol of systemd (sd_notify(3)).

The supervisor speaks it too, so a program behaves the same under either, and alone.
"""

import os
import socket
from contextlib import suppress

VARIABLE = "NOTIFY_SOCKET"


def notify(**states: str) -> None:
    """Send states such as READY="1" or STATUS="text"; without a listener nothing happens."""
    address = os.environ.get(VARIABLE)
    if not address:
        return
    if address.startswith("@"):  # an abstract name
        address = "\0" + address[1:]
    text = "".join(f"{name}={value}\n" for name, value in states.items())
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        sender.sendto(text.encode(), address)


def parse_notification(octets: bytes) -> dict[str, str]:
    """Read what `notify` sends."""
    lines = octets.decode(errors="replace").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)
