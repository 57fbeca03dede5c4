"""How fast a full queue is worked off once a dead destination is there again, and what is left of its space.

The side has been running with a full queue and nobody at the other end, until it rests. Then the sink starts,
and the side is told by its operator's command; the time is from there to the last message in the sink. What
the queue takes of the disk is looked at when it is full, and when all is done and the side has come to rest.
"""

import time
from collections.abc import Sequence

from bench.compare.samples import AFTER_MIB, DELIVERED, DRAIN_S, FULL_MIB, Measured
from bench.compare.stages import Stage
from bench.compare.throughput import expect, rest
from bench.compare.usage import Meter
from bench.compare.waiting import Outage
from bench.process import run_to_end
from bench.relay import wait_for_quiet
from bench.source import Load
from bench.target import wait_for

MIB = 2**20
SPACE_WITHIN = 120.0  # seconds in which an empty queue may give its space back
UNCHANGED_FOR = 10.0  # seconds
LOOK_EVERY = 1.0  # seconds


class Draining:
    """The measurement of one side: each time with a queue that was filled anew."""

    def __init__(self, stage: Stage, name: str) -> None:
        self._stage = stage
        self._name = name
        self._times = 0
        self._lines: Sequence[Sequence[str]] = ()

    def commands(self, load: Load) -> Sequence[Sequence[str]]:
        """What the operator types."""
        return self._lines

    def measure(self, load: Load) -> Measured:
        """Fill, let the destination return, and see everything delivered."""
        self._times += 1
        outage = Outage(self._stage, self._name, load, f"{self._name}-{self._times}")
        relay, sink = outage.relay, outage.sink()
        self._lines = [relay.retry()]
        try:
            relay.launch()
            wait_for_quiet(relay.child)
            full = relay.octets()
            meter = Meter(relay.child)
            sink.start()
            began = time.time()
            run_to_end(relay.retry())
            deadline = time.monotonic() + self._stage.timeout
            ended = wait_for(sink, load.messages, deadline, relay.child)
            rest(relay)
            usage = meter.read(load.messages, sink.child.cpu_seconds())
            expect(relay, load.messages)
            after = self._settled_octets(outage)
        finally:
            relay.stop()
            sink.stop()
        figures = {
            DELIVERED.name: load.messages / (ended - began),
            DRAIN_S.name: ended - began,
            FULL_MIB.name: full / MIB,
            AFTER_MIB.name: after / MIB,
        }
        return Measured(relay.durability, figures, usage)

    def _settled_octets(self, outage: Outage) -> int:
        """What the queue takes once it has given nothing back for a while."""
        relay = outage.relay
        octets, since = relay.octets(), time.monotonic()
        deadline = since + SPACE_WITHIN
        while time.monotonic() < min(deadline, since + UNCHANGED_FOR):
            if relay.child.exited_within(LOOK_EVERY):
                raise relay.child.failure("ended by itself")
            before, octets = octets, relay.octets()
            since = since if octets == before else time.monotonic()
        return octets
