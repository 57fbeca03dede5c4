"""Memory and descriptors of the programs, looked at from outside at intervals while they run."""

import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from tests.crash.deaths import CLIENT
from tests.support.installation import PROGRAMS, Installation
from tests.support.process import count_descriptors, resident_kib
from tests.support.remote import list_relay_clients

SERVED = (*PROGRAMS, "smtpsd")
_MOST_GROWN_KIB = 16 * 1024  # along the line through all samples of a time
# At rest, than just after the start, when a relay client has yet to open ten; what leaks is more.
_MOST_MORE_DESCRIPTORS = 16
_FEWEST_SAMPLES = 20


@dataclass(frozen=True, slots=True)
class Sample:
    """A process at a moment of the monotonic clock."""

    when_s: float
    resident_kib: int
    descriptors: int


Process = tuple[str, int]  # its program, and its id


class Watch:
    """Looks at each process every so often, until it is stopped."""

    def __init__(self, installation: Installation, supervisor: int, interval_s: float) -> None:
        """Begin."""
        self.samples: defaultdict[Process, list[Sample]] = defaultdict(list)
        self._installation = installation
        self._supervisor = supervisor
        self._interval_s = interval_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look_on)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()
        self._thread.join()

    def _look_on(self) -> None:
        while not self._stop.wait(self._interval_s):
            for process, sample in look(self._installation, self._supervisor):
                self.samples[process].append(sample)


def look(installation: Installation, supervisor: int) -> Iterator[tuple[Process, Sample]]:
    """Look at every process that there is now."""
    found = [("paperpath", supervisor)]
    found += [(name, pid) for name in SERVED for pid in installation.pids(name)]
    parents = [pid for name, pid in found if name == "smtprcd"]
    found += [(CLIENT, pid) for pid, parent in list_relay_clients() if parent in parents]
    for name, pid in found:
        with suppress(OSError, AssertionError):  # it has ended meanwhile
            yield (name, pid), Sample(time.monotonic(), resident_kib(pid), count_descriptors(pid))


def count_open(installation: Installation, supervisor: int) -> dict[str, int]:
    """Return how many descriptors the fullest process of each program has."""
    counts: dict[str, int] = {}
    for (name, _), sample in look(installation, supervisor):
        counts[name] = max(counts.get(name, 0), sample.descriptors)
    return counts


def describe_excess(before: Mapping[str, int], now: Mapping[str, int]) -> list[str]:
    """Say of which programs more is open than before."""
    return [
        f"L: {name} has {count} descriptors open at rest, and had {before.get(name, 0)} before"
        for name, count in sorted(now.items())
        if count > before.get(name, 0) + _MOST_MORE_DESCRIPTORS
    ]


def measure_growth(samples: Sequence[Sample]) -> float:
    """Return by how many KiB memory grows from the first sample to the last, along the line through all."""
    times = [sample.when_s for sample in samples]
    slope, _ = statistics.linear_regression(times, [sample.resident_kib for sample in samples])
    return slope * (times[-1] - times[0])


def find_growths(
    samples: Mapping[Process, Sequence[Sample]], since_s: float, until_s: float
) -> dict[Process, float]:
    """Measure each process that lived through all of a time."""
    growths = {}
    count = max(map(len, samples.values()), default=0)
    for process, all_of_it in samples.items():
        within = [sample for sample in all_of_it if since_s <= sample.when_s <= until_s]
        if len(within) >= max(_FEWEST_SAMPLES, count // 3):
            growths[process] = measure_growth(within)
    return growths


def describe_growth(growths: Mapping[Process, float]) -> list[str]:
    """Say whose memory is not flat."""
    return [
        f"L: {name} ({pid}) grew by {grown / 1024:.1f} MiB"
        for (name, pid), grown in growths.items()
        if grown > _MOST_GROWN_KIB
    ]
