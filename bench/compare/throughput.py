"""How fast a running side takes a load, and brings it where it is to go.

A measurement begins with an empty target, an empty queue, resting processes and flushed disks, and ends when
the side rests again. Whatever is accepted must arrive, each message once.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench import source
from bench.command import progress
from bench.compare.samples import ACCEPTED, DELIVERED, Measured
from bench.compare.usage import Meter
from bench.failure import BenchError
from bench.process import tail
from bench.relay import Relay, wait_for_rest
from bench.source import Load, Run
from bench.target import wait_for

REST_WITHIN = 60.0  # seconds


class Throughput:
    """The measurement of one side; `spell` says by which command line a load is put on it."""

    def __init__(self, relay: Relay, spell: Callable[[Load], list[str]], log: Path, timeout: float) -> None:
        self.relay = relay
        self.spell = spell
        self.timeout = timeout
        self._log = log

    def commands(self, load: Load) -> Sequence[Sequence[str]]:
        """The source's command line."""
        return [self.spell(load)]

    def measure(self, load: Load) -> Measured:
        """Put the load on the side once, and see all of it delivered."""
        make_ready(self.relay)
        deadline = time.monotonic() + self.timeout
        meter = Meter(self.relay.child, *self.relay.target.children)
        run = self.send(load)
        wanted = self.relay.target.wanted(load)
        delivered_at = wait_for(self.relay.target, wanted, deadline, self.relay.child)
        rest(self.relay)
        usage = meter.read(load.messages, run.cpu_seconds)
        expect(self.relay, wanted)
        self.relay.target.empty()
        figures = {
            ACCEPTED.name: load.messages / run.seconds,
            DELIVERED.name: wanted / (delivered_at - run.started),
        }
        return Measured(self.relay.durability, figures, usage)

    def send(self, load: Load) -> Run:
        """Run the source to its end."""
        with telling_of(self.relay, load):
            return source.run(self.spell(load), self.timeout, self._log)


def make_ready(relay: Relay) -> None:
    """Have it begin with nothing: no mail anywhere, no work, and nothing that waits for the disk."""
    relay.target.empty()
    rest(relay)
    os.sync()


def rest(relay: Relay) -> None:
    """Wait until the side has nothing to do."""
    if not wait_for_rest(relay, time.monotonic() + REST_WITHIN):
        progress(f"{relay.name} is not at rest after {REST_WITHIN:.0f} s; going on all the same")


def expect(relay: Relay, wanted: int) -> None:
    """See that as much has arrived as was sent, and no more."""
    found = relay.target.count()
    if found != wanted:
        raise BenchError(f"{relay.name} accepted what makes {wanted} deliveries, and made {found}.")


@contextlib.contextmanager
def telling_of(relay: Relay, load: Load) -> Iterator[None]:
    """Have an error say whose it is, with the end of the side's log."""
    try:
        yield
    except BenchError as error:
        log = tail(relay.child.log)
        raise BenchError(f"{relay.name}, {load.label}: {error}\nThe end of its log:\n{log}") from error
