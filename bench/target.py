"""Where the messages of a load arrive, whatever that is, and how to wait for the last of them."""

import time
from collections.abc import Sequence
from typing import Protocol

from bench.process import Child
from bench.source import Load

POLL_FLOOR = 0.02  # seconds between two looks at the least
FIRST_WITHIN = 30.0  # seconds
POLL_SHARE = 20  # a look may take this fraction (1/20) of the time at most


class Target(Protocol):
    """What fills up while a side is measured, and is emptied before the next measurement."""

    @property
    def children(self) -> Sequence[Child]:
        """The programs that only take messages, and are on no side; none where it is a folder."""

    def wanted(self, load: Load) -> int:
        """How many arrivals a load makes."""

    def count(self) -> int:
        """How many messages have arrived since it was emptied."""

    def changed(self) -> float:
        """When the last one arrived, in seconds of Unix time."""

    def empty(self) -> None:
        """Begin again with none."""


def wait_for(target: Target, wanted: int, deadline: float, server: Child) -> float:
    """Wait until so many messages have arrived; the Unix time in seconds at which the last came.

    `deadline` is a moment of time.monotonic(). The end of `server` meanwhile is an error.
    """
    while True:
        began = time.monotonic()
        found = target.count()
        looked = time.monotonic()
        if found >= wanted:
            return min(time.time(), target.changed())
        if looked > deadline:
            raise server.failure(f"delivered {found} of {wanted} messages before the deadline")
        if server.exited_within(max(POLL_FLOOR, POLL_SHARE * (looked - began))):
            raise server.failure(f"ended after delivering {found} of {wanted} messages")


def wait_for_first(target: Target, server: Child, deadline: float) -> int:
    """Wait until something has arrived; how much that is. `deadline` is as in `wait_for`."""
    while not (first := target.count()):
        if server.exited_within(0.002) or time.monotonic() > deadline:
            raise server.failure("delivered nothing")
    return first


def rate_of(target: Target, wanted: int, server: Child, least_rate: float = 100.0) -> float:
    """Messages a second from the first that is seen to the last; BenchError below the least."""
    deadline = time.monotonic() + FIRST_WITHIN
    first = wait_for_first(target, server, deadline)
    began = time.time()
    last = wait_for(target, wanted, deadline + wanted / least_rate, server)
    return (wanted - first) / (last - began)
