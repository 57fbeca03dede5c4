"""The tables of a comparison, in Markdown: the one on top, and what is behind it. Pure."""

from collections.abc import Iterable, Sequence

from bench.compare.figures import Row, ratios, summarize
from bench.compare.samples import Metric, Sample
from bench.compare.scenario import Bar, Scenario
from bench.measure import Spread
from bench.source import Load

MEANING = """\
Medians [least..greatest] of the rounds. A ratio is taken in each round; above 1 ours is better, whatever is
measured. CPU: of the entrant's programs, for each message, until they rested; tools' CPU: of the source and
the sink, which take of the same processors; others' CPU: what none of these used, in percent of the machine -
where it is high, the figures tell little."""
LEAST_SHOWN_MS = 0.001
NOTHING = "–"


def headline(
    scenarios: Sequence[Scenario], samples: Sequence[Sample], ours: str, sides: Sequence[str]
) -> str:
    """A line for each load of each scenario that was measured, with our ratio to each other side."""
    others = [side for side in sides if side != ours]
    head = ["scenario", "load", "durability", "measured", ours]
    head += [cell for other in others for cell in (other, "ours : it")]
    lines = []
    for scenario in scenarios:
        for load in scenario.loads:
            found = [each for each in samples if _is_of(each, scenario, load)]
            rows = {row.entrant: row for row in summarize(found)}
            if not rows:
                continue
            metric = scenario.metrics[0]
            line = [scenario.title, load.label, durability(rows.values(), sides), metric.name]
            line.append(_figure(rows.get(ours), metric))
            for other in others:
                line += [_figure(rows.get(other), metric), _ratio(ratios(found, metric, ours, other))]
            lines.append(
                [*line, *_yardsticks(scenario, rows, found, ours), _wanted(scenario, load, found, ours)]
            )
    return markdown([*head, "yardstick", "ours : it", "wanted"], lines)


def details(scenario: Scenario, samples: Sequence[Sample]) -> str:
    """All figures of a scenario."""
    metrics = [metric.name for metric in scenario.metrics]
    head = [
        "load",
        "who",
        "durability",
        *metrics,
        "CPU ms/message",
        "tools' CPU ms",
        "others' CPU %",
        "rounds",
    ]
    lines = []
    for row in summarize(each for each in samples if each.task.scenario == scenario.name):
        line = [f"{row.load}; {row.work}", row.entrant, row.durability]
        line += [_figure(row, metric) for metric in scenario.metrics]
        line += [row.cpu_ms.show(2) if row.cpu_ms_by_program else NOTHING, row.tools_cpu_ms.show(2)]
        lines.append([*line, row.others_percent.show(0), str(row.rounds)])
    return markdown(head, lines)


def programs(samples: Iterable[Sample]) -> str:
    """CPU for each message of each program that used some, medians, the greatest first."""
    lines = []
    for row in summarize(samples):
        medians = {name: each.median for name, each in row.cpu_ms_by_program.items()}
        used = sorted(((ms, name) for name, ms in medians.items() if ms >= LEAST_SHOWN_MS), reverse=True)
        if used:
            shown = ", ".join(f"{name} {ms:.3f}" for ms, name in used)
            lines.append([row.scenario, row.load, row.entrant, shown])
    return markdown(["scenario", "load", "who", "CPU ms/message, by program"], lines)


def markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table."""
    return "\n".join(_line(cells) for cells in (head, ["---"] * len(head), *lines))


def durability(rows: Iterable[Row], sides: Sequence[str]) -> str:
    """That of the sides, each by itself where they differ."""
    known = {row.entrant: row.durability for row in rows if row.entrant in sides}
    if len(set(known.values())) == 1:
        return next(iter(known.values()))
    return ", ".join(f"{entrant}: {kind}" for entrant, kind in known.items()) or NOTHING


def _is_of(sample: Sample, scenario: Scenario, load: Load) -> bool:
    task = sample.task
    return (task.scenario, task.load, task.work) == (scenario.name, load.label, load.work)


def _figure(row: Row | None, metric: Metric) -> str:
    if row is None or metric.name not in row.figures:
        return NOTHING
    return row.figures[metric.name].show(metric.digits)


def _ratio(found: Spread | None) -> str:
    return NOTHING if found is None else f"**{found.median:.2f}** [{found.least:.2f}..{found.greatest:.2f}]"


def _yardsticks(
    scenario: Scenario, rows: dict[str, Row], found: Sequence[Sample], ours: str
) -> tuple[str, str]:
    """The yardstick's figure with its name and durability, and our ratio to it."""
    for name in scenario.yardsticks:
        if name in rows:
            figure = _figure(rows[name], scenario.metrics[0])
            told = f"{figure} ({name}, durability {rows[name].durability})"
            return told, _ratio(ratios(found, scenario.metrics[0], ours, name))
    return NOTHING, NOTHING


def _wanted(scenario: Scenario, load: Load, found: Sequence[Sample], ours: str) -> str:
    """The bars, each with whether the median reaches it."""
    told = [_judge(bar, scenario.metrics[0], found, ours) for bar in scenario.bars if bar.concerns(load)]
    return "; ".join(text for text in told if text) or NOTHING


def _judge(bar: Bar, metric: Metric, found: Sequence[Sample], ours: str) -> str:
    """A bar, and whether it is reached; empty where that was not measured."""
    if bar.metric is None:
        ratio = ratios(found, metric, ours, bar.other)
        if ratio is None:
            return ""
        return f"≥ {bar.limit:g} × {bar.other}: {_verdict(ratio.median >= bar.limit)}"
    own = {row.entrant: row for row in summarize(found)}.get(ours)
    if own is None or bar.metric.name not in own.figures:
        return ""
    figure = own.figures[bar.metric.name]
    return f"{bar.metric.name} < {bar.limit:g}: {figure.median:.2f}, {_verdict(figure.median < bar.limit)}"


def _verdict(is_reached: bool) -> str:
    return "reached" if is_reached else "**missed**"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
