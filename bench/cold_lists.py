"""How long lists of clients keep a stranger waiting: `.venv/bin/python -m bench.cold_lists [options]`.

Clients that no cache has seen, each with an address of its own in 127.0.0.0/8, connect one after another to a
relay that runs alone, and name a recipient as soon as they may. In each round it asks the slowest list alone
once, and all lists once, the slowest last; a DNS server on this host answers for each list after that list's
time. Printed is the time from the connection to the reply to the recipient.
"""

import argparse
import contextlib
import socket
import sys
import threading
import time
from collections.abc import Sequence
from typing import Self

import dns.message

from bench.command import add_folder, make_parser, numbers, positive, progress, run_command
from bench.installation import Site
from bench.lists import POINTS
from bench.measure import Spread, spread, table
from bench.relay import RECIPIENT, free_ports, wait_for_greeting, wait_for_quiet
from bench.workplace import workplace
from paperpath.testing.nameserver import Nameserver

MOST_CLIENTS = 200  # of one kind in one round, for the addresses to differ
MOST_OCTETS = 4096
WITHIN_S = 30.0
EXAMPLE = """\
example:
  python -m bench.cold_lists --took 30,60,100 --clients 50
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print; the exit status."""
    options = parse(arguments)
    return run_command("bench.cold_lists", lambda: run(options))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options; argparse ends the program on wrong ones."""
    parser = make_parser(
        "bench.cold_lists", "Measure how long a client that nobody asked about before waits.", EXAMPLE
    )
    add = parser.add_argument
    add_folder(parser)
    add("--rounds", type=positive, default=3, help="rounds (default: 3)")
    add("--clients", type=positive, default=50, help="clients in each half of a round (default: 50)")
    add(
        "--took",
        type=numbers,
        default=(30, 60, 100),
        help="what the lists take, in milliseconds (default: 30,60,100)",
    )
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> int:
    """Measure some rounds, then print what clients waited with one list and with all."""
    zones = {f"list{number}.bench.test": ms / 1000 for number, ms in enumerate(sorted(options.took))}
    script = "\n".join(f"{point}.{zone} A 127.0.0.2" for zone in zones for point in POINTS)
    slowest = list(zones)[-1:]
    waits: dict[bool, list[float]] = {False: [], True: []}
    firsts: list[float] = []
    with (
        workplace(options.dir, must_be_public=False) as place,
        Nameserver(script) as server,
        SlowServer((server.address, server.port), zones) as slow,
    ):
        for number in range(options.rounds):
            for has_all in (number % 2 == 0, number % 2 == 1):
                site = Site(place.path / f"round-{number}-{has_all}", free_ports(1)[0])
                wanted = list(zones) if has_all else slowest
                found = measure(site, wanted, slow.endpoint, min(options.clients, MOST_CLIENTS))
                waits[has_all] += found[1:]
                firsts += found[:1] if has_all else []
            progress(f"round {number + 1}: {spread(waits[True]).show(1)} ms")
    times = ", ".join(map(str, sorted(options.took)))
    print(f"lists that take {times} ms; one client after another, each a new one")
    print(report(spread(waits[False]), spread(waits[True]), spread(firsts)))
    return 0


def measure(site: Site, zones: Sequence[str], dns_server: str, clients: int) -> list[float]:
    """Return what each client waited, in milliseconds, the first one first."""
    site.init()
    lists = ", ".join(f'"black:{zone}"' for zone in zones)
    site.amend("\n[relay]\n", f"\n[relay]\nprocesses = 1\nlists = [{lists}]\n")
    site.append(f'[dns]\nservers = ["{dns_server}"]')
    with site.running("smtprd") as relay:
        wait_for_greeting(relay, site.port)
        wait_for_quiet(relay)
        return [wait_for_recipient(f"127.9.9.{number}", site.port) for number in range(1, clients + 2)]


def wait_for_recipient(address: str, port: int) -> float:
    """Name a recipient as early as a client may; the milliseconds until the reply."""
    began_s = time.monotonic()
    with (
        socket.create_connection(("127.0.0.1", port), WITHIN_S, source_address=(address, 0)) as client,
        client.makefile("rb") as replies,
    ):
        replies.readline()
        client.sendall(b"EHLO client.bench.test\r\n")
        while replies.readline()[3:4] == b"-":
            pass
        client.sendall(f"MAIL FROM:<>\r\nRCPT TO:<{RECIPIENT}>\r\n".encode())
        replies.readline()
        reply = replies.readline()
        waited_ms = 1000 * (time.monotonic() - began_s)
        assert reply.startswith(b"250"), reply
        return waited_ms


class SlowServer:
    """Stands before a DNS server, and hands on its answers about clients after the time of their list."""

    def __init__(self, server: tuple[str, int], took_s: dict[str, float]) -> None:
        """Open a port."""
        self._server = server
        self._took_s = took_s
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)

    @property
    def endpoint(self) -> str:
        """Where it answers, as the configuration writes it."""
        host, port = self._socket.getsockname()
        return f"{host}:{port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # it has no peer; what waits in it wakes up all the same
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            query, client = self._socket.recvfrom(MOST_OCTETS)
            if not client:
                return
            threading.Thread(target=self._answer, args=(query, client), daemon=True).start()

    def _answer(self, query: bytes, client: tuple[str, int]) -> None:
        name = dns.message.from_wire(query).question[0].name.to_text().rstrip(".")
        point, _, zone = name.partition(".list")
        if point not in POINTS:
            time.sleep(self._took_s.get(f"list{zone}", 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(WITHIN_S)
            asking.sendto(query, self._server)
            with contextlib.suppress(OSError):  # the measurement has ended
                self._socket.sendto(asking.recv(MOST_OCTETS), client)


def report(slowest: Spread, together: Spread, first: Spread) -> str:
    """Medians, least and greatest; the first client after a start by itself."""
    head = ("ms to the first recipient's reply", "slowest list alone", "all lists", "all, first client")
    return table(head, [("", slowest.show(1), together.show(1), first.show(1))])


if __name__ == "__main__":
    sys.exit(main())
