"""What a second worker costs: `.venv/bin/python -m bench.scaling [options]`.

Of each kind of program that may be several, Paperpath runs once with one and once with two of them, both at
work side by side, and in each round they do the same load in turns. Told is the CPU of that program for each
message with one and with two, and how it grows. Two workers that wait for each other, or for the same lock,
show it there. Results go to the standard output, progress and errors to the standard error.
"""

import argparse
import contextlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import ours
from bench.command import add_folder, choice, make_parser, positive, progress, run_command
from bench.compare.catalogue import enter, enter_submission
from bench.compare.plan import plan
from bench.compare.samples import DELIVERED, Measured
from bench.compare.scenario import Entrant
from bench.compare.stages import MAILBOX, SINK, SUBMISSION, Stage, open_stage
from bench.failure import BenchError
from bench.measure import spread, table
from bench.relay import Relay
from bench.source import Load
from bench.workplace import workplace

BAR = 1.15
ONE, TWO = "one", "two"
EXAMPLE = """\
example:
  python -m bench.scaling --rounds 5 --only smtprd,smtprc
"""


@dataclass(frozen=True)
class Kind:
    """A program of which there may be several: on which stage it has work, and how many there are to be."""

    program: str
    stage: str
    enter: Callable[[Stage, str], Entrant]
    table: str  # of the configuration
    key: str

    def amend(self, relay: Relay, workers: int) -> None:
        """Have a Paperpath run so many of them."""
        if not isinstance(relay, ours.Paperpath):
            raise BenchError(f"{relay.name} has no {self.program}.")
        wanted = f"[{self.table}]\n{self.key} = {workers}\n"
        if f"\n[{self.table}]\n" in relay.config.read_text(encoding="utf-8"):
            relay.amend(f"\n[{self.table}]\n", f"\n{wanted}")
        else:
            relay.append(wanted)


KINDS = {
    kind.program: kind
    for kind in (
        Kind("smtprd", MAILBOX, enter, "relay", "processes"),
        Kind("smtprc", SINK, enter, "remote", "clients"),
        Kind("smtpsd", SUBMISSION, enter_submission, "submission", "processes"),
    )
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print; the exit status."""
    options = parse(arguments)
    return run_command("bench.scaling", lambda: run(options))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options; argparse ends the program on wrong ones."""
    parser = make_parser(
        "bench.scaling", "Measure the CPU for each message with one worker and with two.", EXAMPLE
    )
    add = parser.add_argument
    add_folder(parser)
    add("--only", type=choice(tuple(KINDS)), default=tuple(KINDS), help=f"(default: {','.join(KINDS)})")
    add("--rounds", type=positive, default=5, help="rounds (default: 5)")
    add("--messages", type=positive, default=5000, help="messages per measurement (default: 5000)")
    add("--length", type=positive, default=4096, help="octets of each message's body (default: 4096)")
    add("--sessions", type=positive, default=50, help="parallel sessions, each kept (default: 50)")
    add("--timeout", type=positive, default=600, help="seconds for one measurement (default: 600)")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> int:
    """Measure one kind after the other, then print the table."""
    load = Load(options.messages, options.length, options.sessions, kept=True)
    rows = []
    for name in options.only:
        with workplace(options.dir, must_be_public=False) as place:
            found = measure(KINDS[name], load, place.path, options)
        rows += describe(name, found[ONE], found[TWO])
    print(f"{load.work}, {load.label}; durability: flush")
    head = (
        "program",
        "CPU µs/message of",
        "one",
        "two",
        f"two : one (bar: {BAR})",
        "delivered/s, one",
        "two",
    )
    print(table(head, rows))
    return 0


def measure(kind: Kind, load: Load, folder: Path, options: argparse.Namespace) -> dict[str, list[Measured]]:
    """What came of each round with one worker, and with two."""
    found: dict[str, list[Measured]] = {ONE: [], TWO: []}
    with contextlib.ExitStack() as stack:
        entrants = {}
        for workers, name in enumerate(found, start=1):
            amend = partial(kind.amend, workers=workers)
            opening = open_stage(kind.stage, [ours.NAME], folder / name, options.timeout, amend)
            entrants[name] = kind.enter(stack.enter_context(opening), ours.NAME)
        for task, each in plan([(kind.program, [load], list(found), options.rounds)]):
            found[task.entrant].append(entrants[task.entrant].measure(each))
            cost_us = 1000 * found[task.entrant][-1].usage.cpu_ms.get(kind.program, 0.0)
            progress(f"round {task.round}, {task.entrant} {kind.program}: {cost_us:.0f} us for a message")
    return found


def describe(program: str, one: Sequence[Measured], two: Sequence[Measured]) -> list[tuple[str, ...]]:
    """A row for the program itself, and one for all programs together."""
    rates = [spread(each.figures[DELIVERED.name] for each in those).show(0) for those in (one, two)]
    return [
        (program, what, *_costs(one, two, names), *(rates if names else ("", "")))
        for what, names in (("it", (program,)), ("all", ()))
    ]


def _costs(one: Sequence[Measured], two: Sequence[Measured], names: Sequence[str]) -> tuple[str, str, str]:
    """Microseconds of these programs, or of all, with one worker, with two, and the ratio in each round."""
    first, second = ([_cost_us(each, names) for each in those] for those in (one, two))
    ratios = [more / less for less, more in zip(first, second, strict=True)]
    return spread(first).show(0), spread(second).show(0), spread(ratios).show(2)


def _cost_us(measured: Measured, names: Sequence[str]) -> float:
    costs = measured.usage.cpu_ms
    return 1000 * sum(ms for name, ms in costs.items() if not names or name in names)


if __name__ == "__main__":
    sys.exit(main())
