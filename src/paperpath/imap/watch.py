"""Who waits for news of a mailbox: the sessions in IDLE, told whenever something may have happened.

A wake-up says "look again" and nothing more (promise P8); a look costs two system calls where nothing is new.
"""

from typing import Protocol


class Waiting(Protocol):
    """A session that idles."""

    def wake(self) -> None:
        """Look whether there is news."""


class Watch:
    """The sessions of the process that idle."""

    def __init__(self) -> None:
        """Begin with none."""
        self._waiting: set[Waiting] = set()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, session: Waiting) -> None:
        """Have a session told."""
        self._waiting.add(session)

    def discard(self, session: Waiting) -> None:
        """Have it told no more."""
        self._waiting.discard(session)

    def wake(self) -> None:
        """Tell all."""
        for session in list(self._waiting):
            session.wake()
