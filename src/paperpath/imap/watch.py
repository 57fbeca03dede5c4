"""Who waits for news of a mailbox: the sessions in IDLE, told when something may have happened in theirs.

A wake-up says "look again" and nothing more (promise P8). Then each folder is looked at from outside, once
for all sessions that wait for it, and those of folders that show no sign of change go on resting.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from paperpath.folders.store.signs import Signs, read_signs
from paperpath.imap.desk.sharing import SharedLook


class Waiting(Protocol):
    """A session that idles."""

    def wake(self, shared: SharedLook) -> None:
        """Find out whether there is news, by a look that is shared with others who are woken."""


class Watch:
    """The sessions of the process that idle, by the folders they wait for."""

    def __init__(self, rouse: Callable[[], None], clock_ns: Callable[[], int] = time.time_ns) -> None:
        """Begin with none; `rouse` has the program look."""
        self.wake = rouse
        self._clock_ns = clock_ns
        self._waiting: dict[Path, set[Waiting]] = {}
        self._signs: dict[Path, Signs | None] = {}

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def add(self, session: Waiting, folder: Path) -> None:
        """Have a session told of what happens in a folder from now on."""
        self._waiting.setdefault(folder, set()).add(session)

    def discard(self, session: Waiting, folder: Path) -> None:
        """Have it told no more."""
        waiting = self._waiting[folder]
        waiting.discard(session)
        if not waiting:
            del self._waiting[folder]

    def look(self) -> list[Path]:
        """Return the folders in which something may have happened since the last look; blocks."""
        before, now_ns = self._signs, self._clock_ns()
        self._signs = {folder: read_signs(folder, now_ns) for folder in list(self._waiting)}
        return [
            folder for folder, signs in self._signs.items() if signs is None or signs != before.get(folder)
        ]

    def tell(self, folders: list[Path]) -> None:
        """Tell all who wait for one of them."""
        for folder in folders:
            shared = SharedLook()
            for session in list(self._waiting.get(folder, ())):
                session.wake(shared)
