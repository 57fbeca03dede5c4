"""What the ends of `paperpath bench` cost, beside Postfix's: `.venv/bin/python -m bench.ends [options]`.

A source shares the processors with what it measures, so what it takes itself is part of every figure. Each
source sends to each sink, which does nothing with what it takes. smtp-source cannot pipeline, so ours is
measured both ways. Results go to the standard output, progress and errors to the standard error.
"""

import argparse
import contextlib
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from bench.command import positive, progress, run_command
from bench.failure import BenchError
from bench.measure import table
from bench.process import Child
from bench.relay import free_ports, wait_for_greeting
from bench.sink import Sink
from bench.source import SENDER, Load, command, find_source
from bench.workplace import workplace
from paperpath.load import plan
from paperpath.load.connection import Server
from paperpath.load.measurement import make_run_name
from paperpath.load.processes import cpu_us
from paperpath.load.source import Source

SESSIONS = 20
RECIPIENT = "me@sink.test"
OURS = Path(sys.executable).with_name("paperpath")
EXAMPLE = """\
example:
  python -m bench.ends --messages 20000
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print; the exit status."""
    options = parse(arguments)
    return run_command("bench.ends", lambda: run(options))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options; argparse ends the program on wrong ones."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.ends",
        description="Measure the source and the sink of paperpath bench beside smtp-source and smtp-sink.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--dir", type=Path, help="make the run's work folder in this one (default: var/bench)")
    add("--messages", type=positive, default=10_000, help="messages per measurement (default: 10000)")
    add("--length", type=positive, default=4096, help="octets of each message (default: 4096)")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> int:
    """Measure each pair, then print the table."""
    program = find_source()
    rows: list[list[str]] = []
    with workplace(options.dir, must_be_public=False) as place:
        for name, child, port in list_sinks(place.path):
            with running(child, port):
                for kept in (True, False):
                    load = Load(options.messages, options.length, SESSIONS, kept)
                    rows += measure(name, child, port, program, load)
                    progress(f"{name}, {load.label}: done")
    print(f"{options.messages} messages of {options.length} octets; durability: none, for nothing is kept")
    print(table(["sink", "source", "sessions", "messages/s", "µs a message, source", "sink"], rows))
    return 0


def list_sinks(folder: Path) -> Iterator[tuple[str, Child, int]]:
    """Both sinks: name, program and port."""
    theirs, ours = free_ports(2)
    yield "smtp-sink", Sink(folder, theirs).child, theirs
    line = [str(OURS), "bench", "sink", "--listen", f"127.0.0.1:{ours}"]
    yield "ours", Child("paperpath bench sink", line, folder / "sink.log"), ours


@contextlib.contextmanager
def running(child: Child, port: int) -> Iterator[None]:
    """Run a sink for the length of the block."""
    try:
        child.start()
        wait_for_greeting(child, port)
        yield
    finally:
        child.stop()


def measure(name: str, child: Child, port: int, program: str, load: Load) -> Iterator[list[str]]:
    """Send by each source in turn; a row of the table for each."""
    yield _measure(name, child, "smtp-source", load, partial(send_by_postfix, program, load, port))
    for source, pipelining in (("ours", False), ("ours, pipelining", True)):
        yield _measure(name, child, source, load, partial(send_by_ours, load, port, pipelining))


def _measure(name: str, child: Child, source: str, load: Load, send: Callable[[], float]) -> list[str]:
    before_us, began = cpu_us(child.pid) or 0, time.monotonic()
    source_s = send()
    seconds, used_us = time.monotonic() - began, (cpu_us(child.pid) or 0) - before_us
    spent = (source_s * 1e6 / load.messages, used_us / load.messages)
    return [name, source, load.label, f"{load.messages / seconds:.0f}", *(f"{each:.1f}" for each in spent)]


def send_by_postfix(program: str, load: Load, port: int) -> float:
    """Send; the CPU seconds that smtp-source took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command(program, load, RECIPIENT, port), check=True, stdin=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def send_by_ours(load: Load, port: int, pipelining: bool) -> float:
    """Send; the CPU seconds that our source took, which is this process."""
    planned = plan.Load(
        SENDER,
        (RECIPIENT,),
        (plan.Share(load.length, 1),),
        connections=load.sessions,
        per_connection=0 if load.kept else 1,
        messages=load.messages,
        pipelining=pipelining,
    )
    source = Source(planned, Server(socket.AF_INET, ("127.0.0.1", port)), make_run_name())
    before = time.process_time()
    source.run(lambda: None)
    if source.tally.accepted != load.messages:
        raise BenchError(f"not all was accepted: {source.tally.reasons}")
    return time.process_time() - before


if __name__ == "__main__":
    sys.exit(main())
