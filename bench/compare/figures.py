"""What comes of the samples: medians with their spread, and ratios. Pure.

A ratio is taken in each round by itself, of two entrants that did the same work minutes apart at most, and
only then are median, least and greatest sought: so a machine that is slow for a whole round changes no ratio.
It says how many times better ours is, whichever way is better for that metric.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from bench.compare.samples import Metric, Sample
from bench.measure import Spread, spread


@dataclasses.dataclass(frozen=True)
class Row:
    """All rounds of one entrant with one load of one scenario."""

    scenario: str
    load: str
    work: str
    entrant: str
    durability: str
    rounds: int
    figures: Mapping[str, Spread]
    cpu_ms: Spread
    cpu_ms_by_program: Mapping[str, Spread]
    tools_cpu_ms: Spread
    others_percent: Spread


def summarize(samples: Iterable[Sample]) -> list[Row]:
    """A row for each scenario, load and entrant, in the order of their first appearance."""
    grouped: dict[tuple[str, str, str], dict[str, list[Sample]]] = {}
    for sample in samples:
        task = sample.task
        key = (task.scenario, task.load, task.work)
        grouped.setdefault(key, {}).setdefault(task.entrant, []).append(sample)
    return [_row(group) for entrants in grouped.values() for group in entrants.values()]


def ratios(samples: Iterable[Sample], metric: Metric, ours: str, other: str) -> Spread | None:
    """How many times better ours is, over the rounds that both have; None where there is none.

    All samples are of one load of one scenario.
    """
    by_round: dict[int, dict[str, float]] = {}
    for sample in samples:
        if metric.name in sample.measured.figures:
            figures = by_round.setdefault(sample.task.round, {})
            figures[sample.task.entrant] = sample.measured.figures[metric.name]
    pairs = [(both[ours], both[other]) for both in by_round.values() if ours in both and other in both]
    if not pairs:
        return None
    return spread(mine / its if metric.more_is_better else its / mine for mine, its in pairs)


def _row(samples: Sequence[Sample]) -> Row:
    task = samples[0].task
    usages = [sample.measured.usage for sample in samples]
    return Row(
        scenario=task.scenario,
        load=task.load,
        work=task.work,
        entrant=task.entrant,
        durability="/".join(sorted({sample.measured.durability for sample in samples})),
        rounds=len(samples),
        figures=_spreads([sample.measured.figures for sample in samples]),
        cpu_ms=spread(sum(usage.cpu_ms.values()) for usage in usages),
        cpu_ms_by_program=_spreads([usage.cpu_ms for usage in usages]),
        tools_cpu_ms=spread(usage.tools_cpu_ms for usage in usages),
        others_percent=spread(usage.others_percent for usage in usages),
    )


def _spreads(those: Sequence[Mapping[str, float]]) -> dict[str, Spread]:
    """The spread of each name's figures, names in the order in which they first appear."""
    names = dict.fromkeys(name for each in those for name in each)
    return {name: spread(each[name] for each in those if name in each) for name in names}
