"""What lists of one's own cost dnslistd: `.venv/bin/python -m bench.own_lists [options]`.

A list of ranges of both families, of which some overlap, is read as from its file, and asked about addresses
half of which are on it. Printed is the processor's time, of one core: there is no socket in it.
"""

import argparse
import ipaddress
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

from bench.command import make_parser, positive, progress, run_command
from bench.measure import spread, table
from paperpath.config.dnslistd_table import ZoneEntry
from paperpath.config.loader import parse_configuration
from paperpath.dns.lists import IpAddress, name_entry
from paperpath.dns.names import parse_name
from paperpath.dns.records import TXT, A, RecordType
from paperpath.dns.wire import make_query, make_question
from paperpath.dnslist.answering import MOST_UDP_OCTETS, Outcome, Zones, answer
from paperpath.dnslist.list_text import AddressList, parse_list
from paperpath.dnslist.zone import make_zone

BAR_READ_S = 1.0
BAR_ANSWER_US = 50.0
ZONE = "bad.bench.test"
CONFIGURATION = """
hostname = "ns.bench.test"
relay = { listen = ["127.0.0.1:25"] }
post_office = { postmaster = "me@bench.test" }
"""
EXAMPLE = """\
example:
  python -m bench.own_lists --rounds 5 --ranges 100000
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print; the exit status."""
    options = parse(arguments)
    return run_command("bench.own_lists", lambda: run(options))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options; argparse ends the program on wrong ones."""
    parser = make_parser(
        "bench.own_lists",
        "Measure what it takes to read a list of one's own, and to answer about it.",
        EXAMPLE,
    )
    add = parser.add_argument
    add("--rounds", type=positive, default=5, help="rounds (default: 5)")
    add("--ranges", type=positive, default=100_000, help="ranges of the list (default: 100000)")
    add("--questions", type=positive, default=20_000, help="questions in each round (default: 20000)")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> int:
    """Measure some rounds, then print what reading and answering took."""
    random = Random(1)
    text, listed = write_list(options.ranges, random)
    reads, answers = list[float](), list[float]()
    for number in range(1, options.rounds + 1):
        began_s = time.process_time()
        entries = parse_list(text)
        reads.append(time.process_time() - began_s)
        answers.append(ask(entries, listed, options.questions, random))
        progress(f"round {number}: read in {reads[-1]:.2f} s, answered in {answers[-1]:.1f} us")
    print(f"{options.ranges} ranges of both families; {options.questions} questions, A and TXT in turn")
    head = (f"read, s (bar: {BAR_READ_S:g})", f"an answer, us (bar: {BAR_ANSWER_US:g})")
    print(table(head, [(spread(reads).show(2), spread(answers).show(1))]))
    return 0


def write_list(ranges: int, random: Random) -> tuple[str, list[IpAddress]]:
    """Write a list: single addresses, networks, ranges, and IPv6; return the first address of each, too."""
    lines, listed = list[str](), list[IpAddress]()
    while len(lines) < ranges:
        four, six = random.randrange(2**24, 2**32 - 100), 0x20010DB8 << 96 | random.getrandbits(32) << 64
        kind = len(lines) % 4
        first: IpAddress = ipaddress.IPv6Address(six) if kind == 3 else ipaddress.IPv4Address(four)
        if kind == 1:
            first = ipaddress.IPv4Address(four >> 8 << 8)
        if str(first).startswith("127."):
            continue
        last = ipaddress.IPv4Address(four + 99)
        rest = ("", "/24 127.0.0.4 Dynamic", f"-{last} Spam from {{address}}", "/64")[kind]
        lines.append(f"{first}{rest}")
        listed.append(first)
    return "\n".join(lines), listed


def ask(entries: AddressList, listed: Sequence[IpAddress], questions: int, random: Random) -> float:
    """Ask about addresses on the list and others in turn; the microseconds of an answer."""
    configuration = parse_configuration(CONFIGURATION, Path("paperpath.toml"))
    zone = make_zone(configuration, ZoneEntry.model_validate({"name": ZONE, "file": "bad"}), entries)
    zones: Zones = {zone.name: zone}
    kinds: tuple[RecordType[object], ...] = (A, TXT)
    queries = []
    for number in range(questions):
        is_listed = number % 2 == 0
        address = random.choice(listed) if is_listed else ipaddress.IPv6Address(random.getrandbits(120))
        name = parse_name(name_entry(address, ZONE))
        assert name is not None
        queries.append((make_query(make_question(name, kinds[number // 2 % 2]), number % 65536), is_listed))
    began_s = time.process_time()
    said = [answer(query, zones, MOST_UDP_OCTETS) for query, _ in queries]
    took_s = time.process_time() - began_s
    for each, (_, is_listed) in zip(said, queries, strict=True):
        assert each is not None
        assert (each.outcome is Outcome.LISTED) is is_listed
    return took_s / questions * 1e6


if __name__ == "__main__":
    sys.exit(main())
