"""The simulated outside: destinations as they behave, and the connections that relay clients make to them.

A lane does what `paperpath.remote.lane` does, as far as it takes time: jobs wait for connections, of which
there are never more than the limit; one that cannot be made is the end of what waits, unless others are up.
All that happens is a call at a moment of a clock that nobody waits for; chance comes from seeds.
"""

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from random import Random

MESSAGES_PER_CONNECTION = 100
IDLE_S = 5.0
CONNECT_TIMEOUT_S = 30.0
GREETING_TIMEOUT_S = 300.0


class Clock:
    """The time of a simulation, and what is to happen when."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._calls: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def call_at(self, moment_s: float, call: Callable[[], None]) -> None:
        """Have something happen; of what is to happen at one moment, what was said first."""
        heapq.heappush(self._calls, (max(moment_s, self.now_s), next(self._numbers), call))

    def call_in(self, pause_s: float, call: Callable[[], None]) -> None:
        """Have something happen after a pause."""
        self.call_at(self.now_s + pause_s, call)

    def run(self, until_s: float, is_over: Callable[[], bool]) -> None:
        """Let happen what is to happen, until a moment, or until it is over."""
        while self._calls and self._calls[0][0] <= until_s and not is_over():
            self.now_s, _, call = heapq.heappop(self._calls)
            call()


@dataclass(frozen=True, slots=True)
class Site:
    """A destination: what there is for it, and how it behaves. Its name to the first dot is its kind."""

    name: str
    backlog: int = 0  # messages that come all at once, at the first of two moments
    per_s: float = 0.0  # messages that come at random, between the two
    from_s: float = 0.0
    until_s: float = 0.0
    latency_s: float = 0.1  # of a transaction, give or take a fifth
    connect_s: float = 0.05
    failure_rate: float = 0.0  # of its transactions, which it breaks off
    alternates: bool = False  # breaks off every other one
    takes: int | None = None  # transactions at once; it breaks off what is more
    greets: int | None = None  # connections at once; it refuses what is more
    dead_until_s: float = 0.0  # nobody answers there
    stalled_until_s: float = 0.0  # somebody answers, and never says a word

    @property
    def kind(self) -> str:
        """What it shares with others."""
        return self.name.partition(".")[0]

    def arrivals(self, seed: int) -> Iterator[float]:
        """The moments at which messages for it come."""
        yield from itertools.repeat(self.from_s, self.backlog)
        chance, moment_s = Random(f"{seed} {self.name} mail"), self.from_s
        while self.per_s and (moment_s := moment_s + chance.expovariate(self.per_s)) < self.until_s:
            yield moment_s


class Result(Enum):
    """What becomes of a job."""

    DELIVERED = "delivered"
    BROKEN = "broken off"
    UNREACHED = "no connection"


Report = Callable[[int, Result], None]


@dataclass(eq=False, slots=True)
class _Connection:
    carried: int = 0
    rests: int = 0  # how often it had nothing to do


class Lane:
    """The jobs and connections of one site."""

    def __init__(self, site: Site, clock: Clock, most_connections: int, seed: int, report: Report) -> None:
        self._site = site
        self._clock = clock
        self._most = most_connections
        self._chance = Random(f"{seed} {site.name}")
        self._report = report
        self._waiting: deque[int] = deque()
        self._idle: list[_Connection] = []
        self._servers = 0
        self._reached = 0
        self._is_full = False
        self._busy = 0
        self.connects = 0
        self.attempts = 0

    def add(self, job: int) -> None:
        """Take a job."""
        if self._idle:
            self._carry(self._idle.pop(), job)
        else:
            self._waiting.append(job)
            self._grow()

    def _grow(self) -> None:
        if len(self._waiting) <= self._servers - self._reached or self._servers >= self._most:
            return
        if self._is_full and self._reached:
            return
        self._servers += 1
        self.connects += 1
        site, now_s = self._site, self._clock.now_s
        if now_s < site.dead_until_s:
            self._clock.call_in(CONNECT_TIMEOUT_S, self._give_up)
        elif now_s < site.stalled_until_s:
            self._clock.call_in(GREETING_TIMEOUT_S, self._give_up)
        else:
            self._clock.call_in(self._vary(site.connect_s), self._reach)

    def _reach(self) -> None:
        if self._site.greets is not None and self._reached >= self._site.greets:
            self._give_up()
            return
        self._reached += 1
        self._go_on(_Connection())

    def _give_up(self) -> None:
        self._servers -= 1
        self._is_full = self._reached > 0
        while self._waiting and not self._reached:
            self._report(self._waiting.popleft(), Result.UNREACHED)
        self._grow()

    def _go_on(self, connection: _Connection) -> None:
        if connection.carried >= MESSAGES_PER_CONNECTION:
            self._part()
        elif self._waiting:
            self._carry(connection, self._waiting.popleft())
        else:
            self._idle.append(connection)
            connection.rests += 1
            rest = connection.rests
            self._clock.call_in(IDLE_S, lambda: self._close_idle(connection, rest))

    def _close_idle(self, connection: _Connection, rest: int) -> None:
        if connection in self._idle and connection.rests == rest:
            self._idle.remove(connection)
            self._part()

    def _part(self) -> None:
        self._reached -= 1
        self._servers -= 1
        self._is_full = False
        self._grow()

    def _carry(self, connection: _Connection, job: int) -> None:
        site = self._site
        self.attempts += 1
        connection.carried += 1
        self._busy += 1
        took_s = self._vary(site.latency_s)
        if self._clock.now_s < max(site.dead_until_s, site.stalled_until_s):
            took_s, result = GREETING_TIMEOUT_S, Result.BROKEN
        elif site.takes is not None and self._busy > site.takes:
            took_s, result = site.connect_s, Result.BROKEN
        elif self._breaks_off():
            result = Result.BROKEN
        else:
            result = Result.DELIVERED
        self._clock.call_in(took_s, lambda: self._end(connection, job, result))

    def _end(self, connection: _Connection, job: int, result: Result) -> None:
        self._busy -= 1
        self._report(job, result)
        if result is Result.DELIVERED:
            self._go_on(connection)
        else:
            self._part()

    def _breaks_off(self) -> bool:
        if self._site.alternates:
            return self.attempts % 2 == 0
        return self._chance.random() < self._site.failure_rate

    def _vary(self, seconds: float) -> float:
        return seconds * self._chance.uniform(0.8, 1.2)
