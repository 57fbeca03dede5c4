"""Figures: what one measurement yields, medians and spread over rounds, ratios, and the tables of them.

Pure: everything goes in and comes out as values. It does not know how the figures were taken.
"""

import dataclasses
import statistics
from collections.abc import Callable, Iterable, Sequence

LEAST_SHOWN_MS = 0.001


@dataclasses.dataclass(frozen=True)
class Sample:
    """One measurement of one side in one scenario."""

    side: str
    scenario: str
    round: int  # from 1
    durability: str
    messages: int
    accepted_seconds: float  # from the start of smtp-source to its end
    delivered_seconds: float  # from the start of smtp-source to the last message's arrival
    cpu_seconds: dict[str, float]  # of the side's programs by name, until it was at rest again
    tools_cpu_seconds: float  # of the source and the sink
    other_cpu_share: float  # of the machine's CPU time meanwhile: what none of these used

    @property
    def accepted(self) -> float:
        """Accepted messages per second."""
        return self.messages / self.accepted_seconds

    @property
    def delivered(self) -> float:
        """Delivered messages per second."""
        return self.messages / self.delivered_seconds

    @property
    def cpu_ms(self) -> float:
        """Milliseconds of the side's CPU per delivered message."""
        return sum(self.cpu_ms_of(program) for program in self.cpu_seconds)

    @property
    def tools_cpu_ms(self) -> float:
        """Milliseconds of the CPU of source and sink per delivered message."""
        return 1000 * self.tools_cpu_seconds / self.messages

    def cpu_ms_of(self, program: str) -> float:
        """The same of one of the side's programs."""
        return 1000 * self.cpu_seconds.get(program, 0.0) / self.messages


@dataclasses.dataclass(frozen=True)
class Spread:
    """A median with the least and the greatest value it stands for."""

    median: float
    least: float
    greatest: float

    def show(self, digits: int) -> str:
        """The median, and the range in brackets."""
        return f"{self.median:.{digits}f} [{self.least:.{digits}f}..{self.greatest:.{digits}f}]"


@dataclasses.dataclass(frozen=True)
class Summary:
    """All rounds of one side in one scenario."""

    side: str
    scenario: str
    durability: str
    rounds: int
    accepted: Spread  # messages per second
    delivered: Spread  # messages per second
    cpu_ms: Spread  # milliseconds per delivered message
    cpu_ms_by_program: dict[str, Spread]
    tools_cpu_ms: Spread  # likewise, of source and sink
    other_cpu_percent: Spread  # of the machine, used by all else


@dataclasses.dataclass(frozen=True)
class Ratio:
    """How many times the other side's median ours is, in one scenario."""

    scenario: str
    ours: str
    other: str
    accepted: float
    delivered: float


def spread(values: Iterable[float]) -> Spread:
    """The median, least and greatest of at least one value."""
    known = sorted(values)
    return Spread(statistics.median(known), known[0], known[-1])


def summarize(samples: Iterable[Sample]) -> list[Summary]:
    """One summary for each scenario and side, in the order of their first appearance, scenarios first."""
    grouped: dict[str, dict[str, list[Sample]]] = {}
    for sample in samples:
        grouped.setdefault(sample.scenario, {}).setdefault(sample.side, []).append(sample)
    return [_summary(group) for sides in grouped.values() for group in sides.values()]


def ratios(summaries: Sequence[Summary], ours: str) -> list[Ratio]:
    """Ours to each other side in each scenario where both were measured, in the summaries' order."""
    own = {summary.scenario: summary for summary in summaries if summary.side == ours}
    return [
        Ratio(
            scenario=other.scenario,
            ours=ours,
            other=other.side,
            accepted=own[other.scenario].accepted.median / other.accepted.median,
            delivered=own[other.scenario].delivered.median / other.delivered.median,
        )
        for other in summaries
        if other.side != ours and other.scenario in own
    ]


def results_table(summaries: Sequence[Summary]) -> str:
    """The results, one line for each summary, in the order given."""
    head = (
        "scenario",
        "side",
        "accepted/s",
        "delivered/s",
        "CPU ms/message",
        "tools' CPU ms",
        "others' CPU %",
        "",
    )
    rows = [
        (
            summary.scenario,
            summary.side,
            summary.accepted.show(0),
            summary.delivered.show(0),
            summary.cpu_ms.show(2),
            summary.tools_cpu_ms.show(2),
            summary.other_cpu_percent.show(0),
            f"durability: {summary.durability}",
        )
        for summary in summaries
    ]
    return table(head, rows)


def programs_table(summaries: Sequence[Summary]) -> str:
    """CPU per message of each program that used some, medians, the greatest first."""
    rows = []
    for summary in summaries:
        medians = {program: each.median for program, each in summary.cpu_ms_by_program.items()}
        used = sorted(
            ((cost, name) for name, cost in medians.items() if cost >= LEAST_SHOWN_MS), reverse=True
        )
        rows.append((summary.scenario, summary.side, ", ".join(f"{name} {cost:.3f}" for cost, name in used)))
    return table(("scenario", "side", "CPU ms/message, by program"), rows)


def ratios_table(found: Sequence[Ratio]) -> str:
    """The ratios of medians, one line each, in the order given."""
    rows = [
        (each.scenario, f"{each.ours} / {each.other}", f"{each.accepted:.2f}", f"{each.delivered:.2f}")
        for each in found
    ]
    return table(("scenario", "ratio", "accepted", "delivered"), rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns of text, left-aligned, with a rule under the head; no trailing spaces, no final newline."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _summary(samples: Sequence[Sample]) -> Summary:
    def over(figure: Callable[[Sample], float]) -> Spread:
        return spread(figure(sample) for sample in samples)

    return Summary(
        side=samples[0].side,
        scenario=samples[0].scenario,
        durability="/".join(sorted({sample.durability for sample in samples})),
        rounds=len(samples),
        accepted=over(lambda sample: sample.accepted),
        delivered=over(lambda sample: sample.delivered),
        cpu_ms=over(lambda sample: sample.cpu_ms),
        cpu_ms_by_program={
            program: spread(sample.cpu_ms_of(program) for sample in samples)
            for program in sorted({name for sample in samples for name in sample.cpu_seconds})
        },
        tools_cpu_ms=over(lambda sample: sample.tools_cpu_ms),
        other_cpu_percent=over(lambda sample: 100 * sample.other_cpu_share),
    )
