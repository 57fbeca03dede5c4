"""What smtpld does, turn by turn: claims what there is room for, has it delivered in threads, settles it.

What goes into folders, what is forwarded, and what may have to wait for somebody, such as a program, have
lanes and threads of their own (lanes.py), so that none keeps the others from their work. Each job is
settled by itself, as soon as it is done. Several are under way at once, so that their flushes join in the
file system's journal; claims and settlements of one moment share a commit. What fails is settled together
with its report (P3).
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from types import TracebackType
from typing import Self

from paperpath.accounts.file import AccountsFile
from paperpath.delivery.conclusion import Conclusion
from paperpath.folders.upkeep import Upkeep
from paperpath.journal.writer import Journal
from paperpath.local.agents.maildir import Allotment
from paperpath.local.delivery import defer_batch, deliver_batch
from paperpath.local.findings import Findings
from paperpath.local.forwarding import forward_batch
from paperpath.local.holdings import Holdings
from paperpath.local.lanes import Job, Lane
from paperpath.local.manners import LaneName, Service, find_service
from paperpath.local.places import Depot, Miss, find_agent, find_helper
from paperpath.mail.address import parse_mailbox
from paperpath.mail.outcome import Outcome
from paperpath.maildrop.errors import MaildropError
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.values import Claim, Claimed, ClaimedMessage, NewMessage, Transport
from paperpath.routing.forwards import find_forwarder, is_forward_way
from paperpath.service.program import Life

BATCH = 50
FORWARDS_AT_ONCE = 4
MOST_EXAMINED = 1000  # claims that wait for the DNS, whose small contents are in memory
MOST_HELD = 1000  # claims of those that are delivered slowly, whose small contents are in memory
TROUBLE_PAUSE_S = 1.0
GRACE_S = 5.0  # for programs at work when smtpld ends: less than whoever ends it has patience for

_Delivery = tuple[list[Outcome], dict[int, NewMessage]]  # by recipient, the messages that some go on as
Examine = Callable[[ClaimedMessage], Awaitable[Findings]]
"""Says what is found of a message's authentication, whatever it is."""

_Deliver = Callable[[Sequence[Claim], Depot, Executor], Awaitable[_Delivery]]


def _tell_nobody() -> None:
    """Stand for readers where there are none."""


class _Works:
    """A lane with its threads, and what is done in them."""

    def __init__(self, name: LaneName, deliver: _Deliver, slots: int, most_in_job: int = 0) -> None:
        self.lane = Lane(slots, most_in_job)
        self.threads = ThreadPoolExecutor(slots, name.value)
        self.deliver = deliver


class LocalDelivery:
    """Claims and delivers: `with` it, for it has threads. `wake` is called when there is room for more."""

    def __init__(
        self,
        life: Life,
        maildrop: Maildrop,
        accounts: AccountsFile,
        journal: Journal,
        wake: Callable[[], None],
        tell_readers: Callable[[], None] = _tell_nobody,
        examine: Examine | None = None,
    ) -> None:
        """Begin with nothing claimed; `tell_readers` is called when mail has come into folders.

        Without `examine` nobody looks into who signed a message.
        """
        table = life.configuration.local
        self._life = life
        self._maildrop = maildrop
        self._accounts = accounts
        self._wake = wake
        self._tell_readers = tell_readers
        self._examine = examine
        self._findings: dict[int, Findings] = {}  # by recipient, for whoever waits for a turn
        self._examinations: set[asyncio.Future[Findings]] = set()
        self._examined = 0  # claims that wait for one
        self._is_finishing = False
        self._upkeep = Upkeep()
        self._conclusion = Conclusion(life, maildrop, journal, _now_us)
        self._works = {
            LaneName.FOLDERS: _Works(LaneName.FOLDERS, _deliver_here, table.threads, BATCH),
            LaneName.FORWARDS: _Works(LaneName.FORWARDS, self._forward, FORWARDS_AT_ONCE, BATCH),
            LaneName.PROGRAMS: _Works(LaneName.PROGRAMS, _deliver_here, table.programs),
        }
        self._holdings = Holdings(MOST_HELD)
        self._may_claim = asyncio.Event()
        self._end = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for works in self._works.values():
            works.threads.shutdown()
        os.close(self._end)

    async def claim_some(self) -> int:
        """Claim what is due and there is room for, and start on it; return how much was claimed.

        What goes back at once is in that: behind it there may be mail for which there is room.
        """
        while not self._wants_more:
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
        self._start(self._conclusion.give_back(surplus))
        return len(claimed.claims) + len(claimed.damaged)

    async def finish(self) -> None:
        """Give back what has not begun, and wait for what has; programs that take long are killed then."""
        self._is_finishing = True
        for examination in self._examinations:
            examination.cancel()
        for works in self._works.values():
            await self._conclusion.give_back(works.lane.drain())
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GRACE_S)
        os.eventfd_write(self._end, 1)
        await asyncio.gather(*self._tasks)

    @property
    def _wants_more(self) -> bool:
        """Whether what is quick has room; how much is claimed of the rest, the rooms say."""
        quick = (LaneName.FOLDERS, LaneName.FORWARDS)
        return self._examined < MOST_EXAMINED and all(self._works[name].lane.wants_more for name in quick)

    def _line_up(self, claims: Sequence[Claim]) -> list[Claim]:
        """Have claims wait for their turns; return those for which there is no room."""
        depot = self._make_depot()
        most_for_mailbox = self._life.configuration.local.per_mailbox
        surplus = []
        unexamined: dict[int, list[tuple[Claim, Service]]] = {}
        for claim in claims:
            service = find_service(claim, depot, most_for_mailbox, BATCH)
            if service.lane is LaneName.PROGRAMS and not self._holdings.admit(
                claim, service.manner, service.family
            ):
                surplus.append(claim)
            elif self._examine is not None and service.makes_copy:
                unexamined.setdefault(claim.message.id, []).append((claim, service))
            else:
                self._put(claim, service)
        for waiting in unexamined.values():
            self._examined += len(waiting)
            self._start(self._look_into(waiting))
        return surplus

    def _put(self, claim: Claim, service: Service) -> None:
        self._works[service.lane].lane.put(service.place, service.manner, claim, service.family)

    async def _look_into(self, waiting: Sequence[tuple[Claim, Service]]) -> None:
        """Have claims of one message wait for what is found of it, and only then for their turns.

        So no message keeps another from its mailbox, however slow the DNS of whoever signed it is.
        """
        findings = await self._find_out(waiting[0][0].message)
        self._examined -= len(waiting)
        if findings is None or self._is_finishing:
            await self._conclusion.give_back([claim for claim, _ in waiting])
            return
        for claim, service in waiting:
            self._findings[claim.recipient_id] = findings
            self._put(claim, service)
        self._may_claim.set()
        self._begin_jobs()

    async def _find_out(self, message: ClaimedMessage) -> Findings | None:
        """Return what is found of a message; `None` where that comes too late, for this is the end."""
        if self._examine is None or self._is_finishing:
            return None
        examination = asyncio.ensure_future(self._examine(message))
        self._examinations.add(examination)
        try:
            return await examination
        except asyncio.CancelledError:
            return None
        finally:
            self._examinations.discard(examination)

    def _begin_jobs(self) -> None:
        for name, works in self._works.items():
            while (job := works.lane.begin()) is not None:
                self._start(self._do(job, name))

    def _start(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _do(self, job: Job, name: LaneName) -> None:
        """Deliver and settle; the next jobs need not wait for the latter."""
        numbers = [claim.recipient_id for claim in job.claims]
        findings = {number: self._findings.pop(number) for number in numbers if number in self._findings}
        depot = replace(self._make_depot(), findings=findings)
        outcomes, forwarded = await self._deliver(job, depot, self._works[name])
        self._works[name].lane.end(job)
        if name is LaneName.FOLDERS:
            self._tell_readers()
        if name is LaneName.PROGRAMS:
            self._holdings.release(job.claims)
            self._wake()
        self._may_claim.set()
        self._begin_jobs()

        def find_place(claim: Claim, _: Outcome) -> str:
            if is_forward_way(claim.destination):
                return str(find_forwarder(claim.destination))
            agent = find_agent(claim, depot)
            return "" if isinstance(agent, Miss) else agent.place

        begun_us = [depot.now_us] * len(outcomes)
        await self._conclusion.conclude(Claimed(job.claims), outcomes, begun_us, find_place, forwarded)

    async def _deliver(self, job: Job, depot: Depot, works: _Works) -> _Delivery:
        try:
            return await works.deliver(job.claims, depot, works.threads)
        except Exception as error:  # noqa: BLE001 - whatever it was, these claims are ours to settle
            self._life.log.error("delivery failed", reason=repr(error))
            return defer_batch(job.claims, _now_us(), error), {}

    async def _forward(self, claims: Sequence[Claim], depot: Depot, threads: Executor) -> _Delivery:
        return await forward_batch(claims, self._maildrop, threads, depot.now_us)

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
            find_helper(configuration),
            self._end,
        )


async def _deliver_here(claims: Sequence[Claim], depot: Depot, threads: Executor) -> _Delivery:
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(threads, deliver_batch, claims, depot), {}


def _nowhere(_claim: Claim, _outcome: Outcome) -> str:
    return ""


def _now_us() -> int:
    return time.time_ns() // 1000
