"""All that a relay client does for one destination: jobs that wait, and connections that take them in turn.

A connection is opened while there are more jobs than connections being opened, up to the lane's share; it is
kept for a while when there is nothing to do (requirement G-32). Each job is answered for exactly once, and
before that some of its recipients, where others have to wait.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from paperpath.config.tables import RemoteTable
from paperpath.mail.address import Mailbox
from paperpath.mail.delivered_to import R554_CIRCLE, delivery_key
from paperpath.mail.envelope import Recipient, SenderParameters
from paperpath.mail.reply import make_reply
from paperpath.mail.value import value
from paperpath.maildrop.checked import DamagedError
from paperpath.maildrop.values import Content
from paperpath.remote.connection import R451_ABANDONED, R451_UNREADABLE
from paperpath.remote.contact import Contact, Peer, UnreachedError
from paperpath.remote.facts import Facts, find_facts
from paperpath.remote.jobs import Ahead, Answered, Done, FromClient, Job, JobRecipient, Returned, Unreached
from paperpath.remote.outcomes import make_answer
from paperpath.remote.route import Route
from paperpath.smtp.client_events import Answer, RecipientAnswered
from paperpath.smtp.client_states import Wait
from paperpath.smtp.transaction import Transaction

R452_NO_ROOM = make_reply(452, "4.5.3", "The host takes none of these recipients just now")
R451_CLOSED = make_reply(451, "4.4.2", "The host closes the connection before each message")
_BEFORE_A_WORD = (Wait.RESET, Wait.MAIL)  # of a message

R451_UNFORESEEN = make_reply(451, "4.3.0", "The relay client failed in an unforeseen way")


@value
class Ways:
    """How a lane works, by the configuration of the moment."""

    route: Route
    contact: Contact
    table: RemoteTable


@dataclass(slots=True)
class _Work:
    """A job, and what its recipients have been answered so far."""

    job: Job
    answers: list[Answered | None]
    was_put_back: bool = False

    @property
    def answered(self) -> list[Answered]:
        """What those were answered that were."""
        return [answer for answer in self.answers if answer is not None]

    @property
    def is_begun(self) -> bool:
        """Whether a host has said something of it, which must not be forgotten."""
        return any(self.answers)

    @property
    def pending(self) -> list[int]:
        """Which recipients have no answer yet."""
        return [index for index, answer in enumerate(self.answers) if answer is None]


@value
class _Message:
    """What a job is to carry, and what is known of it."""

    content: Content
    facts: Facts


class Lane:
    """The jobs and connections of one destination."""

    def __init__(self, find_ways: Callable[[], Ways], report: Callable[[FromClient], None]) -> None:
        """Begin with none; `find_ways` is asked for each connection, `report` told of each job."""
        self._find_ways = find_ways
        self._report = report
        self._most = 1
        self._waiting: deque[_Work] = deque()
        self._idle: list[asyncio.Future[_Work | None]] = []
        self._servers: set[asyncio.Task[None]] = set()
        self._opening = 0  # servers that have no session yet
        self._reached = 0  # servers that have one
        self._is_full = False  # while there was one, another one was refused

    @property
    def is_empty(self) -> bool:
        """Whether there is neither a job nor a connection."""
        return not self._waiting and not self._servers

    def add(self, job: Job) -> None:
        """Take a job."""
        self._most = job.most_connections
        work = _Work(job, [None] * len(job.recipients))
        if self._idle:
            self._idle.pop().set_result(work)  # to the connection that was idle for the shortest time
        else:
            self._waiting.append(work)
            self._grow()

    def drain(self) -> None:
        """Give back what was not begun, and part from whoever has nothing to do."""
        while self._waiting:
            work = self._waiting.popleft()
            if work.is_begun:
                self._finish(work, make_answer("deferred", R451_ABANDONED), is_refused=False)
            else:
                self._report(Returned(work.job.number))
        while self._idle:
            self._idle.pop().set_result(None)

    async def wait_empty(self) -> None:
        """Wait until all connections are closed."""
        while self._servers:
            await asyncio.wait(self._servers)

    def _grow(self) -> None:
        """Open another connection, if there is work for it; but not while the host wants no more of them."""
        if self._is_full and self._reached:
            return
        if len(self._waiting) > self._opening and len(self._servers) < self._most:
            self._opening += 1
            server = asyncio.create_task(self._serve())
            self._servers.add(server)
            server.add_done_callback(self._part)

    def _part(self, server: asyncio.Task[None]) -> None:
        self._servers.discard(server)
        if server.cancelled():  # the client ends: a new connection would be one that nobody ends
            return
        if self._waiting:
            self._grow()
        if (error := server.exception()) is not None:
            raise error

    async def _serve(self) -> None:
        """Open a connection, and work off jobs over it."""
        ways = self._find_ways()
        try:
            peer = await ways.contact.reach(ways.route)
        except UnreachedError as error:
            self._give_up(error)
            return
        except Exception:
            self._give_up(UnreachedError(R451_UNFORESEEN, is_permanent=False))
            raise
        finally:
            self._opening -= 1
        self._reached += 1
        try:
            await self._work_off(peer, ways.table)
        except BaseException:
            peer.connection.abort()
            raise
        finally:
            self._reached -= 1
            self._is_full = False  # there may be room for another one now
        await peer.connection.quit()

    def _give_up(self, error: UnreachedError) -> None:
        """Report what waits, unless another connection works it off."""
        if self._reached:
            self._is_full = True
            return
        answer = make_answer("failed" if error.is_permanent else "deferred", error.reply, error.host)
        while self._waiting:
            work = self._waiting.popleft()
            if work.is_begun:
                self._finish(work, answer, is_refused=False)
            else:
                self._report(Unreached(work.job.number, answer))

    async def _work_off(self, peer: Peer, table: RemoteTable) -> None:
        """Carry one job after the other, until there is none or the host takes none."""
        for number in range(table.messages_per_connection):
            work = await self._next_work(table.idle_s)
            if work is None:
                return
            try:
                goes_on = await self._carry(work, peer, is_fresh=number == 0)
            except Exception:
                self._finish(work, make_answer("deferred", R451_UNFORESEEN), is_refused=False)
                raise
            if not goes_on:
                return

    async def _next_work(self, idle_s: float) -> _Work | None:
        """Return the next job, `None` if none comes in time."""
        if self._waiting:
            return self._waiting.popleft()
        coming: asyncio.Future[_Work | None] = asyncio.get_running_loop().create_future()
        self._idle.append(coming)
        await asyncio.wait({coming}, timeout=idle_s)
        if not coming.done():
            self._idle.remove(coming)
            return None
        return coming.result()

    async def _carry(self, work: _Work, peer: Peer, *, is_fresh: bool) -> bool:
        """Carry a job over a connection, in as many transactions as the host wants; then report it.

        What this connection does not take is left for another one. Tells whether there may be a next job.
        """
        connection = peer.connection
        content = _make_content(work.job)
        try:
            facts = await find_facts(content, is_lmtp=peer.is_lmtp)
        except DamagedError as error:
            self._finish(work, _damaged(str(error)), is_refused=False)
            return True
        except OSError:
            self._finish(work, make_answer("deferred", R451_UNREADABLE), is_refused=False)
            return True
        _refuse_circles(work, facts)
        asked = len(work.pending)
        await self._transact(work, peer, _Message(content, facts), is_fresh=is_fresh)
        if not work.pending:
            self._report(Done(work.job.number, tuple(work.answered), connection.broke_at is not None))
            return connection.is_usable
        got_on = len(work.pending) < asked
        if got_on or not (work.was_put_back or (is_fresh and connection.is_usable)):
            work.was_put_back = not got_on
            self._waiting.appendleft(work)  # for another connection
            return False
        is_refused = not connection.is_usable
        reply = R451_CLOSED if is_refused else R452_NO_ROOM
        self._finish(work, make_answer("deferred", reply), is_refused=is_refused)
        return connection.is_usable

    async def _transact(self, work: _Work, peer: Peer, message: _Message, *, is_fresh: bool) -> None:
        """Carry a job as far as this connection takes it, which may have been closed while it was idle."""
        connection = peer.connection
        while (pending := work.pending) and connection.is_usable:
            transaction = _make_transaction(work.job, pending, message.facts)
            tell = partial(self._tell_ahead, work, pending, peer)
            carried = await connection.carry(transaction, message.content, tell)
            if not is_fresh and not work.was_put_back and connection.broke_at in _BEFORE_A_WORD:
                return  # most likely it was closed before the host heard of this message
            for index, answer in zip(pending, carried.answers, strict=True):
                if answer is not None:
                    work.answers[index] = _judge(answer, peer, carried.damage)
            if work.pending == pending:  # not one was asked: this connection takes none of them (RFC 9422)
                return

    def _tell_ahead(
        self, work: _Work, asked: list[int], peer: Peer, ahead: Sequence[RecipientAnswered]
    ) -> None:
        """Report who has an answer already; `asked` are the recipients of the transaction."""
        places = tuple(asked[one.place] for one in ahead)
        answers = tuple(_judge(one.answer, peer, "") for one in ahead)
        for place, answer in zip(places, answers, strict=True):
            work.answers[place] = answer
        self._report(Ahead(work.job.number, places, answers))

    def _finish(self, work: _Work, answer: Answered, *, is_refused: bool) -> None:
        """Report a job; who has no answer yet gets this one."""
        answers = tuple(found or answer for found in work.answers)
        self._report(Done(work.job.number, answers, is_refused))


def _refuse_circles(work: _Work, facts: Facts) -> None:
    """Answer for whoever has had the message before (requirement E-16); the host may not look."""
    for index in work.pending:
        recipient = work.job.recipients[index]
        here = (recipient.address, recipient.ruler or recipient.address)
        if any(delivery_key(Mailbox(*address)) in facts.delivered_to for address in here):
            work.answers[index] = make_answer("failed", R554_CIRCLE)


def _judge(answer: Answer, peer: Peer, damage: str) -> Answered:
    """Say what the answer of a host comes to (RFC 5321 §4.2.5, requirement G-29)."""
    if damage:
        return _damaged(damage)
    host = "" if answer.is_ours else peer.host
    if answer.reply.code < 400:
        takes_over = peer.connection.takes_over
        return make_answer("delivered", answer.reply, host, takes_over=takes_over, is_final=peer.is_lmtp)
    return make_answer("deferred" if answer.reply.code < 500 else "failed", answer.reply, host)


def _damaged(damage: str) -> Answered:
    return make_answer("damaged", make_reply(451, "4.3.0", f"Damaged: {damage}"))


def _make_content(job: Job) -> Content:
    content = job.content
    file = None if content.file is None else Path(content.file)
    return Content(content.size, content.digest, content.octets, file)


def _make_transaction(job: Job, wanted: list[int], facts: Facts) -> Transaction:
    return Transaction(
        None if job.sender is None else Mailbox(*job.sender),
        [_make_recipient(job.recipients[index]) for index in wanted],
        job.content.size,
        SenderParameters(job.body, job.international, job.ret, job.envid),
        facts.has_8bit,
        facts.has_8bit_header,
    )


def _make_recipient(recipient: JobRecipient) -> Recipient:
    return Recipient(Mailbox(*recipient.address), recipient.notify, recipient.orcpt)
