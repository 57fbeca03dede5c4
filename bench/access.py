"""What many access rules cost: `.venv/bin/python -m bench.access [options]`.

A rules file of networks of both families, most of them small, as they would come from a list of networks, is
read as smtprd reads it when it was replaced; then clients are classified, some of whom have a rule and some
have none. Printed is the time of a reload and of a decision. It runs in one process and uses no other
program.
"""

import argparse
import ipaddress
import random
import sys
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from bench.command import add_folder, make_parser, positive, progress, run_command
from bench.measure import Spread, spread, table
from bench.workplace import workplace
from paperpath.config.intake_tables import RelayTable
from paperpath.intake.access_file import open_access
from paperpath.intake.access_rules import AccessRules

RELOAD_BAR_S = 1.0
DECISION_BAR_US = 20.0
CLIENTS = 20_000
LENGTHS = {4: (16, 18, 20, 21, 22, 22, 23, 24, 24, 24, 25, 28, 32), 6: (32, 36, 40, 44, 48, 48, 56, 64, 128)}
SERVICES = ("deny", "null", "normal", "privileged")
EXAMPLE = """\
example:
  python -m bench.access --rules 100000 --rounds 9
"""

Made = TypeVar("Made")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print; the exit status."""
    options = parse(arguments)
    return run_command("bench.access", lambda: run(options))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options; argparse ends the program on wrong ones."""
    parser = make_parser("bench.access", "Measure the reload of a rules file, and decisions by it.", EXAMPLE)
    add = parser.add_argument
    add_folder(parser)
    add("--rounds", type=positive, default=5, help="rounds (default: 5)")
    add("--rules", type=positive, default=100_000, help="rules in the file (default: 100000)")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> int:
    """Measure some rounds, then print the table."""
    networks = draw_networks(options.rules)
    clients = draw_clients(networks)
    reloads: list[float] = []
    decisions: dict[str, list[float]] = {name: [] for name in clients}
    with workplace(options.dir, must_be_public=False) as place:
        file = place.path / "rules"
        lines = (f"{network} {SERVICES[number % 4]}\n" for number, network in enumerate(networks))
        file.write_text("".join(lines))
        file.chmod(0o644)
        access = RelayTable.model_validate({"listen": ["127.0.0.1:25"], "access_file": str(file)})
        for number in range(1, options.rounds + 1):
            rules, reload_s = clock(lambda: open_access(access, "relay").read())
            reloads.append(reload_s)
            for name, addresses in clients.items():
                decisions[name].append(measure(rules, addresses))
            progress(f"round {number}: reload in {reload_s:.2f} s")
    print(report(options.rules, spread(reloads), {name: spread(each) for name, each in decisions.items()}))
    return 0


def draw_networks(count: int) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Different public networks, half of them of each family."""
    drawn = random.Random(1)
    found: dict[ipaddress.IPv4Network | ipaddress.IPv6Network, None] = {}
    while len(found) < count:
        length = drawn.choice(LENGTHS[4])
        found[ipaddress.IPv4Network(((drawn.getrandbits(32) >> (32 - length)) << (32 - length), length))] = (
            None
        )
        length = drawn.choice(LENGTHS[6])
        bits = (0x2 << 124 | drawn.getrandbits(124)) >> (128 - length)
        found[ipaddress.IPv6Network((bits << (128 - length), length))] = None
    return list(found)[:count]


def draw_clients(
    networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network],
) -> dict[str, list[str]]:
    """Addresses with and without a rule, of each family."""
    drawn = random.Random(2)
    named: dict[int, list[str]] = {4: [], 6: []}
    for network in drawn.choices(networks, k=2 * CLIENTS):
        named[network.version].append(str(network[drawn.randrange(min(network.num_addresses, 2**32))]))
    return {
        "IPv4, named": named[4],
        "IPv6, named": named[6],
        "IPv4, any": [str(ipaddress.IPv4Address(drawn.getrandbits(32))) for _ in range(CLIENTS)],
        "IPv6, any": [
            str(ipaddress.IPv6Address(0x3 << 124 | drawn.getrandbits(124))) for _ in range(CLIENTS)
        ],
    }


def measure(rules: AccessRules, addresses: Sequence[str]) -> float:
    """The microseconds of a decision, on the average of many clients."""

    def classify() -> None:
        for address in addresses:
            rules.classify(address)

    _, seconds = clock(classify)
    return seconds / len(addresses) * 1e6


def clock(work: Callable[[], Made]) -> tuple[Made, float]:
    """What a piece of work gives, and the seconds of the processor that it took."""
    began_s = time.process_time()
    made = work()
    return made, time.process_time() - began_s


def report(count: int, reload: Spread, decisions: dict[str, Spread]) -> str:
    """The table, and what is wanted."""
    rows = [["reload", f"{reload.median:.2f} s", f"{reload.least:.2f} to {reload.greatest:.2f}"]]
    rows += [
        [f"decision, {name}", f"{each.median:.1f} us", f"{each.least:.1f} to {each.greatest:.1f}"]
        for name, each in decisions.items()
    ]
    head = f"{count} rules; processor time, median and range of the rounds"
    bars = f"wanted, with 100000 rules: a reload in {RELOAD_BAR_S:g} s, a decision in {DECISION_BAR_US:g} us"
    return f"{head}\n\n{table(['', 'median', 'range'], rows)}\n\n{bars}"


if __name__ == "__main__":
    sys.exit(main())
