"""How much may be on its way to each destination at once: pure; times are arguments, seconds that only rise.

Asked by smtprcd before each claim, told by it what became of what it claimed, and driven by the simulator in
`bench.scheduling`. Every destination that has something on its way has a window, in transactions: it begins
small, grows by one with each success up to what its connections can take, and is halved when the other side
breaks off. One that falls below a single transaction is closed: its destination is to be suspended. What is
on its way to all destinations together is limited as well, and the fuller that is, the smaller new windows
are, so that many slow destinations do not keep out the next one (promise P6, requirement G-15).

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
KEPT_S = 2.0  # a window with nothing on its way: between two claims all of a small one may be done
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
    idle_since_s: float | None = None  # as far as it was noticed
    begun_s: deque[float] = field(
        default_factory=deque
    )  # of those in the last minute, where they are limited


class Windows:
    """The windows of one moment; one where nothing was on its way for a while is forgotten."""

    def __init__(self, limits: LimitTable, most_in_flight: int) -> None:
        """Begin with nothing on its way."""
        self._windows: dict[str, _Window] = {}
        self._in_flight = 0
        self.renew(limits, most_in_flight)

    def renew(self, limits: LimitTable, most_in_flight: int) -> None:
        """Have other limits in force; what is on its way is let alone."""
        self._limits = limits
        self._most_in_flight = most_in_flight

    @property
    def room(self) -> int:
        """How many transactions more may be on their way, to all destinations together."""
        return max(self._most_in_flight - self._in_flight, 0)

    def rooms(self, now_s: float) -> Rooms:
        """Return how many transactions may begin, for each destination that is known and for any other."""
        first = self._first_window
        named = {name: _pace(first, limits, 0) for name, limits in self._limits.special.items()}
        for destination, window in list(self._windows.items()):
            limits = self._limits.of(destination)
            is_paced = _is_paced(window, limits, now_s)
            if not is_paced and _has_rested(window, now_s):
                del self._windows[destination]
                continue
            room = _pace(int(window.size) - window.in_flight, limits, len(window.begun_s))
            named[destination] = max(room, 0)
        return Rooms(_pace(first, self._limits.general, 0), named)

    def begin(self, destination: str, now_s: float) -> None:
        """Take note of a transaction that begins."""
        window = self._windows.get(destination)
        if window is None:
            window = self._windows[destination] = _Window(self._first_window)
        window.in_flight += 1
        window.idle_since_s = None
        self._in_flight += 1
        if self._limits.of(destination).most_per_minute is not None:
            window.begun_s.append(now_s)

    def end(self, destination: str, feedback: Feedback, took_s: float) -> bool:
        """Take note of the end of a transaction; tell whether the window is closed now."""
        window = self._windows[destination]
        window.in_flight -= 1
        self._in_flight -= 1
        if feedback is Feedback.GOOD:
            window.size = _grow(window.size, self._limits.of(destination).most_connections, took_s)
        elif feedback is Feedback.BAD:
            window.size /= 2
            if window.size < 1:
                window.size = 1
                return True
        return False

    def is_used(self, destination: str) -> bool:
        """Tell whether anything is on its way to a destination."""
        window = self._windows.get(destination)
        return window is not None and window.in_flight > 0

    def begin_anew(self, destination: str) -> None:
        """Let a destination that was away begin with one transaction at a time."""
        if (window := self._windows.get(destination)) is not None:
            window.size = 1

    @property
    def _first_window(self) -> int:
        return 1 + (FIRST_WINDOW - 1) * self.room // self._most_in_flight


def _pace(room: int, limits: Limits, begun: int) -> int:
    """Return what is left of a room, where so many began within the last minute."""
    return room if limits.most_per_minute is None else min(room, limits.most_per_minute - begun)


def _is_paced(window: _Window, limits: Limits, now_s: float) -> bool:
    """Forget what began more than a minute ago; tell whether anything began since, where that counts."""
    if limits.most_per_minute is None:
        window.begun_s.clear()
    while window.begun_s and window.begun_s[0] <= now_s - _MINUTE_S:
        window.begun_s.popleft()
    return bool(window.begun_s)


def _has_rested(window: _Window, now_s: float) -> bool:
    """Tell whether nothing was on its way for so long that nothing is known any more."""
    if window.in_flight:
        return False
    if window.idle_since_s is None:
        window.idle_since_s = now_s
    return now_s - window.idle_since_s >= KEPT_S


def _grow(size: float, most_connections: int, took_s: float) -> float:
    if took_s > SLOW_S:
        return max(min(size + 1, most_connections), size - 1)
    return min(size + 1, most_connections * WAITING_PER_CONNECTION)
