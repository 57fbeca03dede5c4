"""What becomes of a backlog, simulated: `.venv/bin/python -m bench.scheduling [options]`.

It drives the product's own scheduling policy (windows, limits, pauses) against a table of destinations that
are quick, slow, dead, stalled or moody, and tells how long that takes and who waits for whom. No clock is
waited for and no chance is left: the same seed gives the same figures everywhere. docs/scheduling.md shows
some runs.
"""

import json
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bench.command import make_parser, progress
from bench.scheduling_daemon import Daemon, Message, Scenario
from bench.scheduling_plot import draw
from bench.scheduling_scenarios import SCENARIOS

MEANING = """\
Median, 95 % and most: seconds that a message waited from its arrival to its delivery. Slowdown: the mean of
that by what it is where the first destination of the kind is alone in the world. Fairness: Jain's index of
the slowdowns of all destinations, 1 where all are slowed alike; those that nothing reached are not in it."""
HEADS = (
    *("to", "of them", "messages", "delivered", "median s", "95 % s", "most s"),
    *("attempts", "connections", "suspended", "slowdown"),
)
EXAMPLE = """\
example:
  python -m bench.scheduling
  python -m bench.scheduling --scenario stalled --svg stalled.svg --json
"""


@dataclass(frozen=True, slots=True)
class Row:
    """What is told of the destinations of one kind."""

    kind: str
    destinations: int
    messages: int
    delivered: int
    median_s: float | None
    p95_s: float | None
    most_s: float | None
    attempts: int
    connections: int
    suspensions: int
    slowdown: float | None


@dataclass(frozen=True, slots=True)
class Result:
    """What a scenario came to; `drained_s`: when the last message was delivered, if it was."""

    title: str
    seed: int
    drained_s: float | None
    fairness: float
    rows: list[Row]


def simulate(scenario: Scenario, seed: int = 1) -> tuple[Result, Daemon]:
    """Let a scenario happen."""
    daemon = Daemon(scenario, seed)
    daemon.run()
    means = _mean_waits(daemon.messages)
    alone = _mean_waits_alone(scenario, seed) if len(scenario.sites) > 1 else means
    slowdowns = {
        site.name: means[site.name] / alone[site.kind]
        for site in scenario.sites
        if site.name in means and site.kind in alone
    }
    kinds = dict.fromkeys(site.kind for site in scenario.sites)
    delivered = [message.delivered_s for message in daemon.messages]
    drained_s = (
        max((moment_s or 0.0 for moment_s in delivered), default=0.0) if None not in delivered else None
    )
    rows = [_make_row(kind, scenario, daemon, slowdowns) for kind in kinds]
    return Result(scenario.title, seed, drained_s, find_fairness(list(slowdowns.values())), rows), daemon


def find_fairness(values: Sequence[float]) -> float:
    """Jain's index: the square of the sum by the sum of the squares, and by how many there are."""
    squares = sum(value * value for value in values)
    return sum(values) ** 2 / (len(values) * squares) if squares else 1.0


def _waits(messages: Sequence[Message]) -> list[float]:
    return sorted(
        message.delivered_s - message.arrived_s for message in messages if message.delivered_s is not None
    )


def _by_destination(messages: Sequence[Message]) -> dict[str, list[Message]]:
    found: dict[str, list[Message]] = {}
    for message in messages:
        found.setdefault(message.destination, []).append(message)
    return found


def _mean_waits(messages: Sequence[Message]) -> dict[str, float]:
    waits = {name: _waits(some) for name, some in _by_destination(messages).items()}
    return {name: statistics.fmean(some) for name, some in waits.items() if some}


def _mean_waits_alone(scenario: Scenario, seed: int) -> dict[str, float]:
    """What messages of each kind wait where its first destination that gets any is the only one."""
    found: dict[str, float] = {}
    tried: set[str] = set()
    for site in scenario.sites:
        if site.kind not in tried and next(site.arrivals(seed), None) is not None:
            tried.add(site.kind)
            daemon = Daemon(replace(scenario, sites=[site]), seed)
            daemon.run()
            if means := _mean_waits(daemon.messages):
                found[site.kind] = means[site.name]
    return found


def _make_row(kind: str, scenario: Scenario, daemon: Daemon, slowdowns: dict[str, float]) -> Row:
    names = [site.name for site in scenario.sites if site.kind == kind]
    among = set(names)
    messages = [message for message in daemon.messages if message.destination in among]
    waits = _waits(messages)
    slowed = [slowdowns[name] for name in names if name in slowdowns]
    return Row(
        kind,
        len(names),
        len(messages),
        len(waits),
        _rank(waits, 0.5),
        _rank(waits, 0.95),
        _rank(waits, 1.0),
        sum(daemon.lanes[name].attempts for name in names),
        sum(daemon.lanes[name].connects for name in names),
        sum(daemon.queues[name].suspensions for name in names),
        statistics.fmean(slowed) if slowed else None,
    )


def _rank(values: Sequence[float], share: float) -> float | None:
    """The value that a share of the sorted values does not exceed."""
    return values[max(0, -int(-share * len(values) // 1) - 1)] if values else None


def show(result: Result) -> str:
    """The result as a table."""
    lines = [HEADS, *map(_cells, result.rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    table = [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    ]
    drained = "not drained" if result.drained_s is None else f"drained after {result.drained_s:.1f} s"
    return "\n".join([f"{result.title}: {drained}, fairness {result.fairness:.2f}", *table])


def _cells(row: Row) -> tuple[str, ...]:
    return tuple(
        "-" if value is None else f"{value:.1f}" if isinstance(value, float) else str(value)
        for value in asdict(row).values()
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate what the options ask for, and print it; the exit status."""
    parser = make_parser(
        "bench.scheduling", "Simulate the scheduling of remote delivery.", f"{MEANING}\n\n{EXAMPLE}"
    )
    add = parser.add_argument
    add("--scenario", choices=tuple(SCENARIOS), help="only this one")
    add("--seed", type=int, default=1, help="another one gives another world (%(default)s)")
    add("--svg", type=Path, help="plot what is open, over time, to this file; with --scenario")
    add("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    if options.svg and not options.scenario:
        parser.error("--svg needs --scenario")
    results = []
    for name in [options.scenario] if options.scenario else SCENARIOS:
        progress(f"simulating {name}")
        result, daemon = simulate(SCENARIOS[name](), options.seed)
        results.append(result)
        if not options.json:
            print(show(result), end="\n\n", flush=True)
        if options.svg:
            options.svg.write_text(draw(result.title, daemon.messages, daemon.now_s), encoding="utf-8")
    if options.json:
        print(json.dumps([asdict(result) for result in results], indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
