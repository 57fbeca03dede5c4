"""What a measurement is called and what it yields, as values that go into a file of results and come back."""

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Metric:
    """A kind of figure: its name with its unit, the digits worth showing, and which way is better."""

    name: str
    digits: int = 0
    more_is_better: bool = True


ACCEPTED = Metric("accepted/s")
DELIVERED = Metric("delivered/s")
DRAIN_S = Metric("drained in s", 1, more_is_better=False)
FULL_MIB = Metric("MiB when full", more_is_better=False)
AFTER_MIB = Metric("MiB when drained", more_is_better=False)
SERVES_S = Metric("serves after s", 2, more_is_better=False)
FIRST_S = Metric("first delivery after s", 2, more_is_better=False)
PACE = Metric("offered/s")
MEDIAN_MS = Metric("p50 ms", 2, more_is_better=False)
P99_MS = Metric("p99 ms", 2, more_is_better=False)
P999_MS = Metric("p99.9 ms", 2, more_is_better=False)
FLUSH_MS = Metric("the disk's own p99 ms", 2, more_is_better=False)
ABOVE_MS = Metric("p99 above it, ms", 2, more_is_better=False)


@dataclasses.dataclass(frozen=True, order=True)
class Task:
    """One measurement: which scenario, which load (`work` says how much of it), by whom, in which round."""

    scenario: str
    load: str
    work: str
    entrant: str
    round: int  # from 1


@dataclasses.dataclass(frozen=True)
class Usage:
    """What processors did meanwhile: milliseconds for each message, and percent of the machine for others."""

    cpu_ms: Mapping[str, float]  # of the entrant's programs by name, until they rested
    tools_cpu_ms: float  # of the source and the sink
    others_percent: float  # of all the machine's time: what none of these used


@dataclasses.dataclass(frozen=True)
class Measured:
    """What came of one measurement: figures by the names of their metrics."""

    durability: str
    figures: Mapping[str, float]
    usage: Usage


@dataclasses.dataclass(frozen=True)
class Sample:
    """A measurement and what came of it."""

    task: Task
    measured: Measured


def as_plain(sample: Sample) -> dict[str, Any]:
    """A sample as JSON can hold it."""
    return dataclasses.asdict(sample)


def from_plain(plain: Mapping[str, Any]) -> Sample:
    """The sample that `as_plain` made this of. Raises: KeyError, TypeError, for anything else."""
    measured = plain["measured"]
    return Sample(
        Task(**plain["task"]),
        Measured(measured["durability"], measured["figures"], Usage(**measured["usage"])),
    )
