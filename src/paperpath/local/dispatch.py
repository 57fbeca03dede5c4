"""What smtpld does, turn by turn: claims what there is room for, has it delivered in threads, settles it.

What goes into folders and what may have to wait for somebody, such as a program, have lanes and threads of
their own (lanes.py), so that neither keeps the other from its work. Each job is settled by itself, as soon
as it is done. Several are under way at once, so that their flushes join in the file system's journal;
claims and settlements of one moment share a commit. What fails is settled together with its report (P3).
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from paperpath.accounts.file import AccountsFile
from paperpath.delivery.conclusion import Conclusion
from paperpath.folders.upkeep import Upkeep
from paperpath.journal.writer import Journal
from paperpath.local.agents.maildir import Allotment
from paperpath.local.delivery import defer_batch, deliver_batch
from paperpath.local.holdings import Holdings
from paperpath.local.lanes import Job, Lane
from paperpath.local.manners import find_service
from paperpath.local.places import Depot, Miss, find_agent
from paperpath.mail.address import parse_mailbox
from paperpath.mail.outcome import Outcome
from paperpath.maildrop.errors import MaildropError
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.values import Claim, Claimed, Transport
from paperpath.service.program import Life

BATCH = 50
MOST_HELD = 1000  # claims of those that are delivered slowly, whose small contents are in memory
TROUBLE_PAUSE_S = 1.0


class _Works:
    """A lane with its threads."""

    def __init__(self, name: str, lane: Lane, threads: int) -> None:
        self.lane = lane
        self.threads = ThreadPoolExecutor(threads, name)


class LocalDelivery:
    """Claims and delivers: `with` it, for it has threads. `wake` is called when there is room for more."""

    def __init__(
        self,
        life: Life,
        maildrop: Maildrop,
        accounts: AccountsFile,
        journal: Journal,
        wake: Callable[[], None],
    ) -> None:
        """Begin with nothing claimed."""
        table = life.configuration.local
        self._life = life
        self._maildrop = maildrop
        self._accounts = accounts
        self._wake = wake
        self._upkeep = Upkeep()
        self._conclusion = Conclusion(life, maildrop, journal, _now_us)
        self._quick = _Works("delivery", Lane(table.threads, BATCH), table.threads)
        self._slow = _Works("program", Lane(table.programs), table.programs)
        self._holdings = Holdings(MOST_HELD)
        self._may_claim = asyncio.Event()
        self._jobs: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for works in (self._quick, self._slow):
            works.threads.shutdown()

    async def claim_some(self) -> int:
        """Claim what is due and there is room for, and start on it; return how much that was."""
        while not self._quick.lane.wants_more:
            self._may_claim.clear()
            await self._may_claim.wait()
        try:
            rooms = self._holdings.rooms(BATCH)
            claimed = await self._maildrop.claim(Transport.LOCAL, BATCH, _now_us(), rooms)
        except MaildropError as error:
            self._life.log.error("cannot claim", reason=str(error))
            await asyncio.sleep(TROUBLE_PAUSE_S)
            return 0
        if claimed.damaged:
            self._start(self._conclusion.conclude(Claimed((), claimed.damaged), [], [], _nowhere))
        surplus = self._line_up(claimed.claims)
        self._begin_jobs()
        self._start(self._give_back(surplus))
        return len(claimed.claims) + len(claimed.damaged) - len(surplus)

    async def finish(self) -> None:
        """Give back what has not begun, and wait for what has."""
        waiting = [*self._quick.lane.drain(), *self._slow.lane.drain()]
        await self._give_back(waiting)
        await asyncio.gather(*self._jobs)

    def _line_up(self, claims: Sequence[Claim]) -> list[Claim]:
        """Have claims wait for their turns; return those for which there is no room."""
        depot = self._make_depot()
        most_for_mailbox = self._life.configuration.local.per_mailbox
        surplus = []
        for claim in claims:
            service = find_service(claim, find_agent(claim, depot), most_for_mailbox, BATCH)
            if not service.is_slow:
                self._quick.lane.put(service.place, service.manner, claim)
            elif self._holdings.admit(claim, service.manner):
                self._slow.lane.put(service.place, service.manner, claim)
            else:
                surplus.append(claim)
        return surplus

    def _begin_jobs(self) -> None:
        for works in (self._quick, self._slow):
            while (job := works.lane.begin()) is not None:
                self._start(self._do(job, works))

    def _start(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

    async def _do(self, job: Job, works: _Works) -> None:
        """Deliver and settle; the next jobs need not wait for the latter."""
        depot = self._make_depot()
        outcomes = await self._deliver(job, depot, works)
        works.lane.end(job)
        if works is self._slow:
            self._holdings.release(job.claims)
            self._wake()
        self._may_claim.set()
        self._begin_jobs()

        def find_place(claim: Claim, _: Outcome) -> str:
            agent = find_agent(claim, depot)
            return "" if isinstance(agent, Miss) else agent.place

        begun_us = [depot.now_us] * len(outcomes)
        await self._conclusion.conclude(Claimed(job.claims), outcomes, begun_us, find_place)

    async def _deliver(self, job: Job, depot: Depot, works: _Works) -> list[Outcome]:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(works.threads, deliver_batch, job.claims, depot)
        except Exception as error:  # noqa: BLE001 - whatever it was, these claims are ours to settle
            self._life.log.error("delivery failed", reason=repr(error))
            return defer_batch(job.claims, _now_us(), error)

    async def _give_back(self, claims: Sequence[Claim]) -> None:
        """Leave claims to another time, or to whoever comes after us."""
        while claims:
            try:
                await self._maildrop.give_back([claim.recipient_id for claim in claims])
                return
            except MaildropError as error:
                self._life.log.error("cannot give back", reason=str(error))
            if self._life.ending:
                return  # they are a dead worker's claims then, and ready again
            await asyncio.sleep(TROUBLE_PAUSE_S)

    def _make_depot(self) -> Depot:
        configuration = self._life.configuration
        accounts = self._accounts.read()
        if (trouble := self._accounts.take_trouble()) is not None:
            self._life.log.error("accounts unreadable, the old ones stay in force", reason=trouble)
        return Depot(
            configuration.mailbox_root,
            accounts,
            configuration.post_office.separator,
            parse_mailbox(configuration.post_office.postmaster),
            configuration.local.create,
            configuration.hostname,
            _now_us(),
            self._upkeep,
            configuration.agents,
            Allotment(configuration.local.quota, configuration.local.over_quota == "fail"),
        )


def _nowhere(_claim: Claim, _outcome: Outcome) -> str:
    return ""


def _now_us() -> int:
    return time.time_ns() // 1000
