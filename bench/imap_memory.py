"""What sessions of imapd at rest need: `.venv/bin/python -m bench.imap_memory [options]`.

Many sessions in IDLE on mailboxes of some accounts, in the clear and over TLS, each on an imapd of its own:
resident memory and descriptors once all rest, the processor's time that rest takes, and how soon all sessions
of a mailbox are told of a delivery. That somebody logs in in the clear is only here: imapd lets nobody.
Results go to the standard output; nothing keeps running and nothing is left on the disk.
"""

import argparse
import contextlib
import select
import socket
import ssl
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.command import add_folder, choice, make_parser, positive, progress, run_command
from bench.failure import BenchError
from bench.installation import Site
from bench.memory import SPARE_DESCRIPTORS, allow_descriptors, mib, read_status
from bench.process import Child, run_to_end
from bench.relay import DOMAIN, free_ports
from bench.workplace import workplace
from paperpath.service.wakeup import Waker

CLEAR, TLS = "clear", "tls"
BAR = "bar: below 150 MiB"
PASSWORD = "correct-horse"  # nobody but this run has anything behind it
WITHIN = 60.0  # seconds, for any answer
REST = 3.0  # seconds that sessions are left alone, and watched
MESSAGE = b"Subject: one of many\n\n" + b"x" * 70 + b"\n"
DELIVERIES = 5
IN_CLEAR = """\
import functools
from paperpath.imap import imapd
imapd.Settings = functools.partial(imapd.Settings, auth_in_clear=True)
imapd.main()
"""
EXAMPLE = """\
example:
  python -m bench.imap_memory
  python -m bench.imap_memory --only clear --accounts 1000 --messages 10
"""


class Client:
    """A session of one account, in IDLE."""

    def __init__(self, port: int, user: str, context: ssl.SSLContext | None) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), WITHIN)
        if context is not None:
            self.socket = context.wrap_socket(self.socket)
        self._await(b"* OK")
        self._say(f"a LOGIN {user} {PASSWORD}", b"\r\na OK")
        self._say("b SELECT INBOX", b"\r\nb OK")
        self._say("c IDLE", b"+ ")

    def await_news(self) -> None:
        """Wait until something is told."""
        self._await(b" RECENT\r\n")  # which stands behind EXISTS

    def close(self) -> None:
        """Close without a word."""
        self.socket.close()

    def _say(self, line: str, end: bytes) -> None:
        self.socket.sendall(line.encode() + b"\r\n")
        self._await(end)

    def _await(self, end: bytes) -> None:
        said = b"\r\n"
        while end not in said:
            some = self.socket.recv(65536)
            if not some:
                raise BenchError(f"imapd closed a connection, having said {said!r}")
            said += some


def main(arguments: Sequence[str] | None = None) -> int:
    """Take the measurements that were asked for; the exit status."""
    options = parse(arguments)
    return run_command("bench.imap_memory", lambda: run(options))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options; argparse ends the program on wrong ones."""
    parser = make_parser("bench.imap_memory", "Measure what sessions of imapd at rest need.", EXAMPLE)
    add = parser.add_argument
    add_folder(parser)
    add("--sessions", type=positive, default=1000, help="in IDLE (default: 1000)")
    add("--accounts", type=positive, default=10, help="that they are of (default: 10)")
    add("--messages", type=positive, default=1000, help="in each mailbox (default: 1000)")
    add("--only", type=choice((CLEAR, TLS)), default=(CLEAR, TLS), help=f"(default: {CLEAR},{TLS})")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> int:
    """Take one measurement after the other, and print each."""
    allow_descriptors(options.sessions + SPARE_DESCRIPTORS)
    with workplace(options.dir, must_be_public=False) as place:
        for name in options.only:
            progress(f"measuring: {name}")
            print(measure(place.path / name, options, over_tls=name == TLS), flush=True)
    return 0


def measure(folder: Path, options: argparse.Namespace, *, over_tls: bool) -> str:
    """Have sessions rest on an imapd of its own; lines on what that takes."""
    users = [f"u{number}@{DOMAIN}" for number in range(options.accounts)]
    with prepared(folder, users, options) as (child, port, mailboxes), contextlib.ExitStack() as stack:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        before = read_status(child.pid)["VmRSS"]
        clients: list[Client] = []
        for number in range(options.sessions):
            client = Client(port, users[number % len(users)], context if over_tls else None)
            clients.append(stack.enter_context(contextlib.closing(client)))
        time.sleep(REST)  # until what was begun is done
        used = child.cpu_seconds()
        time.sleep(REST)
        used = child.cpu_seconds() - used
        status, descriptors = read_status(child.pid), len(list(Path(f"/proc/{child.pid}/fd").iterdir()))
        waker = stack.enter_context(contextlib.closing(Waker(folder / "site" / "data" / "run" / "wake")))
        spent = child.cpu_seconds()
        told = [deliver(waker, mailboxes[0], clients[:: len(users)]) for _ in range(DELIVERIES)]
        spent = (child.cpu_seconds() - spent) / DELIVERIES
    resident = status["VmRSS"]
    firsts, lasts = (sorted(1000 * one for one in column) for column in zip(*told, strict=True))
    return (
        f"{options.sessions} sessions in IDLE {'over TLS' if over_tls else 'in the clear'}, of {len(users)} "
        f"accounts with {options.messages} messages each: {mib(resident)}"
        f"{'' if over_tls else f' ({BAR})'}, {mib(before)} before, "
        f"{(resident - before) / options.sessions:.1f} KiB each; {descriptors} descriptors; "
        f"{100 * used / REST:.1f} % of a processor; told of a delivery after "
        f"{firsts[len(firsts) // 2]:.0f} ms, "
        f"all {len(clients[:: len(users)])} of the mailbox after {lasts[len(lasts) // 2]:.0f} ms (median), "
        f"which takes {1000 * spent:.0f} ms of a processor"
    )


@contextlib.contextmanager
def prepared(
    folder: Path, users: Sequence[str], options: argparse.Namespace
) -> Iterator[tuple[Child, int, list[Path]]]:
    """Run imapd in front of filled mailboxes for the length of the block."""
    relay_port, clear, tls = free_ports(3)
    site = Site(folder, relay_port)
    site.init()
    most = options.sessions + 100
    site.append(
        f'[imap]\nlisten = ["127.0.0.1:{clear}"]\nlisten_tls = ["127.0.0.1:{tls}"]\n'
        f"most_connections = {most}\nmost_connections_per_client = {most}"
    )
    for user in users:
        for words, text in (("add", ""), ("password", PASSWORD)):
            run_to_end([site.program, "account", words, "--config", str(site.config), user], text)
    root = site.folder / "data" / "mailboxes" / DOMAIN
    mailboxes = [root / user.partition("@")[0] for user in users]
    for mailbox in mailboxes:
        for number in range(options.messages):
            name = f"{1_600_000_000 + number}.M1P{number}.host,S={len(MESSAGE)}:2,S"
            (mailbox / "cur" / name).write_bytes(MESSAGE)
    (folder / "clear.py").write_text(IN_CLEAR, encoding="utf-8")
    child = Child("imapd", [sys.executable, str(folder / "clear.py"), "--config", str(site.config)], site.log)
    try:
        child.start()
        wait_for_listener(child, tls)
        is_over_tls = folder.name == TLS
        yield child, tls if is_over_tls else clear, mailboxes
    finally:
        child.stop()


def wait_for_listener(child: Child, port: int) -> None:
    """Return when somebody listens; BenchError if nobody comes to."""
    end = time.monotonic() + WITHIN
    while time.monotonic() < end and child.status() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise child.failure("does not listen")


def deliver(waker: Waker, mailbox: Path, clients: Sequence[Client]) -> tuple[float, float]:
    """Put a message into a mailbox, and wake imapd; after how long the first and the last hear of it."""
    name = f"{time.time_ns() // 10**9}.M{time.time_ns()}.host"
    (mailbox / "tmp" / name).write_bytes(MESSAGE)
    (mailbox / "tmp" / name).rename(mailbox / "new" / name)
    began = time.monotonic()
    waker.wake("imapd")
    sockets = {client.socket: client for client in clients}
    first = 0.0
    while sockets:
        ready, _, _ = select.select(list(sockets), [], [], WITHIN)
        if not ready:
            raise BenchError("Somebody was not told of a delivery.")
        first = first or time.monotonic() - began
        for one in ready:
            sockets.pop(one).await_news()
    return first, time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
