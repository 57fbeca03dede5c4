"""`make compare`, or `.venv/bin/python -m bench.compare [options]`: Paperpath beside Postfix.

It reads the options, opens one stage after the other, has its scenarios done in rounds, and prints what they
yield. Whatever happens - an error, Ctrl-C, SIGTERM - nothing keeps running, what was measured is kept, and
the same command goes on from there. Results go to the standard output, progress and errors to the standard
error.
"""

import argparse
import shlex
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from bench import machine, ours
from bench.command import add_folder, choice, make_parser, positive, run_command
from bench.compare.catalogue import scenarios
from bench.compare.choosing import NAMES, QUICK, USUAL, has_postfix, reachable, usable, versions
from bench.compare.report import Report, machine_lines
from bench.compare.results import Results
from bench.compare.rounds import Rounds
from bench.workplace import Workplace, workplace

USUAL_FOLDER = Path(__file__).resolve().parent.parent.parent / "var" / "compare"
SCENARIOS = tuple(scenario.name for scenario in scenarios(quick=False))
EXAMPLE = """\
examples:
  make compare                             # everything; about an hour
  make compare ARGS="--quick"              # the same in small, in one to three minutes: does it work?
  make compare ARGS="--only relay,accept"  # some; what was measured before stays in the table
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare; the exit status."""
    options = parse(arguments)
    return run_command("bench.compare", lambda: run(options))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options; argparse ends the program on wrong ones."""
    listed = "\n".join(f"  {each.name:18}{each.title}" for each in scenarios(quick=False))
    parser = make_parser(
        "bench.compare",
        "Measure Paperpath beside Postfix: the same work, in turns, on the same file system.",
        f"scenarios:\n{listed}\n\n{EXAMPLE}",
    )
    add = parser.add_argument
    add("--only", type=choice(SCENARIOS), default=SCENARIOS, metavar="NAMES", help="scenarios (default: all)")
    usual = ",".join(USUAL)
    add("--sides", type=choice(NAMES), metavar="NAMES", help=f"of {','.join(NAMES)} (default: {usual})")
    add("--rounds", type=positive, help="rounds over all sides (default: 5; of drain 2)")
    add("--quick", action="store_true", help="small numbers and one round: the figures tell nothing")
    add("--folder", type=Path, help="the report (default: var/compare, or var/compare-quick)")
    add("--anew", action="store_true", help="do not go on from what is in that folder")
    add_folder(parser)
    add("--timeout", type=positive, help="seconds for one measurement (default: 1800; with --quick 60)")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> int:
    """Measure what is not measured yet, and print everything; the exit status."""
    folder = options.folder or (USUAL_FOLDER.with_name("compare-quick") if options.quick else USUAL_FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    if options.anew:
        (folder / "results.json").unlink(missing_ok=True)
    results, report = Results(folder / "results.json"), Report(folder)
    known = scenarios(options.quick)
    wanted = [each for each in known if each.name in options.only]
    sides, remarks = usable(options.sides or (QUICK if options.quick else USUAL))
    with workplace(options.dir, has_postfix(sides)) as place:
        sides = reachable(sides, place)
        number = options.rounds or (1 if options.quick else None)
        timeout = float(options.timeout or (60 if options.quick else 1800))
        rounds = Rounds(place.path, results, report, sides, number, timeout)
        if any(rounds.plan(wanted)):
            results.begin(describe(place, sides, remarks))
            print(results.runs[-1], end="\n\n", flush=True)
        try:
            for _, those in groupby(wanted, key=lambda scenario: scenario.stage):
                rounds.measure(list(those))
        finally:
            samples = results.of(task for task, _ in rounds.plan(known, left_only=False))
            print(report.results(known, samples, ours.NAME, sides, results.runs), flush=True)
    return 0


def describe(place: Workplace, sides: Sequence[str], remarks: Sequence[str]) -> str:
    """How this run is made, on what, and what a reader should know, as a list in Markdown."""
    lines = machine_lines(machine.look(place.path), versions(sides))
    told = [f"command: {shlex.join(['python', '-m', 'bench.compare', *sys.argv[1:]])}"]
    told += [*(f"{name}: {value}" for name, value in lines.items()), *remarks]
    return "\n".join(f"- {line}" for line in [*told, *filter(None, [place.remark])])


if __name__ == "__main__":
    sys.exit(main())
