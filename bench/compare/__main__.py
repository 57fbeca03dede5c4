"""The comparison of our relay with Postfix, whatever is compared: options, rounds, report.

`bench.__main__` and `bench.relaying` say what. It reads the options, puts the parts together, prints what
they yield, and sees to it that whatever happens - an error, Ctrl-C, SIGTERM - nothing keeps running and
nothing is left on the disk. Results go to the standard output, progress and errors to the standard error.
"""

import argparse
import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import machine, ours, postfix, source
from bench.command import choice, numbers, positive, progress, run_command
from bench.failure import AbsentError, BenchError
from bench.process import SIGNALS
from bench.relay import Relay, free_ports
from bench.report import Report
from bench.source import Load
from bench.trial import Trial, plan
from bench.workplace import Workplace, workplace

POSTFIX_NAMES = (postfix.TUNED_NAME, postfix.EXPERT_NAME, postfix.DEFAULT_NAME)
NAMES = (ours.NAME, *POSTFIX_NAMES)
KEPT = {"kept": True, "single": False}


@dataclass(frozen=True)
class Comparison:
    """What is compared: the command that does so, and the sides.

    `open_sides` makes the sides of these names, each in its own folder below the given one, and keeps what
    they need running; it starts none of them. `add_options` has the command take options of its own.
    `command` is the line that puts a load on a side where smtp-source does not; it gets the folder too.
    """

    name: str
    description: str
    example: str
    open_sides: Callable[[Sequence[str], Path, argparse.Namespace], AbstractContextManager[list[Relay]]]
    add_options: Callable[[argparse.ArgumentParser], None] = lambda parser: None
    command: Callable[[Path, Relay, Load], list[str]] | None = None


def compare(comparison: Comparison, arguments: Sequence[str] | None = None) -> int:
    """Run a comparison; the exit status."""
    options = parse(comparison, arguments)
    return run_command(comparison.name, lambda: run(comparison, options))


def parse(comparison: Comparison, arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options; argparse ends the program on wrong ones."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {comparison.name}",
        description=comparison.description,
        epilog=comparison.example,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--dir", type=Path, help="make the run's work folder in this one (default: var/bench)")
    add("--rounds", type=positive, default=3, help="rounds over all scenarios and sides (default: 3)")
    add("--messages", type=positive, default=5000, help="messages per measurement (default: 5000)")
    add("--length", type=positive, default=4096, help="octets of each message's body (default: 4096)")
    add("--sessions", type=numbers, default=(20, 50), help="parallel sessions (default: 20,50)")
    add("--connections", type=choice(tuple(KEPT)), default=tuple(KEPT), help="kept,single (default: both)")
    add("--only", type=choice(NAMES), default=NAMES, help=f"the sides (default: {','.join(NAMES)})")
    add("--warm-up", type=positive, default=500, help="messages to each side before it counts (default: 500)")
    add("--timeout", type=positive, default=600, help="seconds for one measurement (default: 600)")
    add("--json", type=Path, help="write everything to this file, too")
    comparison.add_options(parser)
    return parser.parse_args(arguments)


def run(comparison: Comparison, options: argparse.Namespace) -> int:
    """Measure what the options ask for, and print it; the exit status."""
    if options.json and not os.access(options.json.resolve().parent, os.W_OK):
        raise BenchError(f"{options.json} cannot be written.")
    program = source.find_source()
    names, remarks = usable(options.only)
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(workplace(options.dir, any(name in POSTFIX_NAMES for name in names)))
        names = reachable(names, place)
        remarks += [place.remark] if place.remark else []
        remarks += postfix.remarks() if any(name in POSTFIX_NAMES for name in names) else []
        sides = stack.enter_context(comparison.open_sides(names, place.path, options))
        report = Report(ours.NAME, machine.look(place.path), remarks, versions(names))
        for side in sides:
            stack.callback(side.stop)
        stack.callback(_ignore_signals)  # the first to run at the end: the rest is not to be interrupted
        for side in sides:
            side.start()
            report.configurations[side.name] = side.configuration()
        command = comparison.command
        spell = partial(source_command, program) if command is None else partial(command, place.path)
        trial = Trial(spell, float(options.timeout), place.path, progress)
        loads = list(scenarios(options))
        report.commands = [side.target.command for side in sides[:1] if side.target.command]
        report.commands += [trial.command(side, load) for side in sides for load in loads]
        print(report.preface(), end="\n\n", flush=True)
        try:
            measure_all(trial, sides, loads, options, report)
            report.flush_after = machine.time_flushes(place.path)
        finally:
            if report.samples:
                print(report.results(), flush=True)
                if options.json:
                    report.write_json(options.json)
    return 0


def measure_all(
    trial: Trial, sides: Sequence[Relay], loads: Sequence[Load], options: argparse.Namespace, report: Report
) -> None:
    """Warm every side up, then take all measurements into the report's samples."""
    for side in sides:
        progress(f"warming up {side.name}")
        trial.measure(side, Load(options.warm_up, options.length, max(options.sessions), kept=True), 0)
    total = options.rounds * len(loads) * len(sides)
    for done, (number, load, side) in enumerate(plan(sides, loads, options.rounds), start=1):
        sample = trial.measure(side, load, number)
        report.samples.append(sample)
        figures = f"{sample.accepted:.0f} accepted/s, {sample.delivered:.0f} delivered/s"
        progress(f"{done}/{total} round {number}, {load.label}, {side.name}: {figures}")


def scenarios(options: argparse.Namespace) -> Iterator[Load]:
    """The loads the options ask for, by way of connecting, then by sessions."""
    for way in options.connections:
        for sessions in options.sessions:
            yield Load(options.messages, options.length, sessions, KEPT[way])


def usable(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The sides this user can run, and a remark on those left out; AbsentError if none is left."""
    why = postfix.obstacle() if any(name in POSTFIX_NAMES for name in names) else None
    if why is None:
        return list(names), []
    return without_postfix(names, why), [f"Postfix is not measured: {why}."]


def reachable(names: Sequence[str], place: Workplace) -> list[str]:
    """The sides that can work in the work folder; AbsentError if none is left."""
    if place.public or not any(name in POSTFIX_NAMES for name in names):
        return list(names)
    return without_postfix(names, (place.remark or "the work folder is closed to it").rstrip("."))


def without_postfix(names: Sequence[str], why: str) -> list[str]:
    """The sides that are not Postfix; AbsentError with the reason if none is left."""
    left = [name for name in names if name not in POSTFIX_NAMES]
    if not left:
        raise AbsentError(f"Postfix cannot be measured: {why}.")
    return left


def make_sides(names: Sequence[str], folder: Path, make: Callable[[str, Path, int], Relay]) -> list[Relay]:
    """The sides by name, each in its own folder and with its own port; nothing is started yet."""
    sides: list[Relay] = []
    for name, port in zip(names, free_ports(len(names)), strict=True):
        own = folder / name
        own.mkdir()
        sides.append(make(name, own, port))
    return sides


def versions(names: Sequence[str]) -> dict[str, str]:
    """The versions of the programs measured, as far as they can be told."""
    return {"postfix": postfix.Installation().version} if set(names) & set(POSTFIX_NAMES) else {}


def source_command(program: str, side: Relay, load: Load) -> list[str]:
    """The smtp-source command line that puts `load` on `side`."""
    return source.command(program, load, side.recipient, side.port)


def _ignore_signals() -> None:
    for number in SIGNALS:
        signal.signal(number, lambda *_: None)
