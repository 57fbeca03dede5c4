"""One measurement: a load is sent, what arrives is watched, and what the programs spend is read.

Called by `paperpath bench`; it says nothing itself, but hands what is so far to `tell` twice a second.
"""

import os
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from paperpath.load.connection import Server
from paperpath.load.plan import Load
from paperpath.load.processes import cpu_us, families, resident_octets
from paperpath.load.report import Delivered, Program, Report
from paperpath.load.source import Source, now_us
from paperpath.load.watch import Seen, Watch

_LOOK_S = 0.1
_MOST_SAMPLES = 480
_COST = 20  # times the length of a look: so long the next one waits


def make_run_name() -> str:
    """Return a name for a run that no other has."""
    return secrets.token_hex(8)


@dataclass
class Measurement:
    """What is to be measured; `run` it once, and `interrupt` it from a signal handler.

    `roots`: processes whose families are weighed, and names for those whose command has another; this
    process is the source. `wait_s`: so long nothing may arrive before the rest is given up.
    """

    title: str
    durability: str
    load: Load
    server: Server
    run_name: str
    watch: Watch | None = None
    roots: Mapping[int, str] = field(default_factory=dict)
    wait_s: float = 30.0
    tell: Callable[[Source, int], None] = lambda source, arrived: None
    _samples: list[tuple[float, int]] = field(default_factory=list)
    _next_look_us: int = 0
    _seen: Seen = field(default_factory=lambda: Seen(0, 0))
    _is_interrupted: bool = False

    def __post_init__(self) -> None:
        self._source = Source(self.load, self.server, self.run_name)

    def interrupt(self) -> None:
        """Send nothing more, and wait for nothing."""
        self._is_interrupted = True
        self._source.stop()

    def run(self) -> Report:
        """Measure. Raises: WatchError."""
        source = self._source
        before, own_us = self._read_clocks(), _read_own_clock()
        source.run(self._tick)
        if self.watch is not None:
            self._wait(self.watch)
        own_us = _read_own_clock() - own_us  # before the look at others, which costs as much as many messages
        own = Program("source", 1, own_us, resident_octets(os.getpid()))
        programs = [*_weigh(before, self._read_clocks()), own]
        return Report(
            self.title,
            self.durability,
            self.load,
            source.tally,
            (source.ended_us - source.begun_us) / 1e6,
            source.pace.given,
            source.pace.latest_us,
            self._describe_arrived(),
            programs,
            self._is_interrupted,
        )

    def _tick(self) -> None:
        if self.watch is not None and now_us() >= self._next_look_us:
            self._look(self.watch)
        self.tell(self._source, self._seen.copies)

    def _look(self, watch: Watch) -> None:
        begun_us = now_us()
        self._seen = watch.look()
        ended_us = now_us()
        self._next_look_us = ended_us + _COST * (ended_us - begun_us)
        self._samples.append(((ended_us - self._source.begun_us) / 1e6, self._seen.copies))
        if len(self._samples) > _MOST_SAMPLES:
            del self._samples[1::2]

    def _wait(self, watch: Watch) -> None:
        """Wait until all has arrived that was accepted, or nothing more does."""
        wanted, progress_us = self._source.tally.recipients, now_us()
        while True:
            before = self._seen.copies
            self._look(watch)
            now = now_us()
            if self._seen.copies != before:
                progress_us = now
            if self._seen.copies >= wanted or self._is_interrupted or now - progress_us > self.wait_s * 1e6:
                return
            self.tell(self._source, self._seen.copies)
            time.sleep(max(_LOOK_S, (self._next_look_us - now) / 1e6))

    def _describe_arrived(self) -> Delivered | None:
        if self.watch is None:
            return None
        seen = self._seen
        seconds = max(seen.last_us - self._source.begun_us, 0) / 1e6 if seen.copies else 0.0
        return Delivered(self.watch.name, seen.copies, seconds, seen.messages, seen.lengths, self._samples)

    def _read_clocks(self) -> dict[tuple[str, int], int]:
        given = {pid: name for pid, name in self.roots.items() if name}
        names = {**families(self.roots), **given}
        clocks = {(name, pid): cpu_us(pid) for pid, name in names.items()}
        return {who: used for who, used in clocks.items() if used is not None}


def _read_own_clock() -> int:
    return time.process_time_ns() // 1000


def _weigh(before: Mapping[tuple[str, int], int], after: Mapping[tuple[str, int], int]) -> list[Program]:
    """Add up the processes of each program; one that was started meanwhile has used all it has."""
    found: dict[str, Program] = {}
    for (name, pid), used_us in after.items():
        others = found.get(name, Program(name, 0, 0, 0))
        found[name] = Program(
            name,
            others.processes + 1,
            others.cpu_us + used_us - before.get((name, pid), 0),
            others.resident_octets + resident_octets(pid),
        )
    return sorted(found.values(), key=lambda program: -program.cpu_us)
