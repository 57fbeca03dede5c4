"""What the load test asks of each side, and what both sides do alike: become ready, come to rest.

The sides themselves are in `ours` and `postfix`. Nothing here knows which of them it has before it.
"""

import contextlib
import socket
import time
from typing import Protocol

from bench.process import Child
from bench.target import Target

DOMAIN = "bench.test"
RECIPIENT = f"me@{DOMAIN}"
READY_WITHIN = 30.0  # seconds from start to the first greeting
QUIET_FOR = 0.25  # seconds over which a resting server is observed
QUIET_SHARE = 0.05  # of one core: what a resting server may use


class Relay(Protocol):
    """A mail relay under test: listens on 127.0.0.1:`port`, and brings mail for `recipient` to `target`."""

    name: str
    port: int
    durability: str  # what is on the disk before an acceptance is told: "flush" is everything
    child: Child
    recipient: str
    target: Target

    def prepare(self) -> None:
        """Configure it; nothing is started."""

    def launch(self) -> None:
        """Start it, configured as it is, and return when it greets."""

    def start(self) -> None:
        """Configure and start it, and return when it greets."""

    def stop(self) -> None:
        """Stop it with all it started; nothing happens where it does not run."""

    def queue_is_empty(self) -> bool:
        """Whether no message waits in it, as far as can be seen from outside."""

    def configuration(self) -> dict[str, str]:
        """The configuration in use: text by file name, in reading order."""


def free_ports(count: int) -> list[int]:
    """`count` different TCP ports that nobody listens on at this moment."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


def wait_for_greeting(child: Child, port: int) -> None:
    """Return when the server greets with 220; BenchError when it ends before or takes too long."""
    deadline = time.monotonic() + READY_WITHIN
    while not _greets(port):
        if child.exited_within(0.05):
            raise child.failure("ended before it was ready")
        if time.monotonic() > deadline:
            raise child.failure(f"did not greet on 127.0.0.1:{port} within {READY_WITHIN:.0f} s")


def wait_for_quiet(child: Child) -> None:
    """Return when a program has nothing to do any more."""
    while True:
        before = child.cpu_seconds()
        if child.exited_within(QUIET_FOR):
            raise child.failure("ended by itself")
        if child.cpu_seconds() - before <= QUIET_FOR * QUIET_SHARE:
            return


def wait_for_rest(relay: Relay, deadline: float) -> bool:
    """Wait until the queue is empty and the processes are quiet; False if not so by `deadline`.

    `deadline` is a moment of time.monotonic().
    """
    while time.monotonic() < deadline:
        before = relay.child.cpu_seconds()
        if relay.child.exited_within(QUIET_FOR):
            raise relay.child.failure("ended by itself")
        used = relay.child.cpu_seconds() - before
        if used <= QUIET_FOR * QUIET_SHARE and relay.queue_is_empty():
            return True
    return False


def _greets(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5.0) as connection:
            greeting = connection.recv(512)
            connection.sendall(b"QUIT\r\n")
            connection.recv(512)
    except OSError:
        return False
    return greeting.startswith(b"220")
