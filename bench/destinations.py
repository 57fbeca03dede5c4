"""What dead destinations cost the living ones: `.venv/bin/python -m bench.destinations [options]`.

A queue is filled while smtprcd is away: messages for many destinations in turn, half of them dead, which is
to say that their only mail exchanger refuses every connection, or (`--dead silent`) answers none. Then
smtprcd works it off alone; the living half is to go out nearly as fast as the same messages out of a queue
that has nothing else. All that is alive is one smtp-sink, and the names come from a scripted nameserver. When
the living half is through, the database counts what is written of the dead half over some intervals.
Results go to the standard output, progress and errors to the standard error.
"""

import argparse
import asyncio
import contextlib
import socket
import sqlite3
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import machine
from bench.command import add_folder, make_parser, positive, progress, run_command
from bench.installation import START_WITHIN, Site
from bench.maildrop import Queue, make_names, open_door
from bench.memory import read_status
from bench.process import Child
from bench.relay import free_ports
from bench.sink import Sink
from bench.target import rate_of
from bench.workplace import workplace
from paperpath.maildrop.values import Transport

ALIVE, DEAD = "127.0.0.1", "127.0.0.2"
MOST_SLOWED = 0.2
MOST_MEMORY_MIB = 150.0
MOST_ROWS = 1.0  # written for a dead destination and interval, beside those of the probe that is sent
LEAST_RATE = 50.0  # messages a second; below that a measurement is given up
EXAMPLE = """\
example:
  python -m bench.destinations
  python -m bench.destinations --messages 20000 --destinations 200 --dead silent --connect-timeout 5
"""
COUNT_WRITES = """
    CREATE TABLE bench_writes (what TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
    INSERT INTO bench_writes VALUES ('probes', 0), ('suspensions', 0), ('recipients', 0);
    CREATE TRIGGER bench_probe AFTER UPDATE OF probe ON destination WHEN new.probe IS NOT NULL
        BEGIN UPDATE bench_writes SET count = count + 1 WHERE what = 'probes'; END;
    CREATE TRIGGER bench_suspension AFTER UPDATE OF suspended_until_us ON destination
        BEGIN UPDATE bench_writes SET count = count + 1 WHERE what = 'suspensions'; END;
    CREATE TRIGGER bench_recipient AFTER UPDATE ON recipient
        BEGIN UPDATE bench_writes SET count = count + 1 WHERE what = 'recipients'; END;
"""
FORGET_WRITES = """
    DROP TRIGGER bench_probe; DROP TRIGGER bench_suspension; DROP TRIGGER bench_recipient;
    DROP TABLE bench_writes;
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one queue came to. `cpu_ms` is for each living message, by program."""

    rate: float
    peak_mib: float
    cpu_ms: dict[str, float]


class World:
    """What is around a site: the nameserver's script, the sink, and what does not answer."""

    def __init__(self, folder: Path, names: Sequence[str], options: argparse.Namespace) -> None:
        self.living = names[::2]
        self.dead = names[1::2]
        self.dead_way: str = options.dead
        self.port, self.dns_port = free_ports(2)
        self.sink = Sink(folder, self.port, ALIVE)
        script = folder / "names"
        script.write_text("".join(self._lines()), encoding="ascii")
        line = [
            sys.executable,
            "-m",
            "paperpath.testing.nameserver",
            f"127.0.0.1:{self.dns_port}",
            str(script),
        ]
        self.nameserver = Child("nameserver", line, folder / "nameserver.log")

    def _lines(self) -> Iterator[str]:
        for address, names in ((ALIVE, self.living), (DEAD, self.dead)):
            for name in names:
                yield f"{name} MX 10 mx.{name}.\nmx.{name} A {address}\n"

    @contextlib.contextmanager
    def turning(self) -> Iterator[None]:
        """All of it at work, for the length of the block."""
        with contextlib.ExitStack() as stack:
            for child in (self.nameserver, self.sink):
                stack.callback(child.stop)
                child.start()
            if self.dead_way == "silent":
                stack.enter_context(silence(DEAD, self.port))
            yield

    def configure(self, site: Site, options: argparse.Namespace) -> None:
        """Have a site live in this world."""
        schedule = f"{{ first_s = {options.interval}, factor = 1, most_s = {options.interval} }}"
        site.append(
            f'[dns]\nservers = ["127.0.0.1:{self.dns_port}"]\n\n'
            f'[remote]\nport = {self.port}\nloopback = true\nfamilies = ["ipv4"]\nschedule = {schedule}\n'
            f"timeouts = {{ connect_s = {options.connect_timeout} }}\n\n"
            f'[[post_office.route]]\ndomain = "*"\nvia = "mx"'
        )


@contextlib.contextmanager
def silence(address: str, port: int) -> Iterator[None]:
    """Take no connection at a port, and refuse none: its queue of them is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((address, port))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex((address, port))
        yield


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print; the exit status."""
    options = parse(arguments)
    return run_command("bench.destinations", lambda: run(options))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options; argparse ends the program on wrong ones."""
    parser = make_parser(
        "bench.destinations", "Measure what dead destinations cost the living ones.", EXAMPLE
    )
    add = parser.add_argument
    add_folder(parser)
    add("--rounds", type=positive, default=1, help="rounds (default: 1)")
    add("--messages", type=positive, default=100_000, help="in the queue (default: 100000)")
    add("--length", type=positive, default=4096, help="octets of each (default: 4096)")
    add("--destinations", type=positive, default=1000, help="for so many, half of them dead (default: 1000)")
    add("--dead", choices=("refused", "silent"), default="refused", help="how (default: refused)")
    add("--connect-timeout", type=positive, default=30, help="seconds (default: 30)")
    add("--interval", type=positive, default=10, help="seconds between two probes (default: 10)")
    add("--intervals", type=positive, default=3, help="how many are watched (default: 3)")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> int:
    """Measure in turns, then print the figures with their bars."""
    names = make_names(options.destinations)
    alone: list[Outcome] = []
    beside: list[Outcome] = []
    writes: dict[str, float] = {}
    with workplace(options.dir, must_be_public=False) as place:
        flush = machine.look(place.path).flush
        world = World(place.path, names, options)
        with world.turning():
            for number in range(options.rounds):
                with drained(place.path / f"alone-{number}", world, world.living, options) as (_, _, outcome):
                    alone.append(outcome)
                with drained(place.path / f"beside-{number}", world, names, options) as (
                    site,
                    child,
                    outcome,
                ):
                    beside.append(outcome)
                    writes = count_writes(site, child, len(world.dead), options)
    report(options, alone, beside, writes)
    print(f"append 4 KiB + fdatasync: median {flush.median_ms:.2f} ms; durability: flush")
    return 0


@contextlib.contextmanager
def drained(
    folder: Path, world: World, names: Sequence[str], options: argparse.Namespace
) -> Iterator[tuple[Site, Child, Outcome]]:
    """A site whose queue was filled for these destinations, and its smtprcd, when the living are through."""
    site = Site(folder, free_ports(1)[0])
    site.init()
    world.configure(site, options)
    each = options.messages // options.destinations
    asyncio.run(fill(site, names, each * len(names), options.length))
    living = each * len(world.living)
    world.sink.empty()
    with site.running("smtprcd") as child:
        rate = rate_of(world.sink, living, child, LEAST_RATE)
        outcome = Outcome(rate, peak_mib(child), cpu_ms(child, living))
        progress(f"{folder.name}: {rate:.0f}/s to the living, smtprcd {outcome.peak_mib:.1f} MiB")
        yield site, child, outcome


async def fill(site: Site, names: Sequence[str], messages: int, length: int) -> None:
    """Fill a queue with messages for these destinations in turn."""
    maildrop = await open_door(site.maildrop)
    try:
        await Queue(maildrop, b"x" * length, names, Transport.REMOTE).fill(messages)
    finally:
        await maildrop.close()


def count_writes(site: Site, child: Child, dead: int, options: argparse.Namespace) -> dict[str, float]:
    """Watch what is written for each dead destination and interval."""
    with contextlib.closing(sqlite3.connect(site.maildrop / "queue.db", timeout=START_WITHIN)) as database:
        if child.exited_within(2 * options.interval):  # all are suspended by now, and probed in turn
            raise child.failure("ended by itself")
        database.executescript(COUNT_WRITES)
        if child.exited_within(options.intervals * options.interval):
            raise child.failure("ended by itself")
        counts = dict(database.execute("SELECT what, count FROM bench_writes").fetchall())
        database.executescript(FORGET_WRITES)
    return {what: count / dead / options.intervals for what, count in counts.items()}


def cpu_ms(child: Child, messages: int) -> dict[str, float]:
    """Milliseconds of CPU for each message, by program."""
    return {name: 1000 * seconds / messages for name, seconds in child.cpu_by_program().items()}


def peak_mib(child: Child) -> float:
    """The most memory that smtprcd itself has needed so far."""
    return read_status(child.pid).get("VmHWM", 0) / 1024


def report(
    options: argparse.Namespace, alone: Sequence[Outcome], beside: Sequence[Outcome], writes: dict[str, float]
) -> None:
    """Print the figures, each with its bar."""
    print(
        f"{options.messages} messages of {options.length} octets for {options.destinations} destinations, "
        f"every other one dead ({options.dead}); a connection may take {options.connect_timeout} s"
    )
    for label, outcomes in (("the living half alone", alone), ("beside the dead half", beside)):
        rate = statistics.median(outcome.rate for outcome in outcomes)
        print(f"{label}: {rate:.0f} messages/s; CPU ms/message: {show_cpu(outcomes)}")
    ratios = [one.rate / other.rate for one, other in zip(beside, alone, strict=True)]
    slowed = 1 - statistics.median(ratios)
    memory = max(outcome.peak_mib for outcome in beside)
    print(f"slowed by {100 * slowed:.0f} % (bar: less than 20 %: {verdict(slowed < MOST_SLOWED)})")
    print(f"smtprcd needed {memory:.1f} MiB (bar: below 150 MiB: {verdict(memory < MOST_MEMORY_MIB)})")
    rows = writes["suspensions"]
    print(
        f"for each dead destination and interval of {options.interval} s: {rows:.2f} suspensions written "
        f"(bar: one: {verdict(rows <= MOST_ROWS)}), {writes['probes']:.2f} probes sent, "
        f"{writes['recipients']:.2f} recipients written, which is a probe's claim and its return"
    )


def show_cpu(outcomes: Sequence[Outcome]) -> str:
    """The programs with their medians."""
    return ", ".join(
        f"{name} {statistics.median(outcome.cpu_ms.get(name, 0.0) for outcome in outcomes):.3f}"
        for name in sorted(outcomes[0].cpu_ms)
    )


def verdict(is_reached: bool) -> str:
    """Whether a bar is reached."""
    return "reached" if is_reached else "MISSED"


if __name__ == "__main__":
    sys.exit(main())
