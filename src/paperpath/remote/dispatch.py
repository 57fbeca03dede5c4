"""What smtprcd does, turn by turn: claims within the windows, hands out jobs, settles what came of them.

Each turn settles all that has ended and claims what there is room for, in one commit under load. Whatever
could not be reached is not an attempt of a message but of its destination: the destination is suspended, with
one row written, and what was claimed for it goes back as it was. Recipients whose time was over when that
attempt began fail with it, the waiting ones as well; nobody else fails for it (X-9).
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from itertools import count

from paperpath.config.tables import RemoteTable
from paperpath.delivery.conclusion import Conclusion
from paperpath.delivery.schedule import make_patience, next_due_us, pause_us
from paperpath.journal.events import Suspended
from paperpath.journal.writer import Journal
from paperpath.mail.outcome import Discarded, Failed, Forwarded, Outcome, SetAside
from paperpath.mail.reply import Reply, make_reply
from paperpath.mail.value import value
from paperpath.maildrop.errors import MaildropError
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.values import Claim, Claimed, Overdue, Rooms, Transport
from paperpath.remote.fleet import Fleet
from paperpath.remote.flights import Flight, begin_flight
from paperpath.remote.jobs import Ahead, Answered, Done, FromClient, Hello, Returned, Unreached
from paperpath.remote.limits import make_limits
from paperpath.remote.outcomes import (
    group_claims,
    make_answer,
    make_job,
    make_outcome,
    read_reply,
)
from paperpath.remote.windows import Feedback, Windows
from paperpath.service.program import Life

MOST_CLAIMED = 200  # recipients in one turn, or in one transaction of those whose time is over
TROUBLE_PAUSE_S = 1.0

R451_CLIENT_DIED = make_reply(451, "4.3.0", "The relay client died with this message on its way")
_ANSWER_CLIENT_DIED = make_answer("deferred", R451_CLIENT_DIED)

_Said = FromClient | None  # nothing, where the relay client died


@value
class _Ended:
    """A flight that has ended, and what the client said, if it did; `is_away` is news of its destination."""

    flight: Flight
    value: _Said
    is_away: bool


class Dispatch:
    """Everything that is on its way to other hosts."""

    def __init__(self, life: Life, maildrop: Maildrop, journal: Journal, wake: Callable[[], None]) -> None:
        """Begin with nothing on its way; `wake` has the next turn come at once."""
        self._life = life
        self._maildrop = maildrop
        self._journal = journal
        self._wake = wake
        self._conclusion = Conclusion(life, maildrop, journal, _now_us)
        self._numbers = count(1)
        self._flights: dict[int, Flight] = {}
        self._ended: list[_Ended] = []
        remote = life.configuration.remote
        self._limits = make_limits(remote)
        self._windows = Windows(self._limits, remote.most_transactions)
        self._failures = {
            suspension.destination: suspension.failures
            for suspension in maildrop.read_suspensions(Transport.REMOTE)
        }
        self._suspending: set[str] = set()  # not written yet
        self._away_s: dict[str, float] = {}  # since when; of these, jobs that began before say nothing new
        self._failing: set[asyncio.Task[None]] = set()

    @property
    def in_flight(self) -> int:
        """How many jobs are on their way."""
        return len(self._flights)

    def renew(self, remote: RemoteTable) -> None:
        """Have the limits of a new configuration in force."""
        self._limits = make_limits(remote)
        self._windows.renew(self._limits, remote.most_transactions)

    # Called as relay clients speak

    def take(self, value: FromClient) -> None:
        """Take note of what became of a job, or of some of its recipients."""
        match value:
            case Hello():
                pass
            case Ahead(number, places):
                landed, self._flights[number] = self._flights[number].split(places)
                self._ended.append(_Ended(landed, value, is_away=False))
                self._wake()
            case _:
                self._end(value.number, value)

    def lose(self, numbers: Sequence[int]) -> None:
        """Take note of a relay client that died with these jobs."""
        for number in numbers:
            self._end(number, None)

    def _end(self, number: int, value: _Said) -> None:
        flight = self._flights.pop(number)
        took_s = time.monotonic() - flight.begun_s
        feedback = _judge_destination(value)
        is_away = (
            self._windows.end(flight.destination, feedback, took_s)
            or (isinstance(value, Unreached) and value.answer.what == "deferred")
            or (feedback is Feedback.BAD and flight.destination in self._failures)  # it was only a probe
        )
        if is_away and flight.begun_s > self._away_s.get(flight.destination, 0.0):
            self._away_s[flight.destination] = time.monotonic()
            self._suspending.add(flight.destination)
        else:
            is_away = False
        if not self._windows.is_used(flight.destination):
            self._away_s.pop(flight.destination, None)
        self._ended.append(_Ended(flight, value, is_away))
        self._wake()

    # One turn

    async def settle_and_begin(self, fleet: Fleet) -> int:
        """Settle what has ended, and begin what there is room for; return how many jobs that were."""
        ended, self._ended = self._ended, []
        settling = asyncio.create_task(self._settle(ended))
        try:
            begun = 0 if self._life.ending else await self._begin_some(fleet)
        finally:
            await settling
        return begun + len(ended)

    async def finish(self) -> None:
        """Settle what has ended, and wait for all that is being settled."""
        ended, self._ended = self._ended, []
        await self._settle(ended)
        await asyncio.gather(*self._failing)

    async def _begin_some(self, fleet: Fleet) -> int:
        """Claim and hand out; return how many jobs that were."""
        limit = min(self._windows.room, MOST_CLAIMED)
        if not limit or not fleet.is_there:
            return 0
        try:
            claimed = await self._maildrop.claim(Transport.REMOTE, limit, _now_us(), self._rooms())
        except MaildropError as error:
            self._life.log.error("cannot claim", reason=str(error))
            await asyncio.sleep(TROUBLE_PAUSE_S)
            return 0
        units = group_claims(claimed.claims)
        for unit in units:
            self._begin(unit, fleet)
        if claimed.damaged:
            await self._conclusion.conclude(Claimed((), claimed.damaged), (), (), _find_place)
        return len(units) + len(claimed.damaged)

    def _rooms(self) -> Rooms:
        rooms = self._windows.rooms(time.monotonic())
        return Rooms(rooms.other, {**rooms.named, **dict.fromkeys(self._suspending, 0)})

    def _begin(self, unit: tuple[Claim, ...], fleet: Fleet) -> None:
        flight = begin_flight(unit, _now_us(), time.monotonic())
        number = next(self._numbers)
        self._flights[number] = flight
        self._windows.begin(flight.destination, flight.begun_s)
        most = self._limits.of(flight.destination).most_connections
        if not fleet.is_there:  # the last of them died a moment ago
            self._end(number, Returned(number))
            return
        client, share = fleet.choose(flight.destination, most)
        client.send(make_job(number, unit, share))

    # What has ended

    async def _settle(self, ended: Sequence[_Ended]) -> None:
        claims: list[Claim] = []
        outcomes: list[Outcome] = []
        begun_us: list[int] = []
        unbegun: list[Claim] = []
        for one in ended:
            found = self._find_outcomes(one)
            if found is None:
                unbegun += one.flight.claims
            else:
                claims += one.flight.claims
                outcomes += found
                begun_us += [one.flight.begun_us] * len(found)
        await asyncio.gather(
            self._conclusion.conclude(Claimed(tuple(claims)), outcomes, begun_us, _find_place),
            self._conclusion.give_back(unbegun),
            *map(self._judge_contact, ended),
        )

    def _find_outcomes(self, ended: _Ended) -> list[Outcome] | None:
        """Return what became of each claim of a job; `None` where nothing was attempted."""
        claims = ended.flight.claims
        match ended.value:
            case Ahead(_, _, answers):
                return self._make_outcomes(claims, answers)
            case Done(_, answers):
                return self._make_outcomes(claims, ended.flight.pick(answers))
            case Unreached(_, answer) if answer.what == "failed":
                return [make_outcome(answer, 0)] * len(claims)
            case None:
                return self._make_outcomes(claims, [_ANSWER_CLIENT_DIED] * len(claims))
            case _:
                return None

    def _make_outcomes(self, claims: Sequence[Claim], answers: Sequence[Answered]) -> list[Outcome]:
        now_us, schedule = _now_us(), self._life.configuration.remote.schedule
        return [
            make_outcome(answer, next_due_us(claim, now_us, schedule))
            for claim, answer in zip(claims, answers, strict=True)
        ]

    async def _judge_contact(self, ended: _Ended) -> None:
        """Suspend a destination that is away, resume one that is there again."""
        destination = ended.flight.destination
        try:
            if ended.is_away:
                await self._suspend(ended)
            elif _is_contact(ended.value) and destination in self._failures:
                await self._maildrop.resume(Transport.REMOTE, destination)
                if self._failures.pop(destination, None) is not None:  # of several jobs, the first says so
                    self._windows.begin_anew(destination)
                    self._life.log.info("there again", destination=destination)
        except MaildropError as error:  # then it is tried again, and found away or there again
            self._life.log.error("cannot suspend or resume", destination=destination, reason=str(error))
        finally:
            if ended.is_away:
                self._suspending.discard(destination)

    async def _suspend(self, ended: _Ended) -> None:
        flight, destination = ended.flight, ended.flight.destination
        reply = _find_reply(ended.value)
        failures = self._failures.get(destination, 0)
        until_us = _now_us() + pause_us(self._life.configuration.remote.schedule, failures)
        await self._maildrop.suspend(Transport.REMOTE, destination, until_us, str(reply))
        self._failures[destination] = failures + 1
        self._life.log.warning("away", destination=destination, reply=reply, failures=failures + 1)
        self._journal.tell(Suspended(destination, until_us, failures + 1, str(reply)))
        task = asyncio.create_task(self._fail_overdue(flight, reply))
        self._failing.add(task)
        task.add_done_callback(self._failing.discard)

    async def _fail_overdue(self, flight: Flight, reply: Reply) -> None:
        """Fail all whose time was over when the attempt began that has just failed."""
        patience = make_patience(self._life.configuration.delivery)
        overdue = Overdue(
            flight.begun_us - patience.give_up_after_us, flight.begun_us, patience.most_attempts or 0
        )
        while True:
            try:
                claimed = await self._maildrop.claim_overdue(
                    Transport.REMOTE, flight.destination, overdue, MOST_CLAIMED
                )
            except MaildropError as error:  # the next failed attempt comes here again
                self._life.log.error("cannot claim", destination=flight.destination, reason=str(error))
                return
            if not claimed.claims and not claimed.damaged:
                return
            count = len(claimed.claims)
            await self._conclusion.conclude(
                claimed, [Failed(reply)] * count, [flight.begun_us] * count, _find_place
            )


def _judge_destination(value: _Said) -> Feedback:
    match value:
        case Done(_, _, is_refused):
            return Feedback.BAD if is_refused else Feedback.GOOD
        case _:
            return Feedback.NEUTRAL


def _is_contact(value: _Said) -> bool:
    """Tell whether a host of the destination heard a message to its end, whatever it said of it."""
    return isinstance(value, Ahead) or (isinstance(value, Done) and not value.is_refused)


def _find_reply(value: _Said) -> Reply:
    """Return the reply that says that a destination is away."""
    match value:
        case Done(_, answers):
            return read_reply(answers[-1])
        case Unreached(_, answer):
            return read_reply(answer)
        case _:
            return R451_CLIENT_DIED


def _find_place(_: Claim, outcome: Outcome) -> str:
    return "" if isinstance(outcome, SetAside | Discarded | Forwarded) else outcome.host


def _now_us() -> int:
    return time.time_ns() // 1000
