"""The resolver: a question in, an answer out, whatever the DNS does.

Made by each program that asks, with the servers of servers.py; it lives in that program's event loop. Rules:

1. `resolve` raises nothing for what the DNS says or anybody sends, and ends within `timeout_s`.
2. Whoever asks what is being asked waits for the same answer; who stops waiting stops nobody else.
3. Servers are asked in turn, beginning with the one that answered last. One that cannot tell, or is not
   there, is not asked again for this question; one that is silent is, with twice the time to answer.
4. What is known is kept as long as the records allow, within the bounds below; failures for seconds.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random, SystemRandom
from typing import Any, TypeVar

import dns.name

from paperpath.config.endpoint import Endpoint
from paperpath.dns.answer import Answer, Status
from paperpath.dns.cache import Cache
from paperpath.dns.channel import Channel
from paperpath.dns.names import fold_name, parse_name
from paperpath.dns.records import RecordType
from paperpath.dns.wire import MOST_ALIASES, Question, Reading, make_question

TIMEOUT_S = 10.0
FIRST_WAIT_S = 1.5
"""Seconds that each server gets in the first turn: a resolver that has nothing cached asks several others."""

MOST_AGE_S = 3600
MOST_NEGATIVE_AGE_S = 900
FAILURE_AGE_S = 5  # RFC 9520 §3.2: at least one second, at most five minutes
MOST_AT_ONCE = 256
"""Questions in flight, each of which may need a socket; the others wait, within their time."""

_Value = TypeVar("_Value")
_Key = tuple[str, RecordType[Any]]


class Resolver:
    """Asks the servers that `find_servers` names at the time. Lives and is closed in one event loop."""

    def __init__(
        self,
        find_servers: Callable[[], Sequence[Endpoint]],
        timeout_s: float = TIMEOUT_S,
        *,
        clock: Callable[[], float] = time.monotonic,
        random: Random | None = None,
        cache: Cache | None = None,
    ) -> None:
        """Ask nothing yet."""
        self._find_servers = find_servers
        self._timeout_s = timeout_s
        self._clock = clock
        self._random = random or SystemRandom()
        self._cache = Cache() if cache is None else cache
        self._flights: dict[_Key, asyncio.Task[Answer[Any]]] = {}
        self._channels: dict[Endpoint, Channel] = {}
        self._last: Endpoint | None = None
        self._room = asyncio.Semaphore(MOST_AT_ONCE)

    async def resolve(self, name: str, kind: RecordType[_Value]) -> Answer[_Value]:
        """Return the answer for a name, which may have U-labels, underscores, or be no name at all."""
        key = fold_name(name), kind
        known = self._cache.find(key, self._clock())
        if known is not None:
            return known
        flight = self._flights.get(key)
        if flight is None:
            parsed = parse_name(name)
            if parsed is None:
                return Answer(Status.NXDOMAIN, canonical=name, detail="it is no domain name")
            flight = asyncio.get_running_loop().create_task(self._fly(key, parsed))
            self._flights[key] = flight
            flight.add_done_callback(lambda _: self._flights.pop(key))
        return await asyncio.shield(flight)

    def find_known(self, name: str, kind: RecordType[_Value]) -> Answer[_Value] | None:
        """Return the answer for a name in ASCII if it is known and still true; ask nobody."""
        return self._cache.find((fold_name(name), kind), self._clock())

    def now_s(self) -> float:
        """Return the time by the clock of `Answer.expires_s`."""
        return self._clock()

    async def close(self) -> None:
        """End what is in flight and close the sockets; who waits is cancelled."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        if flights:
            await asyncio.wait(flights)
        for channel in self._channels.values():
            channel.close()

    async def _fly(self, key: _Key, name: dns.name.Name) -> Answer[Any]:
        reading = await self._wait_and_follow(make_question(name, key[1]))
        canonical = reading.answer.canonical or key[0]
        answer = replace(reading.answer, canonical=canonical, expires_s=self._clock() + _bound_age(reading))
        if reading.age_s or answer.is_temporary:
            self._cache.keep(key, answer, reading.size)
        return answer

    async def _wait_and_follow(self, question: Question) -> Reading:
        deadline_s = asyncio.get_running_loop().time() + self._timeout_s
        try:
            async with asyncio.timeout_at(deadline_s):
                await self._room.acquire()
        except TimeoutError:
            return self._time_out()
        try:
            return await self._follow(question, deadline_s)
        finally:
            self._room.release()

    async def _follow(self, question: Question, deadline_s: float) -> Reading:
        """Ask, and ask on where an answer ends in the middle of its aliases."""
        reading = await self._ask(question, deadline_s)
        for _ in range(MOST_ALIASES):
            if reading.leads_to is None:
                return reading
            further = await self._ask(make_question(reading.leads_to, question.type), deadline_s)
            reading = _join(reading, further)
        return Reading(Answer(Status.FAILED, detail="aliases without an end"))

    async def _ask(self, question: Question, deadline_s: float) -> Reading:
        """Ask the servers in turn (rule 3)."""
        channels, failure, wait_s = self._list_channels(), self._time_out(), FIRST_WAIT_S
        loop = asyncio.get_running_loop()
        while channels:
            for channel in tuple(channels):
                left_s = deadline_s - loop.time()
                if left_s <= 0:
                    return failure
                reading = await _ask_one(channel, question, min(wait_s, left_s))
                if reading is None:
                    continue
                if reading.answer.status is not Status.FAILED:
                    self._last = channel.server
                    return reading
                channels.remove(channel)
                failure = reading
            wait_s *= 2
        return failure

    def _list_channels(self) -> list[Channel]:
        """Return the ways to the servers of now, the one that answered last before the others."""
        servers = sorted(self._find_servers(), key=lambda server: server != self._last)
        for server in servers:
            if server not in self._channels:
                self._channels[server] = Channel(server, self._random)
        return [self._channels[server] for server in servers]

    def _time_out(self) -> Reading:
        servers = ", ".join(map(str, self._find_servers()))
        return Reading(Answer(Status.TIMED_OUT, detail=f"no answer from {servers} in {self._timeout_s:g} s"))


async def _ask_one(channel: Channel, question: Question, wait_s: float) -> Reading | None:
    """Ask one server; `None` if it is silent."""
    try:
        async with asyncio.timeout(wait_s):
            reading = await channel.ask(question)
    except TimeoutError:
        return None
    except OSError as error:
        return _fail(channel, error.strerror or str(error))
    return _fail(channel, reading.answer.detail) if reading.answer.status is Status.FAILED else reading


def _fail(channel: Channel, what: str) -> Reading:
    return Reading(Answer(Status.FAILED, detail=f"{what} from {channel.server}"))


def _join(first: Reading, further: Reading) -> Reading:
    """Return what two readings say, the second of which is about where the aliases of the first lead."""
    answer = replace(further.answer, is_secure=first.answer.is_secure and further.answer.is_secure)
    return replace(
        further, answer=answer, age_s=min(first.age_s, further.age_s), size=first.size + further.size
    )


def _bound_age(reading: Reading) -> int:
    if reading.answer.is_temporary:
        return FAILURE_AGE_S
    is_found = reading.answer.status is Status.FOUND
    return min(reading.age_s, MOST_AGE_S if is_found else MOST_NEGATIVE_AGE_S)
