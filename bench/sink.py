"""Postfix's message sink, smtp-sink: where both sides relay to. It takes everything and throws it away.

It counts what it takes, and writes its counters to its output at each message; so the output's last line says
how many came, and the file's modification time when. It never closes a connection by itself.
"""

import os
import re
from pathlib import Path

from bench.failure import AbsentError
from bench.process import Child
from bench.relay import wait_for_greeting
from bench.source import Load, find_tool

RUNS_AS = "nobody"
MOST_CONNECTIONS = 1000
LINE_OCTETS = 100  # more than a line of counters has
COUNTERS = re.compile(rb"mesg=(\d+)\r")


class Sink:
    """smtp-sink on `address`:`port`, with its output in `folder`."""

    def __init__(self, folder: Path, port: int, address: str = "127.0.0.1") -> None:
        program = find_tool("smtp-sink")
        if program is None:
            raise AbsentError("smtp-sink is not installed; it comes with Postfix (Debian: package postfix).")
        user = ["-u", RUNS_AS] if os.geteuid() == 0 else []  # it will not run as root
        limits = ["-m", str(MOST_CONNECTIONS)]
        line = [program, "-c", *user, *limits, f"{address}:{port}", str(MOST_CONNECTIONS)]
        self.port = port
        self.child = Child("smtp-sink", line, folder / "smtp-sink.log")
        self.children = [self.child]
        self._before = 0

    def start(self) -> None:
        """Start it, and return when it greets; what one before it wrote says nothing of this one."""
        self.child.log.unlink(missing_ok=True)
        self._before = 0
        self.child.start()
        wait_for_greeting(self.child, self.port)

    def stop(self) -> None:
        """Stop it."""
        self.child.stop()

    def wanted(self, load: Load) -> int:
        """A transaction for each message: so many recipients as are sent here go in one."""
        return load.messages

    def count(self) -> int:
        """The number of messages taken since `empty`."""
        return self._taken() - self._before

    def changed(self) -> float:
        """When the counters last changed, in seconds of Unix time: with a message, or a connection's end."""
        return self.child.log.stat().st_mtime_ns / 1e9

    def empty(self) -> None:
        """Count from here."""
        self._before = self._taken()

    def _taken(self) -> int:
        with self.child.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - LINE_OCTETS))
            found = COUNTERS.findall(log.read())
        return int(found[-1]) if found else 0
