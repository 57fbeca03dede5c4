"""A power cut: nothing survives that was not flushed; or, worse, some does, and some before it does not.

Of each call that changes a file or a name we note how to undo it, and of octets how to lose these and none
that came behind them. A flush makes us forget the notes of what it made durable: of a file its octets, of a
directory the names in it. At the cut whatever is still noted is undone, the last first; or names are lost
from some moment on, as journals of file systems have it, and of octets whatever chance says. The notes are of
one program: no other may write meanwhile.
"""

import random
import threading
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

Undo = Callable[[], object]


@dataclass(frozen=True, slots=True)
class _Note:
    durable_with: Hashable
    undo: Undo
    lose: Undo | None
    """Of octets alone: names depend on each other."""


class PowerCut:
    """What would be lost now."""

    def __init__(self) -> None:
        """Begin with everything durable."""
        self._notes: list[_Note] = []
        self._lock = threading.RLock()  # what is undone passes through the interposed calls

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Have no cut come, by another thread, between a change and its note."""
        with self._lock:
            yield

    def note(self, durable_with: Hashable, undo: Undo, lose: Undo | None = None) -> None:
        """Note a change that is durable once `durable_with` is flushed."""
        with self._lock:
            self._notes.append(_Note(durable_with, undo, lose))

    def flushed(self, what: Hashable) -> None:
        """Forget what a flush made durable."""
        with self._lock:
            self._notes = [note for note in self._notes if note.durable_with != what]

    def cut(self) -> None:
        """Undo whatever is not durable."""
        with self._lock:
            notes, self._notes = self._notes, []
            _do_all(note.undo for note in reversed(notes))

    def cut_some(self, source: random.Random) -> None:
        """Lose some of what is not durable."""
        with self._lock:
            notes, self._notes = self._notes, []
            _do_all(note.lose for note in notes if note.lose is not None and source.random() < 0.5)
            names = [note.undo for note in notes if note.lose is None]
            _do_all(reversed(names[source.randint(0, len(names)) :]))


def _do_all(deeds: Iterable[Undo]) -> None:
    for deed in deeds:
        with suppress(OSError):  # undone together with its directory
            deed()
