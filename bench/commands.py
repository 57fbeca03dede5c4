"""How quickly the commands answer that programs call: `.venv/bin/python -m bench.commands [options]`.

A Paperpath runs meanwhile, so the time of sendmail has the part of smtpsd in it, up to its reply that the
message is on the disk. Each call is a process of its own, started when the one before has ended. Beside it
stands what Python alone takes to start, of which no command can be rid.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import ours
from bench.command import add_folder, make_parser, positive, progress, run_command
from bench.failure import BenchError
from bench.measure import Spread, spread, table
from bench.relay import RECIPIENT, free_ports
from bench.workplace import workplace

BAR_MS, BAR_MIB = 150.0, 40.0
LINE = b"The quick brown fox jumps over the lazy dog, and nobody is surprised.\n"
HEADER = b"To: " + RECIPIENT.encode() + b"\nSubject: Measured\n\n"
# Told by a small program: a process begins with the memory of who starts it.
WEIGH = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
EXAMPLE = """\
example:
  python -m bench.commands --calls 100
"""


@dataclass(frozen=True, slots=True)
class Command:
    """A command as it is called, and what it reads."""

    name: str
    line: Sequence[str]
    octets: bytes


@dataclass(frozen=True, slots=True)
class Figures:
    """Milliseconds from start to exit, and MiB at most."""

    name: str
    took_ms: Spread
    mib: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print; the exit status."""
    options = parse(arguments)
    return run_command("bench.commands", lambda: run(options))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options; argparse ends the program on wrong ones."""
    parser = make_parser(
        "bench.commands",
        "Measure the time from start to exit of commands that programs call, and their memory.",
        EXAMPLE,
    )
    add = parser.add_argument
    add_folder(parser)
    add("--calls", type=positive, default=50, help="calls of each command (default: 50)")
    add("--length", type=positive, default=4096, help="octets of each message's body (default: 4096)")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> int:
    """Measure each command, then print what they took."""
    with workplace(options.dir, must_be_public=False) as place:
        site = ours.Paperpath(place.path, free_ports(1)[0])
        try:
            start(site)
            environment = {**os.environ, "PAPERPATH_CONFIG": str(site.config), "HOME": str(place.path)}
            figures = [measure(each, environment, options.calls) for each in list_commands(options.length)]
        finally:
            site.stop()
    print(report(figures))
    return 0


def start(site: ours.Paperpath) -> None:
    """Start a Paperpath, with a socket for users of this host."""
    site.init()
    site.append("[submission]")
    site.child.start()
    deadline = time.monotonic() + ours.INIT_WITHIN
    while not (site.folder / "data" / "run" / "submission.sock").exists():
        if site.child.exited_within(0.05) or time.monotonic() > deadline:
            raise site.child.failure("was not ready")


def list_commands(length: int) -> list[Command]:
    """What is measured; the first is the start of Python."""
    letter = HEADER + LINE * max(1, length // len(LINE))
    sendmail, mailto = (str(Path(sys.executable).with_name(name)) for name in ("sendmail", "mailto"))
    return [
        Command("python -c pass", [sys.executable, "-c", "pass"], b""),
        Command("sendmail RECIPIENT", [sendmail, RECIPIENT], letter),
        Command("sendmail -t -i -F NAME", [sendmail, "-t", "-i", "-F", "Cron Daemon"], letter),
        Command("mailto -s SUBJECT RECIPIENT", [mailto, "-s", "Measured", RECIPIENT], letter),
    ]


def measure(command: Command, environment: Mapping[str, str], calls: int) -> Figures:
    """Call a command so many times, once before that to warm up, and once more to weigh it."""
    took = [call(command, environment) for _ in range(calls + 1)][1:]
    weighed = subprocess.run(
        [sys.executable, "-c", WEIGH, *command.line],
        input=command.octets,
        capture_output=True,
        check=True,
        env=environment,
    )
    found = Figures(command.name, spread(1000 * each for each in took), int(weighed.stdout) / 1024)
    progress(f"{found.name}: {found.took_ms.median:.0f} ms")
    return found


def call(command: Command, environment: Mapping[str, str]) -> float:
    """Call a command; the seconds that it took."""
    began = time.perf_counter()
    done = subprocess.run(
        command.line, input=command.octets, capture_output=True, check=False, env=environment
    )
    took = time.perf_counter() - began
    if done.returncode:
        raise BenchError(f"{command.name} failed with status {done.returncode}: {done.stderr.decode()}")
    return took


def report(figures: Sequence[Figures]) -> str:
    """A line for each command: medians, least and greatest."""
    head = ("command", f"start to exit, ms (bar: {BAR_MS:.0f})", f"memory, MiB (bar: {BAR_MIB:.0f})")
    return table(head, [(each.name, each.took_ms.show(0), f"{each.mib:.1f}") for each in figures])


if __name__ == "__main__":
    sys.exit(main())
