"""What log and journal cost of a message's whole way: `.venv/bin/python -m bench.telling [options]`.

smtp-source sends to a relay, a post office and a local delivery that each run under `bench.told`. Printed is
for each message and program the processor's time, and how much of it went into telling; the bar is for all
together. Starting and ending are not in the whole, and what they told is in the part.
"""

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import source
from bench.command import add_folder, make_parser, positive, progress, run_command
from bench.installation import START_WITHIN, Site
from bench.measure import spread, table
from bench.process import Child
from bench.relay import RECIPIENT, free_ports, wait_for_greeting, wait_for_quiet
from bench.source import Load
from bench.target import wait_for
from bench.told import PROGRAMS
from bench.workplace import workplace

BAR = 0.10
LEAST_RATE = 50.0  # deliveries a second; below it the run fails
EXAMPLE = """\
example:
  python -m bench.telling --rounds 5 --messages 10000 --sessions 20
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """Microseconds of the processor for each message: all that a program used, and what telling did."""

    whole: float
    telling: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print; the exit status."""
    options = parse(arguments)
    return run_command("bench.telling", lambda: run(options))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options; argparse ends the program on wrong ones."""
    parser = make_parser(
        "bench.telling",
        "Measure the share of log and journal in the CPU time of a message's whole way.",
        EXAMPLE,
    )
    add = parser.add_argument
    add_folder(parser)
    add("--rounds", type=positive, default=3, help="rounds (default: 3)")
    add("--messages", type=positive, default=5000, help="messages in each round (default: 5000)")
    add("--length", type=positive, default=4096, help="octets of each message's body (default: 4096)")
    add("--sessions", type=positive, default=50, help="sessions, each kept (default: 50)")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> int:
    """Measure some rounds, then print what each program spent."""
    program = source.find_source()
    load = Load(options.messages, options.length, options.sessions, kept=True)
    rounds: list[dict[str, Cost]] = []
    with workplace(options.dir, must_be_public=False) as place:
        for number in range(1, options.rounds + 1):
            site = Site(place.path / f"round-{number}", free_ports(1)[0])
            rounds.append(measure(site, program, load))
            progress(f"round {number}: telling is {100 * share_of(rounds[-1].values()):.1f} %")
    print(f"{load.messages} messages of {load.length} octets, {load.label}; durability: flush")
    print(report(rounds))
    return 0


def measure(site: Site, program: str, load: Load) -> dict[str, Cost]:
    """Send a load through; what each program spent on a message."""
    site.init()
    with contextlib.ExitStack() as stack:
        children = {name: stack.enter_context(running(site, name)) for name in reversed(PROGRAMS)}
        wait_for_greeting(children["smtprd"], site.port)
        before = {name: child.cpu_seconds() for name, child in children.items()}
        line = source.command(program, load, RECIPIENT, site.port)
        source.run(line, START_WITHIN + load.messages / LEAST_RATE, site.log)
        deadline = time.monotonic() + START_WITHIN + load.messages / LEAST_RATE
        wait_for(site.maildir, load.messages, deadline, children["smtpld"])
        for child in children.values():
            wait_for_quiet(child)
        spent = {name: child.cpu_seconds() - before[name] for name, child in children.items()}
    each = 1e6 / load.messages
    return {name: Cost(spent[name] * each, told_seconds(result_of(site, name)) * each) for name in PROGRAMS}


@contextlib.contextmanager
def running(site: Site, program: str) -> Iterator[Child]:
    """One of the programs under the meter, for the length of the block."""
    result = str(result_of(site, program))
    line = [sys.executable, "-m", "bench.told", program, result, "--config", str(site.config)]
    child = Child(program, line, site.log)
    try:
        child.start()
        yield child
    finally:
        child.stop()


def result_of(site: Site, program: str) -> Path:
    """Where a program leaves what telling took."""
    return site.folder / f"{program}.json"


def told_seconds(result: Path) -> float:
    """What telling took a program that has ended, all modules together."""
    found: dict[str, int] = json.loads(result.read_text(encoding="utf-8"))
    return sum(found.values()) / 1e9


def report(rounds: Sequence[dict[str, Cost]]) -> str:
    """A line for each program, and one for all; medians, least and greatest."""
    lines = [_line(name, [[costs[name]] for costs in rounds]) for name in PROGRAMS]
    lines.append(_line("all", [list(costs.values()) for costs in rounds]))
    head = ("program", "CPU µs/message", "log and journal", f"share, % (bar: {100 * BAR:.0f})")
    return table(head, lines)


def share_of(costs: Iterable[Cost]) -> float:
    """How much of what programs spent together went into telling."""
    known = list(costs)
    return sum(cost.telling for cost in known) / sum(cost.whole for cost in known)


def _line(name: str, rounds: Sequence[Sequence[Cost]]) -> tuple[str, ...]:
    return (
        name,
        spread(sum(cost.whole for cost in costs) for costs in rounds).show(0),
        spread(sum(cost.telling for cost in costs) for costs in rounds).show(1),
        spread(100 * share_of(costs) for costs in rounds).show(1),
    )


if __name__ == "__main__":
    sys.exit(main())
