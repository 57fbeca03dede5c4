"""Where the next limit lies, calculated: `.venv/bin/python -m bench.limits --queue-us N [options]`.

From what a message costs each of our programs, as `bench.compare` measured it, and from what the queue's
operations on a message take of the clock, as `bench.maildrop` tells, it says what a machine of so many cores
would reach at most, and by what it is held back. It shows its working; it measures nothing.

Three things hold mail back. All cores together have only so many seconds; source and sink are thought to be
elsewhere. A program runs on one core for each of its processes, since one thread of Python runs at a time;
that is hard on smtpld, which spends half of its time in the kernel, where other threads go on. And the queue
has one writer at a time.
"""

import argparse
import dataclasses
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench import ours
from bench.command import make_parser, positive, run_command
from bench.compare.figures import summarize
from bench.compare.results import Results
from bench.failure import BenchError

# As many processes as there are by default on a machine with so many cores; of the others there is one.
SEVERAL = {"smtprd": 8, "smtpsd": 8, "smtprc": 2}
# What the supervisor and idle programs use is no part of a message's way.
LEAST_MS = 0.005
WAYS = ("maildir", "relay", "submission")
EXAMPLE = """\
example:
  python -m bench.limits --queue-us 119 --cores 16
  python -m bench.limits --queue-us 119 --cores 16 --processes smtprc=4
"""


@dataclasses.dataclass(frozen=True)
class Limit:
    """What something allows, in messages a second, and how that was found."""

    what: str
    per_s: float
    working: str


def find_limits(
    costs_ms: Mapping[str, float], queue_us: float, cores: int, processes: Mapping[str, int]
) -> list[Limit]:
    """What each thing allows where a message costs the programs so much, the narrowest first."""
    whole_ms = sum(costs_ms.values())
    summed = " + ".join(f"{ms:.3f}" for ms in costs_ms.values())
    found = [
        Limit("all cores", 1000 * cores / whole_ms, f"{cores} cores / ({summed} = {whole_ms:.3f} ms)"),
        Limit("the queue's one writer", 1e6 / queue_us, f"1 / {queue_us:g} µs"),
    ]
    for name, ms in costs_ms.items():
        count = min(processes.get(name, 1), cores)
        found.append(Limit(name, 1000 * count / ms, f"{count} of them, a core each / {ms:.3f} ms"))
    return sorted(found, key=lambda limit: limit.per_s)


def explain(limits: Sequence[Limit]) -> str:
    """The limits with their working, and which comes first."""
    lines = [f"  {limit.per_s:8.0f}/s  {limit.what}: {limit.working}" for limit in limits]
    first, second = limits[:2]
    return "\n".join(
        [*lines, f"  first {first.what}; if that were wider, then {second.what} at {second.per_s:.0f}/s"]
    )


def parse_processes(text: str) -> tuple[str, int]:
    """An option's value such as smtprc=4."""
    name, _, count = text.partition("=")
    return name, positive(count)


def main(arguments: Sequence[str] | None = None) -> int:
    """Calculate, and print; the exit status."""
    parser = make_parser(
        "bench.limits", "Calculate from measured costs what a machine of so many cores would reach.", EXAMPLE
    )
    add = parser.add_argument
    add("--results", type=Path, default=Path("var/compare/results.json"), help="of bench.compare")
    add("--queue-us", type=positive, required=True, help="for a message: what bench.maildrop adds up to")
    add("--cores", type=positive, default=16, help="(default: 16)")
    add("--processes", type=parse_processes, action="append", default=[], metavar="PROGRAM=COUNT")
    options = parser.parse_args(arguments)
    return run_command("bench.limits", lambda: run(options))


def run(options: argparse.Namespace) -> int:
    """Print the limits of each way that was measured."""
    processes = SEVERAL | dict(options.processes)
    rows = [
        row
        for row in summarize(Results(options.results).samples)
        if row.entrant == ours.NAME and row.scenario in WAYS
    ]
    if not rows:
        raise BenchError(f"{options.results} has nothing of {', '.join(WAYS)}; make compare measures it.")
    for row in rows:
        costs = {name: each.median for name, each in row.cpu_ms_by_program.items() if each.median >= LEAST_MS}
        print(
            f"{row.scenario}, {row.load}, {row.work}: {options.cores} cores, medians of {row.rounds} rounds"
        )
        print(explain(find_limits(costs, options.queue_us, options.cores, processes)), end="\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
