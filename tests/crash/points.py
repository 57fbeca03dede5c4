"""Crash points: their names, and what happens at the one that was chosen.

A point is the n-th time that a call is made in a transition: `settle delivered / xSync queue.db-wal / 2`.
The calls are interposed by calls.py, the transitions known by transitions.py; both inside a program that
programs.py started. The product knows nothing of this.
"""

import errno
import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from tests.crash.power import PowerCut

Result = TypeVar("Result")
END = "end"
"""The transition behind all others. Only the power can go there: the program is not killed any more."""


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """A call that touches mail, the `hit`-th of its kind in a transition."""

    transition: str
    call: str
    hit: int

    def __str__(self) -> str:
        return f"{self.transition} / {self.call} / {self.hit}"


def parse_point(text: str) -> Point:
    """Read what `str` wrote."""
    transition, call, hit = text.split(" / ")
    return Point(transition, call, int(hit))


class How(Enum):
    """What happens at a point: the program dies, with or without the power, or the call fails."""

    BEFORE = "before"
    AFTER = "after"
    POWER = "power"
    REORDERED = "reordered"
    """Likewise with the power, and of what was not flushed some is there."""
    EIO = "EIO"
    ENOSPC = "ENOSPC"
    EINTR = "EINTR"
    """By the kernel alone (syscalls.py): what is raised in Python says nothing of who repeats a call."""

    @property
    def kills(self) -> bool:
        """Whether the program is no more after it."""
        return self in (How.BEFORE, How.AFTER, How.POWER, How.REORDERED)

    @property
    def cuts_power(self) -> bool:
        """Whether what was not flushed is lost."""
        return self in (How.POWER, How.REORDERED)


Notes = dict[str, list[tuple[str, str, int]]]


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a program is to meet what; with no target it only counts."""

    target: Point | None = None
    how: How = How.BEFORE
    met_before: tuple[tuple[str, str, int], ...] = ()
    """How often each call was made in each transition before this program began."""
    failing: Point | None = None
    """A call that fails, once, as part of the story: what follows such a failure has points too."""


class Faults:
    """Counts the points that a program passes, and does at the target what the plan says."""

    def __init__(
        self, plan: Plan, say_fired: Callable[[], None], name_transition: Callable[[str], str]
    ) -> None:
        """`say_fired` is called before anything happens at the target."""
        self._plan = plan
        self._say_fired = say_fired
        self._name_transition = name_transition
        self._counts = Counter({(transition, call): hits for transition, call, hits in plan.met_before})
        self._lock = threading.Lock()
        self.passed: list[Point] = []
        self.die: Callable[[], None] = _die
        self.power = PowerCut() if plan.how.cuts_power else None

    @property
    def activity(self) -> int:
        """A number that changes with every call that touches mail."""
        return len(self.passed)

    @property
    def counts(self) -> tuple[tuple[str, str, int], ...]:
        """How often each call was made in each transition."""
        return tuple((transition, call, hits) for (transition, call), hits in self._counts.items())

    def tell(self) -> Notes:
        """Return what was passed, and how often, as JSON has it."""
        points = [(point.transition, point.call, point.hit) for point in self.passed]
        return {"points": points, "counts": list(self.counts)}

    def go_on(self, notes: Notes) -> None:
        """Go on where another process stopped that told this."""
        self.passed = [Point(*point) for point in notes["points"]]
        self._counts = Counter({(transition, call): hits for transition, call, hits in notes["counts"]})

    def meet(
        self, call: str, file: str, do: Callable[[], Result], fail: Callable[[int], Exception]
    ) -> Result:
        """Make a call on a kind of file, unless the plan says otherwise; `fail` makes errors of numbers."""
        point = self._pass(self._name_transition(file), f"{call} {file}".strip())
        if point == self._plan.failing:
            raise fail(errno.EIO)
        if point != self._plan.target:
            return do()
        self._say_fired()
        match self._plan.how:
            case How.AFTER:
                with suppress(Exception):  # it may fail by itself
                    do()
            case How.POWER | How.REORDERED:
                assert self.power is not None
                with self.power.at_once():  # or another thread would go on in between
                    self._cut(point)
                    self.die()
            case How.EIO | How.ENOSPC:
                raise fail(getattr(errno, self._plan.how.value))
            case How.BEFORE:
                pass
        self.die()
        raise AssertionError("nobody survives SIGKILL")

    def end(self) -> None:
        """Pass the last point: the program has done all, its caller is going to know, and the power goes."""
        point = self._pass(END, "exit")
        if point == self._plan.target and self.power is not None:
            self._say_fired()
            self._cut(point)

    def _pass(self, transition: str, call: str) -> Point:
        with self._lock:
            self._counts[transition, call] += 1
            point = Point(transition, call, self._counts[transition, call])
            self.passed.append(point)
            return point

    def _cut(self, point: Point) -> None:
        assert self.power is not None
        if self._plan.how is How.REORDERED:
            self.power.cut_some(random.Random(str(point)))
        else:
            self.power.cut()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
