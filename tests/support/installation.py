"""A whole Paperpath in a folder of a test: started as its users start it, looked into from outside."""

import atexit
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from paperpath.maildrop.sqlite.database import fetch, open_database
from paperpath.maildrop.sqlite.reading import READ_BOOKS
from paperpath.maildrop.values import Books

NO_DNS = """
[dns]
servers = ["127.0.0.1:1"]
timeout_s = 1
"""
FEW_CLIENTS = """
[remote]
clients = 1
"""
"""Each takes half a second of a processor to start, and most tests have no mail for other hosts."""
ACCOUNTS = ("u@here.example", "joe@here.example", "Joe@here.example", "admin@here.example")
PROGRAMS = ("smtpld", "smtprcd", "smtppd", "smtprd")
PATIENCE_S = 30.0
Process = subprocess.Popen[bytes]
# Line by line, since a message may begin with white space, which reads as a folded line of ours.
_TRACE = rb"Received: from .*\r\n by .*\r\n(?: for <.*>;\r\n)? \w{3}, \d+ \w{3} \d{4} [0-9:]+ [+-]\d{4}\r\n"
_OUR_TRACE = re.compile(_TRACE)
_OUR_FIELDS = re.compile(rb"Return-Path: <.*>\r\n(?:Delivered-To: .*\r\n)+" + _TRACE)


def configuration_text(
    port: int, *, more_top: str = "", more_relay: str = "", processes: int = 1, size: int = 100_000
) -> str:
    """Write the configuration that all tests share: here.example is local, backup.example is not."""
    return f"""
hostname = "mx.here.example"
{more_top}

[relay]
listen = ["127.0.0.1:{port}"]
domains = ["here.example", "backup.example", ".wild.example", "bücher.example"]
size = {size}
most_recipients = 100
processes = {processes}
{"" if "most_connections" in more_relay else "most_connections_per_client = 1000"}
{more_relay}

[post_office]
postmaster = "admin@here.example"

[[post_office.route]]
domain = "here.example"
via = "local"

[[post_office.route]]
domain = "*"
via = "mx"
{NO_DNS}{FEW_CLIENTS}"""


def pathless() -> Path:
    """Return the path of a configuration that lies nowhere."""
    return Path("paperpath.toml")


def find_free_port() -> int:
    """Return a port on loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> None:
    """Look again and again until a condition holds; fail, naming it, when patience ends."""
    deadline_s = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline_s:
            raise AssertionError(f"waited {patience_s} s in vain for: {what}")
        select_pause()


def select_pause() -> None:
    """Let others run for a moment."""
    time.sleep(0.02)  # polling files of other processes: there is no event to wait for


class Installation:
    """One installation; `paperpath up` or single programs run on it."""

    def __init__(
        self,
        folder: Path,
        *,
        more_relay: str = "",
        accounts: tuple[str, ...] = ACCOUNTS,
        processes: int = 1,
        user: str | None = None,
        size: int = 100_000,
    ) -> None:
        self.folder = folder
        self.port = find_free_port()
        self.file = folder / "paperpath.toml"
        self.mailboxes = folder / "data" / "mailboxes"
        self.log = folder / "log"
        if user is None:
            shutil.copytree(_make_model(accounts), folder, dirs_exist_ok=True)
        else:  # whose files are not ours: a copy would be
            make_installation(folder, accounts, "--user", user)
        text = configuration_text(
            self.port,
            more_top="" if user is None else f'user = "{user}"',
            more_relay=more_relay,
            processes=processes,
            size=size,
        )
        self.file.write_text(text)

    def run(self, *arguments: str) -> str:
        """Run a `paperpath` command to its end; return what it printed."""
        return run_command(*arguments)

    @contextmanager
    def up(self, *, launcher: Sequence[str] = (), descriptors: Sequence[int] = ()) -> Iterator[Process]:
        """Run all programs under the supervisor for the length of the block, then end them in order."""
        with self.start("paperpath", "up", launcher=launcher, descriptors=descriptors) as process:
            wait_until(lambda: "Ctrl-C ends" in self.output() or process.poll() is not None, "up to be ready")
            assert process.poll() is None, self.output()
            yield process

    @contextmanager
    def start(
        self, program: str, *arguments: str, launcher: Sequence[str] = (), descriptors: Sequence[int] = ()
    ) -> Iterator[Process]:
        """Run one program for the length of the block, by a launcher if one is given."""
        self.log.write_bytes(b"")
        with self.log.open("ab") as log:
            command = [*launcher, program_path(program), *arguments, "--config", str(self.file)]
            process = subprocess.Popen(
                command, stdout=log, stderr=log, start_new_session=True, pass_fds=descriptors
            )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise

    def output(self) -> str:
        """Return what the programs printed and logged."""
        return self.log.read_text(errors="replace")

    def pid(self, program: str) -> int | None:
        """Return the process id of one of the programs under the supervisor."""
        return next(iter(self.pids(program)), None)

    def pids(self, program: str) -> list[int]:
        """Return the process ids of a program under the supervisor.

        What it is just about to start looks like itself, and is none of these.
        """
        found = {}
        wanted = re.compile(rf"paperpath\.\w+\.{program}")
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    command = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
                    parent = int((entry / "stat").read_bytes().rpartition(b")")[2].split()[1])
                except OSError:
                    continue
                if str(self.file) in command and any(map(wanted.fullmatch, command)):
                    found[int(entry.name)] = parent
        return [pid for pid, parent in found.items() if parent not in found]

    def kill(self, program: str) -> None:
        """Kill one program with SIGKILL, as soon as it lives."""
        wait_until(lambda: self.pid(program) is not None, f"{program} to live")
        pid = self.pid(program)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    def delivered(self, account: str = "u@here.example") -> list[Path]:
        """List the messages in new of a mailbox."""
        local, _, domain = account.partition("@")
        return sorted((self.mailboxes / domain / local / "new").glob("*"))

    def wait_for_deliveries(self, count: int, account: str = "u@here.example") -> list[Path]:
        """Wait until so many messages lie in new of a mailbox; return them."""
        wait_until(lambda: len(self.delivered(account)) >= count, f"{count} deliveries to {account}")
        return self.delivered(account)

    def books(self) -> Books:
        """Read the books from outside."""
        connection = open_database(self.folder / "data" / "maildrop")
        (row,) = fetch(connection, READ_BOOKS)
        connection.close()
        return Books(*row)


def make_installation(folder: Path, accounts: Sequence[str], *options: str) -> None:
    """Make an installation by the commands that users type."""
    run_command("init", *options, str(folder))
    for account in accounts:
        run_command("account", "add", "--config", str(folder / "paperpath.toml"), account)


@cache
def _make_model(accounts: tuple[str, ...]) -> Path:
    """Make an installation to copy, once: the commands take seconds, and most tests need one."""
    parent = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, parent)
    model = Path(parent) / "model"
    make_installation(model, accounts)
    return model


def run_command(*arguments: str) -> str:
    """Run a `paperpath` command to its end; return what it printed."""
    return subprocess.run(
        [program_path("paperpath"), *arguments], check=True, capture_output=True, text=True
    ).stdout


def program_path(name: str) -> str:
    """Return the path of one of the project's commands."""
    return str(Path(sys.executable).with_name(name))


def content_of(delivered: bytes) -> bytes:
    """Take off what delivery and relay put before a message, and give its line ends back (F-9, C-1)."""
    return _strip(_OUR_FIELDS, delivered.replace(b"\n", b"\r\n"))


def content_of_relayed(taken: bytes) -> bytes:
    """Take off what the relay put before a message that another host took (F-9)."""
    return _strip(_OUR_TRACE, taken)


def _strip(ours: re.Pattern[bytes], octets: bytes) -> bytes:
    match = ours.match(octets)
    assert match is not None, octets[:500]
    return octets[match.end() :]
