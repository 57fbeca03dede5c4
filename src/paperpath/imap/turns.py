"""Threads that carry commands out in turns: each works for a while, then others have theirs.

So a session that searches everything keeps nobody waiting, and what it gives is sent before more is made.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from paperpath.imap.completion import Completion
from paperpath.imap.desk.desk import Deed

MOST_OCTETS = 64 * 1024  # of one turn, and the last piece beyond
_TURN_S = 0.05

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of one turn; `completion`: the command has ended."""

    octets: bytes
    completion: Completion | None = None


class Turns:
    """The threads of the process."""

    def __init__(self, threads: int) -> None:
        """Have so many at most."""
        self._threads = ThreadPoolExecutor(threads, "imap")

    async def run(self, work: Callable[[], _Result]) -> _Result:
        """Do something that blocks."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def take(self, deed: Deed) -> Turn:
        """Let a command have its next turn."""
        return await self.run(lambda: _take(deed))

    def close(self) -> None:
        """Wait until all turns are over."""
        self._threads.shutdown()


def _take(deed: Deed) -> Turn:
    pieces: list[bytes] = []
    octets = 0
    end_s = time.monotonic() + _TURN_S
    while octets < MOST_OCTETS and time.monotonic() < end_s:
        try:
            piece = next(deed)
        except StopIteration as end:
            return Turn(b"".join(pieces), end.value)
        pieces.append(piece)
        octets += len(piece)
    return Turn(b"".join(pieces))
