"""Crash points: their names, and what happens at the one that was chosen.

A point is the n-th time that a call is made in a transition: `settle delivered / xSync queue.db-wal / 2`.
The calls are interposed by calls.py, the transitions known by transitions.py; both inside a program that
programs.py started. The product knows nothing of this.
"""

import errno
import os
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
    EIO = "EIO"
    ENOSPC = "ENOSPC"
    EINTR = "EINTR"
    """By the kernel alone (syscalls.py): what is raised in Python says nothing of who repeats a call."""

    @property
    def kills(self) -> bool:
        """Whether the program is no more after it."""
        return self in (How.BEFORE, How.AFTER, How.POWER)


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
        self.power = PowerCut() if plan.how is How.POWER else None

    @property
    def activity(self) -> int:
        """A number that changes with every call that touches mail."""
        return len(self.passed)

    @property
    def counts(self) -> tuple[tuple[str, str, int], ...]:
        """How often each call was made in each transition."""
        return tuple((transition, call, hits) for (transition, call), hits in self._counts.items())

    def meet(
        self, call: str, file: str, do: Callable[[], Result], fail: Callable[[int], Exception]
    ) -> Result:
        """Make a call on a kind of file, unless the plan says otherwise; `fail` makes errors of numbers."""
        with self._lock:
            key = self._name_transition(file), f"{call} {file}".strip()
            self._counts[key] += 1
            point = Point(*key, self._counts[key])
            self.passed.append(point)
        if point == self._plan.failing:
            raise fail(errno.EIO)
        if point != self._plan.target:
            return do()
        self._say_fired()
        match self._plan.how:
            case How.AFTER:
                with suppress(Exception):  # it may fail by itself
                    do()
            case How.POWER:
                assert self.power is not None
                self.power.cut()
            case How.EIO | How.ENOSPC:
                raise fail(getattr(errno, self._plan.how.value))
            case How.BEFORE:
                pass
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("nobody survives SIGKILL")
