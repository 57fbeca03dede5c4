"""How much memory smtprd needs: `.venv/bin/python -m bench.memory [options]`.

Three measurements, each on a Paperpath of its own that is started by its commands: while one huge message
comes in, with many idle connections in the clear, with as many over STARTTLS. Resident memory is that of all
smtprd processes, and what they share counts for each of them. Results go to the standard output, progress and
errors to the standard error; whatever happens, nothing keeps running and nothing is left on the disk.
"""

import argparse
import contextlib
import dataclasses
import resource
import shutil
import socket
import ssl
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.command import add_folder, choice, make_parser, positive, progress, run_command
from bench.failure import BenchError
from bench.ours import Paperpath
from bench.process import held_signals, tree
from bench.relay import RECIPIENT, free_ports, wait_for_rest
from bench.source import HELO_NAME, SENDER
from bench.workplace import workplace

MESSAGE, CLEAR, STARTTLS = "message", "clear", "starttls"
WHOLE_BAR = "bar: below 100 MiB"
CONNECTION_BAR = "bar: 64 KiB"
PIECE = (b"x" * 78 + b"\r\n") * 800  # of the message; 64,000 octets
SAMPLE_EVERY = 64  # pieces
REPLY_WITHIN = 60.0  # seconds
REST_WITHIN = 60.0  # seconds
SPARE_DESCRIPTORS = 100  # for all but the connections
EXAMPLE = """\
example:
  python -m bench.memory
  python -m bench.memory --only clear,starttls --connections 5000
"""


class Site(Paperpath):
    """Paperpath with a limit that lets a huge message pass."""

    def __init__(self, folder: Path, port: int, size: int) -> None:
        super().__init__(folder, port)
        self._size = size

    def init(self) -> None:
        """Make a configuration with that limit."""
        super().init()
        self.amend("\n[relay]\n", f"\n[relay]\nsize = {self._size}\n")

    def memory(self) -> "Memory":
        """What all smtprd processes of this site need just now."""
        pids = [entry.pid for entry in tree(self.child.pid) if self._is_smtprd(entry.pid)]
        if not pids:
            raise self.child.failure("has no smtprd")
        statuses = [status for pid in pids if (status := read_status(pid))]
        resident = [status["VmRSS"] for status in statuses]
        peak = max(status["VmHWM"] for status in statuses)
        return Memory(len(statuses), sum(resident), max(resident), peak)

    def _is_smtprd(self, pid: int) -> bool:
        try:
            command = Path("/proc", str(pid), "cmdline").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return False
        return "smtprd" in command and str(self.config) in command.split("\0")


@dataclasses.dataclass(frozen=True)
class Memory:
    """Resident memory of a number of processes, in KiB: of all, of the greatest, and its peak so far."""

    processes: int
    resident: int
    greatest: int
    peak: int


class Client:
    """One SMTP connection to a site."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), REPLY_WITHIN)
        self._expect(b"220")
        self.greet()

    def greet(self) -> list[bytes]:
        """Say EHLO; the keywords of the reply, in capitals."""
        reply = self.ask(f"EHLO {HELO_NAME}")
        return [line[4:].strip().upper() for line in reply.splitlines()[1:]]

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Go over to TLS, and say EHLO there."""
        self.ask("STARTTLS", b"220")
        self._socket = context.wrap_socket(self._socket)
        self.greet()

    def ask(self, line: str, code: bytes = b"250", within: float = REPLY_WITHIN) -> bytes:
        """Send a command; its reply, BenchError if that has another code."""
        self.send(line.encode() + b"\r\n")
        self._socket.settimeout(within)
        return self._expect(code)

    def send(self, octets: bytes) -> None:
        """Send octets as they are."""
        self._socket.sendall(octets)

    def close(self) -> None:
        """Close without a word."""
        self._socket.close()

    def _expect(self, code: bytes) -> bytes:
        reply = b""
        while not (reply.endswith(b"\n") and reply.splitlines()[-1][3:4] == b" "):
            some = self._socket.recv(4096)
            if not some:
                raise BenchError("The server closed a connection instead of replying.")
            reply += some
        if not reply.startswith(code):
            text = reply.decode("ascii", errors="replace").strip()
            raise BenchError(f"The server replied where {code.decode()} was expected: {text}")
        return reply


def main(arguments: Sequence[str] | None = None) -> int:
    """Take the measurements that were asked for; the exit status."""
    options = parse(arguments)
    return run_command("bench.memory", lambda: run(options))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options; argparse ends the program on wrong ones."""
    parser = make_parser("bench.memory", "Measure the resident memory of smtprd.", EXAMPLE)
    add = parser.add_argument
    all_of_them = (MESSAGE, CLEAR, STARTTLS)
    add_folder(parser)
    add("--size", type=positive, default=1024, help="MiB of the message (default: 1024)")
    add("--connections", type=positive, default=1000, help="idle connections (default: 1000)")
    add("--only", type=choice(all_of_them), default=all_of_them, help=f"(default: {','.join(all_of_them)})")
    add("--timeout", type=positive, default=600, help="seconds for each measurement (default: 600)")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> int:
    """Take one measurement after the other, and print each."""
    allow_descriptors(options.connections + SPARE_DESCRIPTORS)
    octets = options.size * 2**20
    with workplace(options.dir, must_be_public=False) as place:
        if MESSAGE in options.only and shutil.disk_usage(place.path).free < 3 * octets:
            raise BenchError(f"The message needs {3 * options.size} MiB of free disk at {place.path}.")
        for name in options.only:
            progress(f"measuring: {name}")
            with site(place.path / name, 2 * octets) as started:
                deadline = time.monotonic() + options.timeout
                if name == MESSAGE:
                    print(measure_message(started, octets, deadline), flush=True)
                else:
                    over_tls = name == STARTTLS
                    print(measure_idle(started, options.connections, over_tls, deadline), flush=True)
    return 0


@contextlib.contextmanager
def site(folder: Path, size: int, kind: type[Site] = Site) -> Iterator[Site]:
    """A Paperpath that runs for the length of the block, in a folder that is removed after."""
    folder.mkdir()
    made = kind(folder, free_ports(1)[0], size)
    try:
        made.start()
        yield made
    finally:
        with held_signals():
            made.stop()
            shutil.rmtree(folder, ignore_errors=True)


def measure_message(relay: Site, octets: int, deadline: float) -> str:
    """Send one message; a line on the memory meanwhile."""
    with contextlib.closing(Client(relay.port)) as client:
        before = relay.memory()
        client.ask(f"MAIL FROM:<{SENDER}>")
        client.ask(f"RCPT TO:<{RECIPIENT}>")
        client.ask("DATA", b"354")
        began = time.monotonic()
        most = before.greatest
        for number in range(-(-octets // len(PIECE))):
            client.send(PIECE)
            if number % SAMPLE_EVERY == 0:
                most = max(most, relay.memory().greatest)
                remain(deadline)
        client.ask(".", b"250", remain(deadline))
        seconds = time.monotonic() - began
    after = relay.memory()
    most = max(most, after.greatest)
    return (
        f"a message of {octets // 2**20} MiB coming in: {mib(most)} at most in one process ({WHOLE_BAR}); "
        f"{mib(before.greatest)} before, {mib(after.greatest)} after, {mib(after.peak)} the kernel's peak; "
        f"accepted in {seconds:.1f} s; {processes(after)}"
    )


def measure_idle(relay: Site, count: int, over_tls: bool, deadline: float) -> str:
    """Open idle connections; a line on what they need."""
    what = f"{count} idle connections {'over STARTTLS' if over_tls else 'in the clear'}"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(contextlib.closing(Client(relay.port)))
        if over_tls and b"STARTTLS" not in first.greet():
            return f"{what}: skipped, the server does not announce STARTTLS"
        before = settled(relay)
        for _ in range(count):
            client = stack.enter_context(contextlib.closing(Client(relay.port)))
            if over_tls:
                client.start_tls(context)
            remain(deadline)
        after = settled(relay)
    each = (after.resident - before.resident) / count
    each_bar = f" ({CONNECTION_BAR})" if over_tls else ""
    whole_bar = "" if over_tls else f" ({WHOLE_BAR})"
    return (
        f"{what}: {mib(after.greatest)} in the greatest process{whole_bar}, {each:.1f} KiB each{each_bar}; "
        f"{mib(after.resident)} in all, {mib(before.resident)} before; {processes(after)}"
    )


def settled(relay: Site) -> Memory:
    """What the processes need once they rest."""
    if not wait_for_rest(relay, time.monotonic() + REST_WITHIN):
        progress(f"not at rest after {REST_WITHIN:.0f} s; going on all the same")
    return relay.memory()


def read_status(pid: int) -> dict[str, int]:
    """The lines of a process's status that are in KiB; none where it is gone."""
    try:
        text = Path("/proc", str(pid), "status").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return {}
    lines = [line.split() for line in text.splitlines() if line.endswith(" kB")]
    return {fields[0].rstrip(":"): int(fields[1]) for fields in lines}


def allow_descriptors(count: int) -> None:
    """Let this process and those it starts have so many open files; BenchError if that is not to be had."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        raise BenchError(f"A process may have {hard} open files here, and {count} are needed.")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), hard))


def remain(deadline: float) -> float:
    """The seconds until a deadline; BenchError when it has passed."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise BenchError("The measurement takes too long; --timeout gives it more time.")
    return left


def mib(kib: int) -> str:
    """A figure in KiB as MiB."""
    return f"{kib / 1024:.1f} MiB"


def processes(memory: Memory) -> str:
    """How many processes were counted."""
    return f"{memory.processes} process{'' if memory.processes == 1 else 'es'}"


if __name__ == "__main__":
    sys.exit(main())
