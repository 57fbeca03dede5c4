"""The simulated smtprcd: the product's own policy, in turns like those of `paperpath.remote.dispatch`.

Windows, limits and pauses are the product's; what is modelled is what needs a database or processes: the
claim (a message of each destination in turn, what is due, no more than there is room for, one probe of what
was suspended), the turns, and what a turn takes. Every message has one recipient.
"""

import heapq
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.scheduling_sites import Clock, Lane, Result, Site
from paperpath.config.tables import ScheduleTable
from paperpath.delivery.schedule import pause_us
from paperpath.maildrop.values import Rooms
from paperpath.remote.windows import Feedback, Limits, LimitTable, Windows

MOST_CLAIMED = 200
TURN_S = 0.005  # a claim and a commit
MESSAGE_S = 0.0004  # what each message adds to them
POLL_S = 1.0
_FEEDBACK = {
    Result.DELIVERED: Feedback.GOOD,
    Result.BROKEN: Feedback.BAD,
    Result.UNREACHED: Feedback.NEUTRAL,
}


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is simulated."""

    title: str
    sites: Sequence[Site]
    limits: LimitTable = field(default_factory=lambda: LimitTable(Limits(20)))
    most_transactions: int = 1000
    most_s: float = 86_400.0  # when to stop, if it is not over


@dataclass(slots=True)
class Message:
    """A message, and when something became of it."""

    destination: str
    arrived_s: float
    due_s: float
    attempts: int = 0
    delivered_s: float | None = None


@dataclass(slots=True)
class _Queue:
    """What waits for one destination, the longest due first; until when it is suspended."""

    due: list[tuple[float, int]] = field(default_factory=list)
    suspended_until_s: float | None = None
    probe: int | None = None
    suspensions: int = 0

    @property
    def next_s(self) -> float:
        """When something is due."""
        return max(self.due[0][0], self.suspended_until_s or 0.0) if self.due else math.inf

    def room(self, wanted: int, now_s: float) -> int:
        """How many may be claimed, of so many."""
        if not self.due or self.due[0][0] > now_s:
            return 0
        if self.suspended_until_s is None:
            return wanted
        return min(wanted, 1) if self.suspended_until_s <= now_s and self.probe is None else 0


class Daemon:
    """Everything that is queued and on its way, from the first moment to the last."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self._scenario = scenario
        self._clock = Clock()
        self._windows = Windows(scenario.limits, scenario.most_transactions)
        self.messages: list[Message] = []
        self.lanes = {
            site.name: Lane(
                site, self._clock, scenario.limits.of(site.name).most_connections, seed, self._end
            )
            for site in scenario.sites
        }
        self.queues = {site.name: _Queue() for site in scenario.sites}
        self._order = [site.name for site in scenario.sites]
        self._served = 0
        self._begun_s: dict[int, float] = {}
        self._ended: list[tuple[int, Result, bool]] = []
        self._failures: dict[str, int] = {}
        self._suspending: set[str] = set()
        self._away_s: dict[str, float] = {}
        self._open = 0
        self._is_awake = False
        self._rests_until_s = 0.0
        for site in scenario.sites:
            for moment_s in site.arrivals(seed):
                self.messages.append(Message(site.name, moment_s, moment_s))
        self._open = len(self.messages)
        for number, message in enumerate(self.messages):
            self._clock.call_at(message.arrived_s, lambda number=number: self._arrive(number))  # type: ignore[misc]
        self._clock.call_at(0.0, self._poll)

    def run(self) -> None:
        """Let it all happen."""
        self._clock.run(self._scenario.most_s, lambda: not self._open)

    def _arrive(self, number: int) -> None:
        self._queue(number)
        self._wake()

    def _queue(self, number: int) -> None:
        message = self.messages[number]
        heapq.heappush(self.queues[message.destination].due, (message.due_s, number))

    @property
    def now_s(self) -> float:
        """The moment that it has come to."""
        return self._clock.now_s

    # Turns

    def _poll(self) -> None:
        """Look whether anything is due; it is no use to look before anything can be."""
        self._wake()
        waits_s = min((queue.next_s for queue in self.queues.values()), default=0.0) - self._clock.now_s
        is_idle = not self._begun_s and not self._ended and waits_s < math.inf
        self._clock.call_in(max(POLL_S, waits_s if is_idle else 0.0), self._poll)

    def _wake(self) -> None:
        if not self._is_awake:
            self._is_awake = True
            self._clock.call_at(self._rests_until_s, self._turn)

    def _turn(self) -> None:
        self._is_awake = False
        ended, self._ended = self._ended, []
        claimed = self._claim()
        took_s = TURN_S + MESSAGE_S * max(len(claimed), len(ended))
        self._rests_until_s = self._clock.now_s + took_s
        for number, result, is_away in ended:
            self._settle(number, result, is_away)
        if claimed:
            self._clock.call_in(took_s, lambda: self._begin(claimed))
        if claimed or ended:
            self._wake()

    def _claim(self) -> list[int]:
        """Claim what is due, a message of each destination in turn, beginning behind the one served last."""
        limit = min(self._windows.room, MOST_CLAIMED)
        if not limit:
            return []
        now_s = self._clock.now_s
        rooms = self._windows.rooms(now_s)
        rooms = Rooms(rooms.other, {**rooms.named, **dict.fromkeys(self._suspending, 0)})
        turns: list[list[int]] = []  # place in the order, and how many yet
        for place in itertools.chain(range(self._served, len(self._order)), range(self._served)):
            name = self._order[place]
            if (room := self.queues[name].room(rooms.of(name), now_s)) > 0:
                turns.append([place, room])
                if len(turns) == limit:
                    break
        claimed: list[int] = []
        while turns and len(claimed) < limit:
            left = []
            for place, room in turns:
                queue = self.queues[self._order[place]]
                _, number = heapq.heappop(queue.due)
                claimed.append(number)
                if queue.suspended_until_s is not None:
                    queue.probe = number
                if len(claimed) == limit:
                    self._served = place + 1
                    break
                if room > 1 and queue.due and queue.due[0][0] <= now_s:
                    left.append([place, room - 1])
            turns = left
        return claimed

    def _begin(self, claimed: Sequence[int]) -> None:
        for number in claimed:
            name = self.messages[number].destination
            self._begun_s[number] = self._clock.now_s
            self._windows.begin(name, self._clock.now_s)
            self.lanes[name].add(number)

    # What has ended

    def _end(self, number: int, result: Result) -> None:
        message, now_s = self.messages[number], self._clock.now_s
        begun_s, name = self._begun_s.pop(number), message.destination
        is_closed = self._windows.end(name, _FEEDBACK[result], now_s - begun_s)
        is_bad_probe = result is Result.BROKEN and name in self._failures
        is_away = is_closed or result is Result.UNREACHED or is_bad_probe
        is_away = is_away and begun_s > self._away_s.get(name, -1.0)
        if is_away:
            self._away_s[name] = now_s
            self._suspending.add(name)
        if not self._windows.is_used(name):
            self._away_s.pop(name, None)
        if result is Result.DELIVERED:
            message.delivered_s = now_s
            self._open -= 1
        self._ended.append((number, result, is_away))
        self._wake()

    def _settle(self, number: int, result: Result, is_away: bool) -> None:
        message, schedule = self.messages[number], ScheduleTable()
        name, now_s = message.destination, self._clock.now_s
        queue = self.queues[name]
        if queue.probe == number:
            queue.probe = None
        if result is Result.BROKEN:
            message.due_s = now_s + pause_us(schedule, message.attempts) / 1_000_000
            message.attempts += 1
        if result is not Result.DELIVERED:
            self._queue(number)
        if is_away:
            failures = self._failures.get(name, 0)
            queue.suspended_until_s = now_s + pause_us(schedule, failures) / 1_000_000
            queue.suspensions += 1
            self._failures[name] = failures + 1
            self._suspending.discard(name)
        elif result not in (Result.UNREACHED, Result.BROKEN) and name in self._failures:
            queue.suspended_until_s = None
            del self._failures[name]
            self._windows.begin_anew(name)
