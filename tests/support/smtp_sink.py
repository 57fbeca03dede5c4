"""Postfix's smtp-sink for tests: takes mail, or fails as told, and writes down what it took."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.process import Child
from bench.relay import wait_for_greeting

from tests.support.peers import find_peer

RUNS_AS = "nobody"
_BACKLOG = "100"


@dataclass(frozen=True)
class Dumped:
    """A message as the sink wrote it down: the arguments of MAIL and RCPT, and the content with CRLF."""

    mail: str
    rcpt: tuple[str, ...]
    content: bytes


class SmtpSink:
    """smtp-sink on a port of loopback; each has its own folder, under `folder`, for what it writes down."""

    def __init__(self, folder: Path, port: int, *options: str) -> None:
        self._dump = folder / f"dump-{port}-{len(list(folder.iterdir()))}"
        self._dump.mkdir()
        user = []
        if os.geteuid() == 0:  # it will not run as root
            shutil.chown(self._dump, RUNS_AS)
            user = ["-u", RUNS_AS]
        command = [find_peer("smtp-sink"), *user, "-d", f"{self._dump}/m.", *options]
        self._port = port
        self._child = Child("smtp-sink", [*command, f"127.0.0.1:{port}", _BACKLOG], folder / f"log-{port}")

    @contextmanager
    def run(self) -> Iterator[None]:
        """Run it for the length of the block."""
        self._child.start()
        try:
            yield
        finally:
            self._child.stop()

    def wait_for_greeting(self) -> None:
        """Return when it takes mail."""
        wait_for_greeting(self._child, self._port)

    def count(self) -> int:
        """Tell how many transactions it wrote down."""
        return len(list(self._dump.iterdir()))

    def taken(self) -> list[Dumped]:
        """Return what it took; while nothing is on its way."""
        return [_read(file.read_bytes()) for file in sorted(self._dump.iterdir())]


def _read(octets: bytes) -> Dumped:
    """Read a dump: fields of the sink's, its Received in three lines, the message, and an empty line."""
    place, mail, rcpt = 0, "", []
    while not octets.startswith(b"Received: ", place):
        line, _, _ = octets[place:].partition(b"\n")
        name, _, value = line.decode().partition(": ")
        if name == "X-Mail-Args":
            mail = value
        elif name == "X-Rcpt-Args":
            rcpt.append(value)
        place += len(line) + 1
    for _ in range(3):
        place = octets.index(b"\n", place) + 1
    return Dumped(mail, tuple(rcpt), octets[place:].removesuffix(b"\n").replace(b"\n", b"\r\n"))
