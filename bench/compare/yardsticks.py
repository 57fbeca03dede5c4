"""What the machine could do at best, measured in the same rounds: the disk alone, and the tools alone."""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench import source
from bench.bare import THREADS, measure_bare
from bench.compare.samples import ACCEPTED, DELIVERED, Measured, Usage
from bench.compare.stages import Stage
from bench.compare.usage import Meter
from bench.relay import RECIPIENT, free_ports
from bench.sink import Sink
from bench.source import Load
from bench.target import wait_for

DISK = "bare loop"
TOOLS = "smtp-source into smtp-sink"
_HEADER_OCTETS = 500  # about what a message has before its body once it is delivered


class Disk:
    """Write, fsync, rename and fsync the directory, in as many threads as smtpld has."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def commands(self, load: Load) -> Sequence[Sequence[str]]:
        """None: it is a loop of ours, `bench/bare.py`."""
        return [[f"(bench/bare.py: {THREADS} threads write files of {load.length + _HEADER_OCTETS} octets)"]]

    def measure(self, load: Load) -> Measured:
        """Write as many files as the load makes deliveries."""
        folder = Path(tempfile.mkdtemp(prefix="bare-loop-", dir=self._folder))
        count = load.messages * load.recipients
        rate = measure_bare(folder, count, load.length + _HEADER_OCTETS)
        return Measured("flush", {DELIVERED.name: rate}, Usage({}, 0.0, 0.0))


class Tools:
    """The source straight into a sink that throws everything away."""

    def __init__(self, stage: Stage) -> None:
        self._timeout = stage.timeout
        self._folder = stage.folder
        self._port = free_ports(1)[0]

    def commands(self, load: Load) -> Sequence[Sequence[str]]:
        """The sink's command line, and the source's."""
        return [self._sink().child.command, self._spell(load)]

    def measure(self, load: Load) -> Measured:
        """Have the sink take all of it."""
        sink = self._sink()
        try:
            sink.start()
            sink.empty()
            meter = Meter(sink.child)
            run = source.run(self._spell(load), self._timeout, self._folder / "tools.log")
            wait_for(sink, load.messages, time.monotonic() + self._timeout, sink.child)
            usage = meter.read(load.messages, run.cpu_seconds)
        finally:
            sink.stop()
        return Measured("none", {ACCEPTED.name: load.messages / run.seconds}, usage)

    def _sink(self) -> Sink:
        return Sink(self._folder, self._port)

    def _spell(self, load: Load) -> list[str]:
        return source.command(source.find_source(), load, RECIPIENT, self._port)
