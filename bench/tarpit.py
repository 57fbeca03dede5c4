"""What held back replies cost: `.venv/bin/python -m bench.tarpit [options]`.

A Paperpath of its own, started by its commands, in whose tarpit many clients wait for the reply to a
recipient. Measured are the resident memory of all smtprd processes, and how long one client beside them takes
for a transaction, before they come and while they wait. Results go to the standard output, errors to the
standard error; whatever happens, nothing keeps running and nothing is left on the disk.
"""

import argparse
import contextlib
import statistics
import sys
import time
from collections.abc import Sequence

from bench.command import add_folder, make_parser, positive, run_command
from bench.failure import BenchError
from bench.memory import SPARE_DESCRIPTORS, Client, Site, allow_descriptors, mib, processes, settled, site
from bench.relay import RECIPIENT
from bench.source import SENDER
from bench.workplace import workplace

BAR_MIB = 50
SIZE = 2**20  # octets of a message; none is sent
DELAY_S = 110
EXAMPLE = """\
example:
  python -m bench.tarpit
  python -m bench.tarpit --clients 200 --transactions 500
"""


class Tarpit(Site):
    """Paperpath that answers one recipient of a transaction at once, and no other."""

    def init(self) -> None:
        """Make a configuration with a tarpit."""
        super().init()
        delay = f"first_s = {DELAY_S}, most_s = {DELAY_S}"
        self.amend("\n[relay]\n", f"\n[relay]\ntarpit = {{ after = 1, {delay} }}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Take the measurement; the exit status."""
    options = parse(arguments)
    return run_command("bench.tarpit", lambda: run(options))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options; argparse ends the program on wrong ones."""
    parser = make_parser("bench.tarpit", "Measure what clients cost whose replies are held back.", EXAMPLE)
    add = parser.add_argument
    add_folder(parser)
    add("--clients", type=positive, default=1000, help="who waits (default: 1000)")
    add("--transactions", type=positive, default=500, help="of the one beside them (default: 500)")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> int:
    """Take the measurement, and print it."""
    allow_descriptors(options.clients + SPARE_DESCRIPTORS)
    with (
        workplace(options.dir, must_be_public=False) as place,
        site(place.path / "tarpit", SIZE, Tarpit) as started,
    ):
        print(measure(started, options.clients, options.transactions), flush=True)
    return 0


def measure(relay: Site, count: int, transactions: int) -> str:
    """Have clients wait; a line on what they cost."""
    with contextlib.ExitStack() as stack:
        beside = stack.enter_context(contextlib.closing(Client(relay.port)))
        alone_s = time_transactions(beside, transactions)
        before = settled(relay)
        began_s = time.monotonic()
        clients = [stack.enter_context(contextlib.closing(Client(relay.port))) for _ in range(count)]
        for client in clients:
            wait_in(client)
        after = settled(relay)
        meanwhile_s = time_transactions(beside, transactions)
        if time.monotonic() - began_s > DELAY_S:
            raise BenchError(f"The first to wait had their reply after {DELAY_S} s; take fewer clients.")
    grown = after.resident - before.resident
    return (
        f"{count} clients held back: {mib(grown)} more in all (bar: below {BAR_MIB} MiB), "
        f"{grown / count:.1f} KiB each; a transaction beside them takes {meanwhile_s * 1000:.2f} ms, "
        f"{alone_s * 1000:.2f} ms before; {processes(after)}"
    )


def wait_in(client: Client) -> None:
    """Name a recipient more than are answered at once."""
    client.ask(f"MAIL FROM:<{SENDER}>")
    client.ask(f"RCPT TO:<{RECIPIENT}>")
    client.send(f"RCPT TO:<{RECIPIENT}>\r\n".encode())


def time_transactions(client: Client, count: int) -> float:
    """Seconds that a transaction without a message takes, the median of so many."""
    taken = []
    for _ in range(count):
        began_s = time.perf_counter()
        client.ask(f"MAIL FROM:<{SENDER}>")
        client.ask(f"RCPT TO:<{RECIPIENT}>")
        client.ask("RSET")
        taken.append(time.perf_counter() - began_s)
    return statistics.median(taken)


if __name__ == "__main__":
    sys.exit(main())
