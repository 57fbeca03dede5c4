"""The rounds: on one stage after the other, all that is not measured yet, each result kept at once."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.command import progress
from bench.compare.plan import plan
from bench.compare.report import Report
from bench.compare.results import Results
from bench.compare.samples import Measured, Sample, Task
from bench.compare.scenario import Entrant, Scenario
from bench.compare.stages import open_stage
from bench.relay import Relay
from bench.source import Load


@dataclasses.dataclass(frozen=True)
class Rounds:
    """What all stages of a run share."""

    folder: Path  # for what the sides need
    results: Results
    report: Report
    sides: Sequence[str]
    rounds: int | None  # None: as many as each scenario says
    timeout: float

    def plan(self, scenarios: Sequence[Scenario], left_only: bool = True) -> Iterator[tuple[Task, Load]]:
        """What is to be measured, or left to be."""
        return plan(
            [
                (each.name, each.loads, each.entrants(self.sides), self.rounds or each.rounds)
                for each in scenarios
            ],
            self.results.done() if left_only else (),
        )

    def measure(self, scenarios: Sequence[Scenario]) -> None:
        """Do what is left of these scenarios, which are of one stage."""
        left = list(self.plan(scenarios))
        if not left:
            return
        by_name = {each.name: each for each in scenarios}
        kind = scenarios[0].stage
        sides = [side for side in self.sides if side in {task.entrant for task, _ in left}]

        def note(relay: Relay) -> None:
            _say(self.report.configuration(kind, relay.name, relay.configuration()))

        with open_stage(kind, sides, self.folder / kind, self.timeout, note) as stage:
            entrants: dict[tuple[str, str], Entrant] = {}
            for number, (task, load) in enumerate(left, start=1):
                key = task.scenario, task.entrant
                if key not in entrants:
                    entrants[key] = by_name[task.scenario].enter(stage, task.entrant)
                measured = entrants[key].measure(load)
                self.results.add(Sample(task, measured))
                _say(self.report.commands(task.scenario, task.entrant, entrants[key].commands(load)))
                progress(f"{kind} {number}/{len(left)}: {_describe(task, measured)}")


def _describe(task: Task, measured: Measured) -> str:
    figures = ", ".join(f"{value:.4g} {name}" for name, value in measured.figures.items())
    return f"round {task.round}, {task.scenario}, {task.load}, {task.entrant}: {figures}"


def _say(text: str) -> None:
    if text:
        print(text, flush=True)
