"""How fast a side takes mail while it can deliver none; what it took is delivered afterwards, and counted."""

import os
import time
from collections.abc import Sequence

from bench.compare.holding import Holding
from bench.compare.samples import ACCEPTED, Measured
from bench.compare.throughput import Throughput, expect, make_ready, rest
from bench.compare.usage import Meter
from bench.relay import wait_for_quiet
from bench.source import Load
from bench.target import wait_for


class Accepting(Throughput):
    """The measurement of one side."""

    relay: Holding

    def commands(self, load: Load) -> Sequence[Sequence[str]]:
        """The source's command line, and how what was taken is released."""
        return [*super().commands(load), *self.relay.told()]

    def measure(self, load: Load) -> Measured:
        """Put the load on the side, then let it deliver. Only the first counts."""
        make_ready(self.relay)
        self.relay.hold()
        meter = Meter(self.relay.child)
        run = self.send(load)
        wait_for_quiet(self.relay.child)
        usage = meter.read(load.messages, run.cpu_seconds)
        expect(self.relay, 0)
        self.relay.release()
        wanted = self.relay.target.wanted(load)
        wait_for(self.relay.target, wanted, time.monotonic() + self.timeout, self.relay.child)
        rest(self.relay)
        expect(self.relay, wanted)
        self.relay.target.empty()
        os.sync()
        return Measured(self.relay.durability, {ACCEPTED.name: load.messages / run.seconds}, usage)
