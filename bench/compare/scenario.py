"""What a scenario is, and what it asks of those who take part."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Protocol

from bench.compare.samples import Measured, Metric
from bench.compare.stages import Stage
from bench.source import Load


class Entrant(Protocol):
    """Who takes part in a scenario, on a stage that is set up."""

    def commands(self, load: Load) -> Sequence[Sequence[str]]:
        """The command lines that put this load on it, in their order."""

    def measure(self, load: Load) -> Measured:
        """Do it once. Raises: BenchError, if anything is lost, doubled or too late."""


@dataclasses.dataclass(frozen=True)
class Bar:
    """What is wanted: so many times `other` by the first metric, or a figure of ours below this."""

    limit: float
    other: str = ""
    kept: bool | None = None  # with kept connections, with one for each message; None: either way
    metric: Metric | None = None  # which figure stays below; None: it is about the other

    def concerns(self, load: Load) -> bool:
        """Whether it is about this load."""
        return self.kept is None or self.kept == load.kept


@dataclasses.dataclass(frozen=True)
class Scenario:
    """A piece of work. The first of `metrics` is what the table is about, and what the bars mean."""

    name: str
    title: str
    explains: str
    stage: str
    metrics: tuple[Metric, ...]
    loads: tuple[Load, ...]
    enter: Callable[[Stage, str], Entrant]
    yardsticks: tuple[str, ...] = ()
    sides: tuple[str, ...] | None = None  # that it is for; None: all
    rounds: int = 5
    bars: tuple[Bar, ...] = ()

    def entrants(self, sides: Sequence[str]) -> list[str]:
        """Who takes part, of these sides, and beside them."""
        return [name for name in sides if self.sides is None or name in self.sides] + [*self.yardsticks]
