"""Which deliveries of smtpld begin next, and how many at once: pure. Asked in its event loop.

A lane has slots, a thread each, and what waits for one, by place: a mailbox, or a program and whom it is run
for. No place has more of the slots than its manner says, so whoever gets much or is served slowly leaves some
to the others; and places take turns. Places that can hang together, as one program does for everybody, are a
family, which leaves as many slots free as it has. A job is what one thread does before its outcomes are
settled.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass

from paperpath.maildrop.values import Claim

_LEAST_IN_JOB = 10  # claims that share a job where places do: each job is settled and told of by itself


@dataclass(frozen=True, slots=True)
class Manner:
    """How a place is served: by how many jobs at once at most, with how many claims in one of them."""

    most_at_once: int
    most_together: int


@dataclass(frozen=True, slots=True)
class Job:
    """What one thread does, the places that it is for, and the family of those, if they have one."""

    claims: tuple[Claim, ...]
    places: tuple[Hashable, ...]
    family: Hashable = None


@dataclass(slots=True)
class _Queue:
    manner: Manner
    family: Hashable
    claims: deque[Claim]


class Lane:
    """Slots, and what waits for them. `most_in_job`: places share jobs of so many claims; 0: they share none.

    What is quick shares jobs, for many claims together cost little more than one. What may have to wait does
    not, for the others would have to wait with it.
    """

    def __init__(self, slots: int, most_in_job: int = 0) -> None:
        """Begin with nothing to do."""
        self._slots = slots
        self._most_in_job = most_in_job
        self._queues: OrderedDict[Hashable, _Queue] = OrderedDict()  # whose turn it is comes first
        self._running: Counter[Hashable] = Counter()  # jobs by place
        self._running_of: Counter[Hashable] = Counter()  # jobs by family
        self._busy = 0
        self._waiting = 0

    @property
    def wants_more(self) -> bool:
        """Whether a slot is free, and less waits than all slots could take at once."""
        return self._busy < self._slots and self._waiting < self._slots * max(self._most_in_job, 1)

    def put(self, place: Hashable, manner: Manner, claim: Claim, family: Hashable = None) -> None:
        """Have a claim wait for its turn. `family`: of a place that shares no jobs; `None` for none."""
        queue = self._queues.get(place)
        if queue is None:
            queue = self._queues[place] = _Queue(manner, family, deque())
        queue.claims.append(claim)
        self._waiting += 1

    def begin(self) -> Job | None:
        """Begin the next job, where a slot is free and a place may be served; it is to be ended."""
        if self._busy >= self._slots:
            return None
        room = self._find_room()
        claims: list[Claim] = []
        places: list[Hashable] = []
        family: Hashable = None
        for place, queue in list(self._queues.items()):
            if self._may_begin(place, queue):
                claims += self._take(place, room - len(claims))
                places.append(place)
                family = queue.family
            if claims and (not self._most_in_job or len(claims) >= room):
                break
        if not claims:
            return None
        self._running.update(places)
        self._running_of[family] += 1
        self._busy += 1
        return Job(tuple(claims), tuple(places), family)

    def end(self, job: Job) -> None:
        """Take note that a job is done."""
        self._busy -= 1
        self._running.subtract(job.places)
        for place in job.places:
            if not self._running[place]:
                del self._running[place]
        self._running_of[job.family] -= 1
        if not self._running_of[job.family]:
            del self._running_of[job.family]

    def drain(self) -> list[Claim]:
        """Give out what waits, so that nothing does: nobody attempts it here."""
        claims = [claim for queue in self._queues.values() for claim in queue.claims]
        self._queues.clear()
        self._waiting = 0
        return claims

    def _may_begin(self, place: Hashable, queue: _Queue) -> bool:
        """Tell whether a place may have one more job: it, and its family."""
        if self._running[place] >= queue.manner.most_at_once:
            return False
        return queue.family is None or self._running_of[queue.family] < self._slots - self._busy

    def _find_room(self) -> int:
        """Return how many claims a job may have: where places share it, so that no slot stays idle."""
        if not self._most_in_job:
            return self._waiting
        share = _divide(self._waiting, self._slots - self._busy)
        return min(max(share, _LEAST_IN_JOB), self._most_in_job)

    def _take(self, place: Hashable, most: int) -> list[Claim]:
        """Take claims of a place, as many as are for each job it may have; it is behind all others then."""
        queue = self._queues[place]
        share = _divide(len(queue.claims), queue.manner.most_at_once - self._running[place])
        count = min(max(most, share), queue.manner.most_together, len(queue.claims))
        taken = [queue.claims.popleft() for _ in range(count)]
        self._waiting -= count
        if queue.claims:
            self._queues.move_to_end(place)
        else:
            del self._queues[place]
        return taken


def _divide(number: int, parts: int) -> int:
    """Return the largest part of a number, where parts are as equal as they can be."""
    return -(-number // parts)
