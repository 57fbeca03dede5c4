"""The journal as a program has it: told events one by one, it writes those of one turn of the loop together.

It never fails: what cannot be written, on a full disk for one, is lost and counted, the log says so once,
and mail goes on. Told from the event loop's thread alone; without a loop, as in a command, it writes at once.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from paperpath.journal.events import Event
from paperpath.journal.files import Appender
from paperpath.journal.lines import encode_event
from paperpath.service.log import Log
from paperpath.service.metrics import Family, Sample
from paperpath.service.program import Life


def _now_us() -> int:
    return time.time_ns() // 1000


@asynccontextmanager
async def open_journal(life: Life, program: str) -> AsyncIterator["Journal"]:
    """Have the journal for the length of the block, and its numbers among those of the program."""
    journal = Journal(life.configuration.journal_folder, program, life.log)
    life.measure(journal.families)
    try:
        yield journal
    finally:
        journal.close()


class Journal:
    """Takes the events of one process. Close it when nothing more is to be told."""

    def __init__(self, folder: Path, program: str, log: Log, now_us: Callable[[], int] = _now_us) -> None:
        """Open nothing yet; `program` is the same for all processes of its kind."""
        self._appender = Appender(folder, program)
        self._log = log
        self._now_us = now_us
        self._waiting: list[str] = []
        self._written = 0
        self._lost = 0
        self._lost_since = 0  # it last could be written

    def tell(self, event: Event) -> None:
        """Keep an event, under the time that it is now."""
        self._waiting.append(encode_event(event, self._now_us()))
        if len(self._waiting) > 1:
            return
        try:
            asyncio.get_running_loop().call_soon(self._write)
        except RuntimeError:
            self._write()

    def close(self) -> None:
        """Write what waits, and let go."""
        self._write()
        self._appender.close()

    def families(self) -> list[Family]:
        """Return how many events were written and lost so far."""
        samples = [
            Sample("_total", {"outcome": "written"}, self._written),
            Sample("_total", {"outcome": "lost"}, self._lost),
        ]
        return [Family("paperpath_journal_events", "counter", "Events told to the journal.", samples)]

    def _write(self) -> None:
        lines, self._waiting = self._waiting, []
        if not lines:
            return
        kept, trouble = 0, "there was room for a part only"
        try:
            kept = self._appender.append("".join(lines).encode("ascii"), self._now_us())
        except OSError as error:
            trouble = str(error)
        self._written += kept
        if kept < len(lines):
            self._lose(len(lines) - kept, trouble)
        elif self._lost_since:
            self._log.warning("the journal can be written again", events_lost=self._lost_since)
            self._lost_since = 0

    def _lose(self, count: int, trouble: str) -> None:
        if not self._lost_since:
            self._log.error("cannot write the journal, and goes on without", reason=trouble)
        self._lost += count
        self._lost_since += count
