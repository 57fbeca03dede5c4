"""The SQLite engine against the model: the same operations by several workers, the same answers (P2, P3, P5).

Two workers of each engine are driven with one random sequence of operations. After each the books, what an
operator finds, the summary and what waits for the post office are the same on both, and the books balance.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import Client, Envelope, Recipient
from paperpath.mail.outcome import Deferred, Delivered, Failed, Outcome, SetAside
from paperpath.mail.reply import make_reply
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.memory import MemoryMaildrop, MemoryStore
from paperpath.maildrop.sqlite.database import create_database
from paperpath.maildrop.sqlite.engine import Worker, open_sqlite
from paperpath.maildrop.values import (
    MOST_PAUSE_US,
    Aside,
    Claimed,
    Decision,
    Deed,
    Expanded,
    Hold,
    NewMessage,
    Origin,
    Overdue,
    QueueFilter,
    Refused,
    Release,
    Remove,
    Reroute,
    Retry,
    Rooms,
    Settlement,
    Sorted,
    State,
    Target,
    Transport,
    Warned,
)

pytestmark = pytest.mark.slow

Answer = TypeVar("Answer")
WORKERS = 2
MAILBOXES = st.builds(Mailbox, st.sampled_from("abc"), st.sampled_from(["x.example", "Y.example"]))
PATHS = st.none() | MAILBOXES
TRANSPORTS = st.sampled_from(Transport)
DESTINATIONS = st.sampled_from(["x.example", "y.example", "z.example"])
KEYS = st.sampled_from(["", "k1", "k2"])
WORKER = st.integers(0, WORKERS - 1)
REPLIES = st.sampled_from([make_reply(450, "4.2.0", "Busy"), make_reply(550, "5.1.1", "Nobody")])
# Near each other, so that they are often equal, and as far off as a clock can be wrong.
TIMES = st.sampled_from([0, 1, 2, 3, 4, 5, 6, 7, MOST_PAUSE_US + 5, 9 * MOST_PAUSE_US])
LIMITS = st.integers(1, 5)
ROOM = st.integers(0, 2)
ROOMS = st.builds(Rooms, ROOM | st.just(100), st.dictionaries(DESTINATIONS, ROOM))
OVERDUES = st.builds(Overdue, TIMES, TIMES, st.integers(0, 3))
OUTCOMES: st.SearchStrategy[Outcome] = (
    st.builds(Delivered, REPLIES)
    | st.builds(Failed, REPLIES)
    | st.builds(SetAside, REPLIES)
    | st.builds(Deferred, REPLIES, TIMES, st.booleans())
)
DEEDS: st.SearchStrategy[Deed] = (
    st.builds(Hold, st.sampled_from(["look", "wait"]))
    | st.just(Release())
    | st.builds(Retry, TIMES)
    | st.just(Remove())
    | st.builds(Reroute, st.sampled_from(["", "smtp:x"]))
)
TARGETS = st.builds(
    Target, MAILBOXES, PATHS, st.just("NEVER"), st.just(""), st.lists(KEYS, max_size=2).map(tuple)
)
FILTERS = st.builds(
    QueueFilter,
    recipient=st.sampled_from(["", "a@x.example"]),
    domain=st.sampled_from(["", "y.example"]),
    sender=st.sampled_from([None, "", "a@x.example"]),
    arrived_before_us=st.none() | TIMES,
    state=st.none() | st.sampled_from(State),
    error=st.sampled_from(["", "Busy", "look"]),
    destination=st.sampled_from(["", "x.example", "nowhere.example"]),
)


class Side:
    """One engine with its workers."""

    def __init__(self, open_door: Callable[[], Awaitable[Maildrop]]) -> None:
        self.open_door = open_door
        self.doors: list[Maildrop] = []


class Comparison(RuleBasedStateMachine):
    """Both engines, the model first."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.loop = asyncio.new_event_loop()
        self.sides: list[Side] = []

    @initialize()
    def open(self) -> None:
        """Open two workers of each engine, the same in number."""
        folder = Path(self.folder.name)
        create_database(folder)
        store = MemoryStore()

        async def open_memory() -> Maildrop:
            return MemoryMaildrop(store)

        async def open_file() -> Maildrop:
            return await open_sqlite(folder, Worker("test", 0), lambda stage: None)

        self.sides = [Side(open_memory), Side(open_file)]
        for side in self.sides:
            side.doors = [self.run(side.open_door()) for _ in range(WORKERS)]

    def teardown(self) -> None:
        """Close all."""
        for side in self.sides:
            for door in side.doors:
                self.run(door.close())
        self.loop.close()
        self.folder.cleanup()

    def run(self, awaitable: Awaitable[Answer]) -> Answer:
        """Wait for an answer."""

        async def wait() -> Answer:
            return await awaitable

        return self.loop.run_until_complete(wait())

    def same(self, worker: int, ask: Callable[[Maildrop, int], Coroutine[Any, Any, object]]) -> None:
        """Ask both engines the same, by the same worker, and see that the answers are equal.

        `ask` is given the door, and the number of the side, by which it finds what was made for it.
        """
        model, engine = (self.run(ask(side.doors[worker], number)) for number, side in enumerate(self.sides))
        assert engine == model

    def reports(self, worker: int, recipient: Mailbox | None) -> list[NewMessage | None]:
        """Make a report for each side, of one queue id; or none."""
        if recipient is None:
            return [None, None]
        return [self.message(side.doors[worker], None, [recipient], Origin.REPORT) for side in self.sides]

    def message(
        self,
        door: Maildrop,
        sender: Mailbox | None,
        recipients: Sequence[Mailbox],
        origin: Origin,
        unique: str = "",
        arrived_us: int = 1,
        deadline_us: int = 5,
    ) -> NewMessage:
        """Make a message."""

        async def make() -> NewMessage:
            queue_id = door.new_queue_id(arrived_us)
            writer = door.new_content(queue_id)
            writer.write(b"Subject: x\r\n\r\nx\r\n")
            envelope = Envelope(
                sender, tuple(map(Recipient, recipients)), Client("192.0.2.1", 1, "h", "ESMTP")
            )
            return NewMessage(
                queue_id, envelope, await writer.finish(), arrived_us, origin, unique, deadline_us
            )

        return self.run(make())

    @rule(
        worker=WORKER,
        sender=PATHS,
        recipients=st.lists(MAILBOXES, min_size=1, max_size=4),
        unique=KEYS,
        arrived_us=TIMES,
        deadline_us=TIMES,
    )
    def accept(
        self,
        worker: int,
        sender: Mailbox | None,
        recipients: list[Mailbox],
        unique: str,
        arrived_us: int,
        deadline_us: int,
    ) -> None:
        """Several recipients, now and then under a key that was used before."""
        messages = [
            self.message(side.doors[worker], sender, recipients, Origin.DROP, unique, arrived_us, deadline_us)
            for side in self.sides
        ]

        async def ask(door: Maildrop, side: int) -> None:
            await door.accept(messages[side])

        self.same(worker, ask)

    @rule(keys=st.lists(KEYS))
    def forget(self, keys: list[str]) -> None:
        """Keys that are there or not."""

        async def ask(door: Maildrop, _: int) -> None:
            await door.forget_unique(keys)

        self.same(0, ask)

    @rule(after=KEYS, limit=LIMITS)
    def read_unique(self, after: str, limit: int) -> None:
        """Keys by the page."""

        async def ask(door: Maildrop, _: int) -> list[str]:
            return list(door.read_unique(after, limit))

        self.same(0, ask)

    @rule(worker=WORKER)
    def raise_epoch(self, worker: int) -> None:
        """A reload."""

        async def ask(door: Maildrop, _: int) -> tuple[int, int]:
            return await door.raise_epoch(), door.read_epoch()

        self.same(worker, ask)

    @rule(worker=WORKER, limit=LIMITS)
    def reopen(self, worker: int, limit: int) -> None:
        """What follows a reload."""

        async def ask(door: Maildrop, _: int) -> int:
            return await door.reopen_stale(limit)

        self.same(worker, ask)

    @rule(worker=WORKER, late=st.booleans(), now_us=TIMES, data=st.data())
    def sort(self, worker: int, late: bool, now_us: int, data: st.DataObject) -> None:
        """Decisions of all kinds on what waits, does not wait, or never was; sometimes of an old epoch."""
        door = self.sides[0].doors[worker]
        waiting = [one.id for one in door.read_unsorted(10).recipients]
        numbers = data.draw(st.lists(st.sampled_from(waiting) if waiting else st.integers(0, 3), max_size=6))
        decisions: list[list[Decision]] = [[], []]
        for number in [*numbers, *data.draw(st.lists(st.integers(0, 9), max_size=1))]:
            for side, decision in enumerate(self.decide(worker, number, data)):
                decisions[side].append(decision)
        epoch = door.read_epoch() - late

        async def ask(door: Maildrop, side: int) -> int:
            return await door.sort(decisions[side], epoch, now_us)

        self.same(worker, ask)

    def decide(self, worker: int, number: int, data: st.DataObject) -> list[Decision]:
        """Draw one decision, for each side."""
        kind = data.draw(st.sampled_from(["sorted", "sorted", "expanded", "refused", "aside"]))
        if kind == "sorted":
            one = data.draw(st.builds(Sorted, st.just(number), MAILBOXES, TRANSPORTS, DESTINATIONS, KEYS))
            return [one, one]
        if kind == "expanded":
            targets = tuple(data.draw(st.lists(TARGETS, max_size=3)))
            return [Expanded(number, targets, report) for report in self.reports(worker, data.draw(PATHS))]
        reply = data.draw(REPLIES)
        reports = self.reports(worker, data.draw(PATHS))
        if kind == "refused":
            return [Refused(number, reply, report) for report in reports]
        return [Aside(number, reply, report) for report in reports]

    @rule(worker=WORKER, transport=TRANSPORTS, limit=LIMITS, now_us=TIMES, rooms=ROOMS)
    def claim(self, worker: int, transport: Transport, limit: int, now_us: int, rooms: Rooms) -> None:
        """The same recipients in the same order."""

        async def ask(door: Maildrop, _: int) -> Claimed:
            return await door.claim(transport, limit, now_us, rooms)

        self.same(worker, ask)

    @rule(worker=WORKER, transport=TRANSPORTS, destination=DESTINATIONS, overdue=OVERDUES, limit=LIMITS)
    def claim_overdue(
        self, worker: int, transport: Transport, destination: str, overdue: Overdue, limit: int
    ) -> None:
        """Likewise."""

        async def ask(door: Maildrop, _: int) -> Claimed:
            return await door.claim_overdue(transport, destination, overdue, limit)

        self.same(worker, ask)

    @rule(worker=WORKER, data=st.data())
    def give_back(self, worker: int, data: st.DataObject) -> None:
        """Claims of one's own, of others, and what is not claimed at all."""
        numbers = self.some(data)

        async def ask(door: Maildrop, _: int) -> int:
            return await door.give_back(numbers)

        self.same(worker, ask)

    @rule(arrived_before_us=TIMES, after=st.integers(0, 5), limit=LIMITS)
    def find_late(self, arrived_before_us: int, after: int, limit: int) -> None:
        """Who looks for delays."""

        async def ask(door: Maildrop, _: int) -> list[int]:
            return list(door.find_late(arrived_before_us, after, limit))

        self.same(0, ask)

    @rule(worker=WORKER, data=st.data())
    def warn(self, worker: int, data: st.DataObject) -> None:
        """What is open, what is not, and what was warned before; several may share a report."""
        reports = self.reports(worker, data.draw(PATHS))
        numbers = self.some(data)

        async def ask(door: Maildrop, side: int) -> int:
            return await door.warn([Warned(number, reports[side]) for number in numbers])

        self.same(worker, ask)

    @rule(worker=WORKER, data=st.data())
    def settle(self, worker: int, data: st.DataObject) -> None:
        """Claims of one's own, of others, and what is not claimed at all."""
        made = self.settlements(worker, data)

        async def ask(door: Maildrop, side: int) -> int:
            return await door.settle(made[side])

        self.same(worker, ask)

    @rule(worker=WORKER, data=st.data())
    def settle_unclaimed(self, worker: int, data: st.DataObject) -> None:
        """Likewise."""
        made = self.settlements(worker, data)

        async def ask(door: Maildrop, side: int) -> int:
            return await door.settle_unclaimed(made[side])

        self.same(worker, ask)

    def settlements(self, worker: int, data: st.DataObject) -> list[list[Settlement]]:
        """Draw settlements for each side; several may share a report."""
        reports = self.reports(worker, data.draw(PATHS))
        made: list[list[Settlement]] = [[], []]
        for number in self.some(data):
            outcome, reported = data.draw(OUTCOMES), data.draw(st.booleans())
            for side, report in enumerate(reports):
                made[side].append(Settlement(number, outcome, report if reported else None))
        return made

    def some(self, data: st.DataObject) -> list[int]:
        """Draw numbers of recipients that are open, and now and then of others."""
        entries = [entry.recipient_id for entry in self.sides[0].doors[0].find(QueueFilter(), 0, 20)]
        numbers = st.sampled_from(entries) if entries else st.integers(1, 5)
        return data.draw(st.lists(numbers | st.integers(1, 20), min_size=1, max_size=6))

    @rule(worker=WORKER, deed=DEEDS, data=st.data())
    def change(self, worker: int, deed: Deed, data: st.DataObject) -> None:
        """An operator at work."""
        numbers = self.some(data)

        async def ask(door: Maildrop, _: int) -> int:
            return await door.change(numbers, deed)

        self.same(worker, ask)

    @rule(worker=WORKER, transport=TRANSPORTS, destination=DESTINATIONS, until_us=TIMES)
    def suspend(self, worker: int, transport: Transport, destination: str, until_us: int) -> None:
        """A destination that may be known or not."""

        async def ask(door: Maildrop, _: int) -> None:
            await door.suspend(transport, destination, until_us, f"until {until_us}")

        self.same(worker, ask)

    @rule(worker=WORKER, transport=TRANSPORTS, destination=DESTINATIONS)
    def resume(self, worker: int, transport: Transport, destination: str) -> None:
        """Suspended or not."""

        async def ask(door: Maildrop, _: int) -> None:
            await door.resume(transport, destination)

        self.same(worker, ask)

    @rule(worker=WORKER, before_us=TIMES, limit=LIMITS)
    def sweep_destinations(self, worker: int, before_us: int, limit: int) -> None:
        """Destinations go that nobody needs; whose turn it is stays the same."""

        async def ask(door: Maildrop, _: int) -> int:
            return await door.sweep_destinations(before_us, limit)

        self.same(worker, ask)

    @rule(worker=WORKER)
    def die(self, worker: int) -> None:
        """A worker dies, and another takes its place."""
        for side in self.sides:
            self.run(side.doors[worker].close())
            side.doors[worker] = self.run(side.open_door())

    @rule(worker=WORKER)
    def release_dead(self, worker: int) -> None:
        """The sweeper looks."""

        async def ask(door: Maildrop, _: int) -> int:
            return await door.release_dead()

        self.same(worker, ask)

    @rule(wanted=FILTERS, after=st.integers(0, 5), limit=LIMITS)
    def find(self, wanted: QueueFilter, after: int, limit: int) -> None:
        """An operator looks."""

        async def ask(door: Maildrop, _: int) -> list[object]:
            return list(door.find(wanted, after, limit))

        self.same(0, ask)

    @invariant()
    def both_are_alike(self) -> None:
        """Everything that can be seen is the same, and the books balance."""

        async def ask(door: Maildrop, _: int) -> object:
            entries = door.find(QueueFilter(), 0, 1000)
            messages = [door.read_message(queue_id) for queue_id in {entry.queue_id for entry in entries}]
            summary = sorted(
                door.summarize(), key=lambda one: (one.state.value, one.transport, one.destination)
            )
            numbers = sorted(message.id for message in messages if message is not None)
            claims = door.examine([entry.recipient_id for entry in entries]).claims
            suspensions = [
                sorted(door.read_suspensions(transport), key=lambda one: one.destination)
                for transport in Transport
            ]
            waiting = door.read_unsorted(100)
            return door.read_books(), list(entries), claims, summary, suspensions, waiting, numbers

        self.same(1, ask)
        assert self.sides[1].doors[0].read_books().balance


TestModel = Comparison.TestCase
TestModel.settings = settings(
    max_examples=25,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
