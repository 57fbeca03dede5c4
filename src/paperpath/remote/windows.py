"""How much may be on its way to each destination at once: pure; times are arguments, seconds that only rise.

Asked by smtprcd before each claim, told by it what became of what it claimed, and driven by the simulator in
`bench.scheduling`; docs/scheduling.md says why each rule is there. Every destination has a window, in
transactions: it begins small, grows with success up to what its connections can take, and is halved when the
other side breaks off, after which it grows more slowly. One that only breaks off is closed: its destination
is to be suspended.

What is on its way to all destinations together is limited as well. So that many slow destinations do not keep
out the next one (promise P6, requirement G-15), a window is never wider than the room that is left; and all
who have not taken anything yet share a part of it, so that however many are silent, the others go on.

Transactions beyond the connections wait where they are carried out, ready for the next free connection. That
pays where transactions are quick, and where they are slow it would only keep them from being sorted anew.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from paperpath.maildrop.values import Rooms

FIRST_WINDOW = 5
WAITING_PER_CONNECTION = 8
SLOW_S = 1.0
MOST_BROKEN = 10  # transactions in a row that the other side may break off
UNPROVEN_SHARE = 0.75  # of all that may be on its way
MOST_REMEMBERED = 1000  # destinations with nothing on their way
REMEMBERED_S = 300.0  # since the last of theirs began
_MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What is configured for a destination; `most_per_minute`: transactions begun in any minute."""

    most_connections: int
    most_per_minute: int | None = None


@dataclass(frozen=True, slots=True)
class LimitTable:
    """The limits of each destination: its own, or those of all others."""

    general: Limits
    special: Mapping[str, Limits] = field(default_factory=dict)

    def of(self, destination: str) -> Limits:
        """Return the limits of a destination."""
        return self.special.get(destination, self.general)


class Feedback(Enum):
    """What a transaction says of its destination."""

    GOOD = "good"  # the other side took it, or refused it for what it is
    NEUTRAL = "neutral"  # it never got to the other side
    BAD = "bad"  # the other side broke off, or wanted to be left alone


@dataclass(slots=True)
class _Window:
    size: float
    in_flight: int = 0
    is_proven: bool = False  # the last that was heard is that it took something
    is_cautious: bool = False  # it was halved once
    broken: int = 0  # in a row
    older: int = 0  # of those in flight, so many may have begun before it was halved
    last_s: float = 0.0  # when the last one began
    begun_s: deque[float] = field(default_factory=deque)  # within the last minute, where that is limited

    def grow(self, most_connections: int, took_s: float) -> None:
        """Make it wider after a success, up to what the connections can take in time."""
        step = 1 / self.size if self.is_cautious else 1
        if took_s > SLOW_S:
            self.size = max(min(self.size + step, most_connections), self.size - 1)
        else:
            self.size = min(self.size + step, most_connections * WAITING_PER_CONNECTION)

    def shrink(self) -> None:
        """Halve it; what is on its way was begun before."""
        self.is_cautious = True
        self.size = max(self.size / 2, 1)
        self.older = self.in_flight

    def forget_begun(self, now_s: float) -> None:
        """Forget what began more than a minute ago."""
        while self.begun_s and self.begun_s[0] <= now_s - _MINUTE_S:
            self.begun_s.popleft()


class Windows:
    """The windows of one moment, and of those destinations that had something on its way of late."""

    def __init__(self, limits: LimitTable, most_in_flight: int) -> None:
        """Begin with nothing on its way."""
        self._windows: dict[str, _Window] = {}
        self._resting: dict[str, None] = {}  # those with nothing on its way, the last of them last
        self._in_flight = 0
        self._unproven = 0  # of those in flight
        self.renew(limits, most_in_flight)

    def renew(self, limits: LimitTable, most_in_flight: int) -> None:
        """Have other limits in force; what is on its way is let alone."""
        self._limits = limits
        self._most_in_flight = most_in_flight
        self._most_unproven = max(1, int(most_in_flight * UNPROVEN_SHARE))

    @property
    def room(self) -> int:
        """How many transactions may begin before the rooms are asked for again; 0: it is full.

        No more than those may have that have not taken anything, for all of them may be for such.
        """
        return self._unproven_room or self._room

    def rooms(self, now_s: float) -> Rooms:
        """Return how many transactions may begin, for each destination that is known and for any other."""
        first, room, unproven_room = self._first_window, self._room, self._unproven_room
        named = {name: _pace(first, limits, 0) for name, limits in self._limits.special.items()}
        for destination, window in self._windows.items():
            if window.is_proven:
                free = min(int(window.size), max(room, 1)) - window.in_flight
            else:
                free = min(int(window.size) - window.in_flight, unproven_room)
            limits = self._limits.of(destination)
            if limits.most_per_minute is not None:
                window.forget_begun(now_s)
                free = _pace(free, limits, len(window.begun_s))
            named[destination] = max(free, 0)
        self._forget(now_s)
        return Rooms(_pace(first, self._limits.general, 0), named)

    def begin(self, destination: str, now_s: float) -> None:
        """Take note of a transaction that begins."""
        window = self._windows.get(destination)
        if window is None:
            window = self._windows[destination] = _Window(max(self._first_window, 1))
        self._resting.pop(destination, None)
        window.last_s = now_s
        window.in_flight += 1
        self._in_flight += 1
        self._unproven += not window.is_proven
        if self._limits.of(destination).most_per_minute is not None:
            window.begun_s.append(now_s)

    def end(self, destination: str, feedback: Feedback, took_s: float) -> bool:
        """Take note of the end of a transaction; tell whether the window is closed now."""
        window = self._windows[destination]
        self._unproven -= not window.is_proven
        window.in_flight -= 1
        self._in_flight -= 1
        is_new = not window.older
        window.older -= not is_new
        if feedback is Feedback.GOOD:
            window.broken = 0
            window.grow(self._limits.of(destination).most_connections, took_s)
        elif feedback is Feedback.BAD:
            window.broken += 1
            if is_new:  # the others say the same as the first of them
                window.shrink()
        if feedback is not Feedback.BAD:
            self._prove(window, is_proven=feedback is Feedback.GOOD)
        if not window.in_flight:
            self._resting[destination] = None
        return feedback is Feedback.BAD and window.broken >= MOST_BROKEN

    def is_used(self, destination: str) -> bool:
        """Tell whether anything is on its way to a destination."""
        window = self._windows.get(destination)
        return window is not None and window.in_flight > 0

    def begin_anew(self, destination: str) -> None:
        """Let a destination that was away begin with one at a time; the next that breaks off closes it."""
        if (window := self._windows.get(destination)) is not None:
            window.size = 1
            window.broken = MOST_BROKEN - 1

    @property
    def _room(self) -> int:
        return max(self._most_in_flight - self._in_flight, 0)

    @property
    def _unproven_room(self) -> int:
        """What those have that have not taken anything; a little is none, for it is given out at once."""
        left = self._most_unproven - self._unproven
        return min(left, self._room) if left > 0 and left * 10 >= self._most_unproven else 0

    @property
    def _first_window(self) -> int:
        """How much a new destination gets; when a fifth of what such have is taken, each gets one."""
        room, most = self._unproven_room, self._most_unproven
        return min(room, 1 + (FIRST_WINDOW - 1) * max(5 * room - 4 * most, 0) // most)

    def _prove(self, window: _Window, *, is_proven: bool) -> None:
        if window.is_proven is not is_proven:
            window.is_proven = is_proven
            self._unproven += -window.in_flight if is_proven else window.in_flight

    def _forget(self, now_s: float) -> None:
        """Forget who rests too long, or longest of too many, unless what it had still counts."""
        for destination in list(self._resting):
            window = self._windows[destination]
            if len(self._resting) <= MOST_REMEMBERED and now_s - window.last_s < REMEMBERED_S:
                return
            window.forget_begun(now_s)
            if not window.begun_s:
                del self._windows[destination], self._resting[destination]


def _pace(room: int, limits: Limits, begun: int) -> int:
    """Return what is left of a room, where so many began within the last minute."""
    return room if limits.most_per_minute is None else min(room, limits.most_per_minute - begun)
