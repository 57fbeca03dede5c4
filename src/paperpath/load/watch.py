"""Whether what was accepted has arrived: in a Maildir, or in our sink.

Called by the measurement, twice a second while the load is sent, and until all is there. What it costs is
paid by the machine that is measured: a folder is only counted, and no message is opened.
"""

import json
import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from paperpath.load.dialogue import QUESTION
from paperpath.load.histogram import Histogram
from paperpath.load.source import now_us

_PATIENCE_S = 10.0
_MOST_ANSWER_OCTETS = 1024 * 1024


class WatchError(Exception):
    """What was to be watched cannot be seen; `str()` says why."""


@dataclass(frozen=True)
class Seen:
    """What had arrived: copies, when the last one did, and what they took where that is known."""

    copies: int
    last_us: int
    messages: int | None = None
    """Different ones, where they can be told apart."""
    lengths: Histogram | None = None


class Watch(Protocol):
    """A place where mail arrives."""

    name: str

    def look(self) -> Seen:
        """Say what of this run had arrived by now. Raises: WatchError."""
        ...


class MaildirWatch:
    """A Maildir: what is in its folder `new` beyond what was there in the beginning."""

    name = "Maildir"

    def __init__(self, maildir: Path) -> None:
        """Count what is there. Raises: WatchError."""
        self._new = maildir / "new"
        self._before = self._count()

    def look(self) -> Seen:
        """Count again; the folder's own time says when the last one came."""
        copies = self._count() - self._before
        try:
            changed_ns = self._new.stat().st_mtime_ns
        except OSError as error:
            raise WatchError(f"{self._new}: {error.strerror}") from error
        return Seen(copies, now_us() - (time.time_ns() - changed_ns) // 1000)

    def _count(self) -> int:
        try:
            with os.scandir(self._new) as entries:
                return sum(1 for _ in entries)
        except OSError as error:
            raise WatchError(f"{self._new}: {error.strerror}") from error


class SinkWatch:
    """Our sink, asked over a connection for each look."""

    name = "sink"

    def __init__(self, address: tuple[str, int], run: str) -> None:
        """Ask once, to see that it is there. Raises: WatchError."""
        self._address = address
        self._place = f"the sink at {address[0]} port {address[1]}"
        self._question = b"%b %b\r\n" % (QUESTION, run.encode())
        self.look()

    def look(self) -> Seen:
        """Ask what came of this run."""
        try:
            told = json.loads(self._ask()[len("250 ") :])
            if told is None:
                return Seen(0, 0, 0)
            lengths = Histogram.load(told["lengths"])
            return Seen(int(told["recipients"]), int(told["last_us"]), int(told["messages"]), lengths)
        except OSError as error:
            raise WatchError(f"{self._place}: {error}") from error
        except (ValueError, TypeError, KeyError) as error:
            raise WatchError(f"{self._place} is not one of `paperpath bench sink`") from error

    def _ask(self) -> bytes:
        with socket.create_connection(self._address, _PATIENCE_S) as asker, asker.makefile("rb") as replies:
            replies.readline()  # the greeting
            asker.sendall(self._question)
            return replies.readline(_MOST_ANSWER_OCTETS)
