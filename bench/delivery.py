"""How fast smtpld writes into a mail folder, beside a bare loop: `.venv/bin/python -m bench.delivery`.

In each round a queue is filled while smtpld is away, and then smtpld drains it alone. The bare loop does, in
as many threads as smtpld has, what no delivery can do without: write a file of the same size, fsync it,
rename it, fsync its directory. Both take turns on one file system, each in a fresh folder; ratios are told
with their spread. Results go to the standard output, progress and errors to the standard error.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from bench import machine, source
from bench.bare import THREADS, measure_bare
from bench.command import add_folder, make_parser, positive, progress, run_command
from bench.installation import START_WITHIN, Site
from bench.maildir import Maildir
from bench.measure import spread
from bench.relay import RECIPIENT, free_ports, wait_for_greeting, wait_for_quiet
from bench.source import Load
from bench.target import rate_of
from bench.workplace import workplace

BAR = 0.6
SESSIONS = 50
EXAMPLE = """\
example:
  python -m bench.delivery --rounds 5 --messages 10000
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print; the exit status."""
    options = parse(arguments)
    return run_command("bench.delivery", lambda: run(options))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options; argparse ends the program on wrong ones."""
    parser = make_parser(
        "bench.delivery",
        "Measure local delivery beside a bare write + fsync + rename + fsync(directory) loop.",
        EXAMPLE,
    )
    add = parser.add_argument
    add_folder(parser)
    add("--rounds", type=positive, default=3, help="rounds (default: 3)")
    add("--messages", type=positive, default=5000, help="messages per measurement (default: 5000)")
    add("--length", type=positive, default=4096, help="octets of each message's body (default: 4096)")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> int:
    """Measure in turns, then print rates and ratio."""
    program = source.find_source()
    load = Load(options.messages, options.length, SESSIONS, kept=True)
    ours: list[float] = []
    bare: list[float] = []
    with workplace(options.dir, must_be_public=False) as place:
        flush = machine.look(place.path).flush
        for number in range(options.rounds):
            site = Site(place.path / f"ours-{number}", free_ports(1)[0])
            ours.append(measure_smtpld(site, program, load))
            size = size_of_one(site.maildir)
            bare.append(measure_bare(place.path / f"bare-{number}", load.messages, size))
            progress(f"round {number + 1}: smtpld {ours[-1]:.0f}/s, bare loop {bare[-1]:.0f}/s")
    ratios = [one / other for one, other in zip(ours, bare, strict=True)]
    print(f"{load.messages} messages of {load.length} octets, one mailbox, {THREADS} threads on both sides")
    print(f"smtpld alone, queue filled before: {spread(ours).show(0)} deliveries/s")
    print(f"bare write + fsync + rename + fsync(directory): {spread(bare).show(0)} files/s")
    print(f"ratio: {spread(ratios).show(2)} (bar: at least {BAR})")
    print(f"append 4 KiB + fdatasync: median {flush.median_ms:.2f} ms; durability: flush on both sides")
    return 0


def measure_smtpld(site: Site, program: str, load: Load) -> float:
    """Fill a queue, have smtpld drain it; deliveries a second from the first to the last."""
    site.init()
    with site.running("smtppd") as post_office:
        with site.running("smtprd") as relay:
            wait_for_greeting(relay, site.port)
            line = source.command(program, load, RECIPIENT, site.port)
            source.run(line, START_WITHIN + load.messages / 100, site.log)
        wait_for_quiet(post_office)
    with site.running("smtpld") as delivery:
        return rate_of(site.maildir, load.messages, delivery)


def size_of_one(maildir: Maildir) -> int:
    """The size of a delivered message, in octets."""
    with os.scandir(maildir.new) as entries:
        return next(entry.stat().st_size for entry in entries)


if __name__ == "__main__":
    sys.exit(main())
