"""What a process for each client costs: `.venv/bin/python -m bench.spawning [options]`.

smtprd and smtpsd serve one client with `--stdio`, behind tcpsrun, and behind ucspi-tcp's tcpserver where it
is installed. A client connects, waits for the greeting and quits, one after another: measured is the time
from the connection to the greeting. Beside it stands what Python alone takes, and smtprd that runs already.
"""

import argparse
import shutil
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import ours
from bench.command import add_folder, make_parser, positive, progress, run_command
from bench.failure import BenchError
from bench.measure import Spread, spread, table
from bench.process import Child
from bench.relay import free_ports
from bench.workplace import workplace

LISTEN_WITHIN_S = 20.0
REPLY_WITHIN_S = 30.0
EXAMPLE = """\
example:
  python -m bench.spawning --clients 50
"""


@dataclass(frozen=True, slots=True)
class Way:
    """A server, and what starts it for each client; nothing, where it runs already."""

    name: str
    spawner: Sequence[str]
    server: Sequence[str]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print; the exit status."""
    options = parse(arguments)
    return run_command("bench.spawning", lambda: run(options))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options; argparse ends the program on wrong ones."""
    parser = make_parser(
        "bench.spawning",
        "Measure the time from connection to greeting, with a process for each client.",
        EXAMPLE,
    )
    add_folder(parser)
    parser.add_argument("--clients", type=positive, default=20, help="of each server (default: 20)")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> int:
    """Measure each way, then print what they took."""
    with workplace(options.dir, must_be_public=False) as place:
        site = ours.Paperpath(place.path, free_ports(1)[0])
        try:
            site.init()
            site.append("[submission]")
            site.child.start()
            wait_for_listener(site.child, site.port)
            rows = [("smtprd, running", greet(site.port, options.clients))]
            for way in list_ways(site):
                port = free_ports(1)[0]
                with serving(way, port, place.path):
                    rows.append((way.name, greet(port, options.clients)))
                progress(f"{way.name}: {rows[-1][1].median:.0f} ms")
        finally:
            site.stop()
    print(table(("server", "connection to greeting, ms"), [(name, took.show(0)) for name, took in rows]))
    return 0


def list_ways(site: ours.Paperpath) -> Iterator[Way]:
    """What is measured; the first is a program that is as quick as one in Python can be."""
    folder = Path(sys.executable).parent
    tcpsrun, tcpserver = [str(folder / "tcpsrun")], shutil.which("tcpserver")
    python = [sys.executable, "-c", "print('220', flush=True); input()"]
    yield Way("python -c, tcpsrun", tcpsrun, python)
    for name in ("smtprd", "smtpsd"):
        server = [str(folder / name), "--stdio", "--config", str(site.config)]
        yield Way(f"{name} --stdio, tcpsrun", tcpsrun, server)
        if tcpserver is not None:
            yield Way(f"{name} --stdio, tcpserver", [tcpserver, "-HR", "-l", "0"], server)


@contextmanager
def serving(way: Way, port: int, folder: Path) -> Iterator[None]:
    """Have clients of a port served for the length of the block."""
    command = [*way.spawner, "127.0.0.1", str(port), *way.server]
    child = Child(way.name, command, folder / "spawning.log")
    try:
        child.start()
        wait_for_listener(child, port)
        yield
    finally:
        child.stop()


def wait_for_listener(child: Child, port: int) -> None:
    """Return when a client is served; that client warms up."""
    deadline = time.monotonic() + LISTEN_WITHIN_S
    while True:
        try:
            take_greeting(port)
        except ConnectionError:
            if child.exited_within(0.05) or time.monotonic() > deadline:
                raise child.failure("did not listen") from None
        else:
            return


def greet(port: int, clients: int) -> Spread:
    """The milliseconds that clients waited for the greeting."""
    return spread(1000 * take_greeting(port) for _ in range(clients))


def take_greeting(port: int) -> float:
    """Wait for the greeting, and quit; the seconds from the connection on."""
    began = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), REPLY_WITHIN_S) as connection:
        greeting = connection.recv(512)
        took = time.perf_counter() - began
        if not greeting.startswith(b"220"):
            raise BenchError(f"the greeting was {greeting!r}")
        connection.sendall(b"QUIT\r\n")
        while connection.recv(512):
            pass
    return took


if __name__ == "__main__":
    sys.exit(main())
