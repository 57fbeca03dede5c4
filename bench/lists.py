"""What lists of clients cost the relay: `.venv/bin/python -m bench.lists [options]`.

smtp-source sends to a relay of one process that runs alone, each message over a connection of its own, so
that each client is looked up. In each round it has no lists once and some once, in turns which is first. A
DNS server on this host answers; after the first client all is in the relay's cache. Printed is the CPU's
time for each message, and what the lists add; time to start and end is not in it.
"""

import argparse
import contextlib
import sys
from collections.abc import Sequence

from bench import source
from bench.command import add_folder, make_parser, positive, progress, run_command
from bench.installation import START_WITHIN, Site
from bench.measure import spread, table
from bench.relay import RECIPIENT, free_ports, wait_for_greeting, wait_for_quiet
from bench.source import Load
from bench.workplace import workplace
from paperpath.testing.nameserver import Nameserver

BAR = 0.03
LEAST_RATE = 50.0  # messages a second; below it the run fails
POINTS = ("2.0.0.127", "2.0.0.0.0.0.f.7.f.f.f.f" + ".0" * 20)  # what each list has (RFC 5782 §5)
EXAMPLE = """\
example:
  python -m bench.lists --rounds 5 --messages 5000
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print; the exit status."""
    options = parse(arguments)
    return run_command("bench.lists", lambda: run(options))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options; argparse ends the program on wrong ones."""
    parser = make_parser(
        "bench.lists", "Measure what lists of clients add to the relay's CPU time for a message.", EXAMPLE
    )
    add = parser.add_argument
    add_folder(parser)
    add("--rounds", type=positive, default=5, help="rounds (default: 5)")
    add("--messages", type=positive, default=3000, help="messages in each half of a round (default: 3000)")
    add("--length", type=positive, default=4096, help="octets of each message's body (default: 4096)")
    add("--sessions", type=positive, default=20, help="sessions at once (default: 20)")
    add("--lists", type=positive, default=3, help="lists (default: 3)")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> int:
    """Measure some rounds, then print what a message took without lists and with them."""
    program = source.find_source()
    load = Load(options.messages, options.length, options.sessions, kept=False)
    zones = [f"list{number}.bench.test" for number in range(options.lists)]
    script = "\n".join(f"{point}.{zone} A 127.0.0.2" for zone in zones for point in POINTS)
    costs: dict[bool, list[float]] = {False: [], True: []}
    with workplace(options.dir, must_be_public=False) as place, Nameserver(script) as server:
        for number in range(1, options.rounds + 1):
            for has_lists in (number % 2 == 0, number % 2 == 1):
                site = Site(place.path / f"round-{number}-{has_lists}", free_ports(1)[0])
                wanted = zones if has_lists else []
                costs[has_lists].append(measure(site, program, load, wanted, server.endpoint))
            progress(f"round {number}: {costs[True][-1] - costs[False][-1]:+.1f} us for a message")
    print(f"{load.messages} messages of {load.length} octets, {load.label}; {options.lists} lists, cached")
    print(report(costs[False], costs[True]))
    return 0


def measure(site: Site, program: str, load: Load, zones: Sequence[str], dns: str) -> float:
    """Send a load through; the microseconds of the processor that the relay spent on a message."""
    site.init()
    lists = ", ".join(f'"black:{zone}"' for zone in zones)
    site.amend("\n[relay]\n", f"\n[relay]\nprocesses = 1\nlists = [{lists}]\n")
    site.append(f'[dns]\nservers = ["{dns}"]')
    with contextlib.ExitStack() as stack:
        relay = stack.enter_context(site.running("smtprd"))
        wait_for_greeting(relay, site.port)
        wait_for_quiet(relay)
        before = relay.cpu_seconds()
        line = source.command(program, load, RECIPIENT, site.port)
        source.run(line, START_WITHIN + load.messages / LEAST_RATE, site.log)
        wait_for_quiet(relay)
        return (relay.cpu_seconds() - before) / load.messages * 1e6


def report(without: Sequence[float], having: Sequence[float]) -> str:
    """Medians, least and greatest; what the lists add is by pairs."""
    added = [after - before for before, after in zip(without, having, strict=True)]
    shares = [100 * more / before for before, more in zip(without, added, strict=True)]
    head = ("CPU us/message", "with lists", "added", f"share, % (bar: {100 * BAR:.0f})")
    cells = (spread(without).show(0), spread(having).show(0), spread(added).show(1), spread(shares).show(1))
    return table(head, [cells])


if __name__ == "__main__":
    sys.exit(main())
