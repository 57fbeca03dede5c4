"""A power cut, at its worst: nothing survives that was not flushed.

Of each call that changes a file or a name we note how to undo it. A flush makes us forget the notes of what
it made durable: of a file its octets, of a directory the names in it. At the cut whatever is still noted is
undone, the last first. The notes are of one program: no other may write meanwhile.
"""

import threading
from collections.abc import Callable, Hashable
from contextlib import suppress

Undo = Callable[[], object]


class PowerCut:
    """What would be lost now."""

    def __init__(self) -> None:
        """Begin with everything durable."""
        self._notes: list[tuple[Hashable, Undo]] = []
        self._lock = threading.RLock()  # what is undone passes through the interposed calls

    def note(self, durable_with: Hashable, undo: Undo) -> None:
        """Note a change that is durable once `durable_with` is flushed."""
        with self._lock:
            self._notes.append((durable_with, undo))

    def flushed(self, what: Hashable) -> None:
        """Forget what a flush made durable."""
        with self._lock:
            self._notes = [note for note in self._notes if note[0] != what]

    def cut(self) -> None:
        """Undo whatever is not durable."""
        with self._lock:
            notes, self._notes = self._notes, []
            for _, undo in reversed(notes):
                with suppress(OSError):  # undone together with its directory
                    undo()
