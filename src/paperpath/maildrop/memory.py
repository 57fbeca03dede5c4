"""The maildrop in memory: for tests of everything above it, and the model that other engines are held to.

Same words, same outcomes, nothing durable. One `MemoryStore` is the queue; each worker opens a door to it.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from paperpath.mail.address import Mailbox, format_mailbox
from paperpath.mail.domain import domain_key
from paperpath.mail.outcome import Deferred, Delivered, Failed, Outcome, SetAside
from paperpath.maildrop.queue_id import QueueIds
from paperpath.maildrop.values import (
    MOST_PAUSE_US,
    Aside,
    Books,
    Claim,
    Claimed,
    ClaimedMessage,
    Content,
    Damaged,
    Decision,
    Deed,
    Expanded,
    Hold,
    NewMessage,
    Origin,
    QueueEntry,
    QueueFilter,
    QueueSummary,
    Refused,
    Release,
    Remove,
    Reroute,
    Retry,
    Settlement,
    Sorted,
    Stage,
    State,
    Target,
    Transport,
    Unsorted,
    UnsortedRecipient,
)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Recipient:
    message_id: int
    accepted_address: Mailbox
    address: Mailbox
    return_path: Mailbox | None
    notify: str
    orcpt: str
    deadline_us: int
    expanded_via: tuple[str, ...] = ()
    route_override: str = ""
    state: State = State.UNSORTED
    epoch: int = 0
    key: str = ""
    transport: Transport | None = None
    destination: str = ""
    due_us: int = 0
    worker: int | None = None
    tried: bool = False
    attempts: int = 0
    last_reply: str = ""


@dataclass(frozen=True, slots=True)
class _Suspension:
    until_us: int
    reason: str
    probe: int | None = None


@dataclass(slots=True)
class _Counts:
    accepted: int = 0
    reported: int = 0
    made: int = 0
    expanded: int = 0
    delivered: int = 0
    relayed: int = 0
    failed: int = 0
    discarded: int = 0
    removed: int = 0


@dataclass(slots=True)
class MemoryStore:
    """What all workers share."""

    on_work: Callable[[Stage], None] = lambda stage: None
    messages: dict[int, ClaimedMessage] = field(default_factory=dict)
    recipients: dict[int, _Recipient] = field(default_factory=dict)
    destinations: dict[tuple[Transport, str], None] = field(default_factory=dict)  # in order of appearance
    suspensions: dict[tuple[Transport, str], _Suspension] = field(default_factory=dict)
    living: set[int] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)
    counts: _Counts = field(default_factory=_Counts)
    epoch: int = 1
    last: dict[str, int] = field(default_factory=lambda: {"worker": 0, "message": 0, "recipient": 0})

    def number(self, what: str) -> int:
        """Give a number that was never given before."""
        self.last[what] += 1
        return self.last[what]


class MemoryContent:
    """A `ContentWriter` that keeps everything in memory, whatever its size."""

    def __init__(self) -> None:
        """Begin empty."""
        self._chunks: list[bytes] = []

    def write(self, octets: bytes) -> None:
        """See `ContentWriter`."""
        self._chunks.append(octets)

    def finish(self) -> asyncio.Future[Content]:
        """See `ContentWriter`."""
        octets = b"".join(self._chunks)
        return _done(Content(len(octets), hashlib.sha256(octets).digest(), octets, None))

    def discard(self) -> None:
        """See `ContentWriter`."""
        self._chunks.clear()


class MemoryMaildrop:
    """One worker's door; see `interface.Maildrop` for what each method promises."""

    def __init__(self, store: MemoryStore) -> None:
        """Open as a new worker."""
        self._store = store
        self._number = store.number("worker")
        self._ids = QueueIds(self._number)
        self._served: dict[Transport, str] = {}  # the destinations that had the last turns
        store.living.add(self._number)

    def new_queue_id(self, arrived_us: int) -> str:
        """See `Maildrop`."""
        return self._ids.next(arrived_us)

    def new_content(self, queue_id: str) -> MemoryContent:
        """See `Maildrop`."""
        return MemoryContent()

    def accept(self, message: NewMessage) -> asyncio.Future[None]:
        """See `Maildrop`."""
        self._accept(message)
        return _done(None)

    def forget_unique(self, keys: Sequence[str]) -> asyncio.Future[None]:
        """See `Maildrop`."""
        self._store.taken.difference_update(keys)
        return _done(None)

    # The post office

    def read_epoch(self) -> int:
        """See `Maildrop`."""
        return self._store.epoch

    def raise_epoch(self) -> asyncio.Future[int]:
        """See `Maildrop`."""
        self._store.epoch += 1
        self._store.on_work(Stage.SORTING)
        return _done(self._store.epoch)

    def read_unsorted(self, limit: int) -> Unsorted:
        """See `Maildrop`."""
        return Unsorted(
            tuple(self._unsorted(number, found) for number, found in self._in_state(State.UNSORTED))[:limit]
        )

    def sort(self, decisions: Sequence[Decision], epoch: int, now_us: int) -> asyncio.Future[int]:
        """See `Maildrop`."""
        if epoch != self._store.epoch:
            return _done(0)
        moved, reports = 0, []
        waiting = {number for number, _ in self._in_state(State.UNSORTED)}
        for decision in decisions:
            recipient = self._store.recipients.get(decision.recipient_id)
            if (
                recipient is None
                or recipient.state is not State.UNSORTED
                or decision.recipient_id not in waiting
            ):
                continue
            moved += 1
            match decision:
                case Sorted():
                    self._sort(decision, recipient, now_us)
                case Expanded(number, targets):
                    self._expand(number, recipient, targets)
                case Refused(number, reply, report):
                    self._close(number, replace(recipient, last_reply=str(reply)), "failed")
                    reports.append(report)
                case Aside(number, reply, notice):
                    self._change(number, state=State.HELD, last_reply=str(reply))
                    reports.append(notice)
        self._report(reports)
        return _done(moved)

    def reopen_stale(self, limit: int) -> asyncio.Future[int]:
        """See `Maildrop`."""
        stale = sorted(
            (recipient.epoch, number)
            for number, recipient in self._in_state(State.READY)
            if recipient.epoch < self._store.epoch
        )
        for _, number in stale[:limit]:
            self._reopen(number)
        return _done(len(stale[:limit]))

    def release_dead(self) -> asyncio.Future[int]:
        """See `Maildrop`."""
        dead = [
            number
            for number, recipient in self._in_state(State.CLAIMED)
            if recipient.worker not in self._store.living
        ]
        for number in dead:
            self._change(number, state=State.READY, worker=None, tried=True)
            transport = self._store.recipients[number].transport
            if transport is not None:
                self._store.on_work(transport.stage)
        return _done(len(dead))

    def sweep_content(self, before_us: int) -> asyncio.Future[int]:
        """See `Maildrop`; here no content lies in a file."""
        return _done(0)

    # Delivery

    def claim(self, transport: Transport, limit: int, now_us: int) -> asyncio.Future[Claimed]:
        """See `Maildrop`."""
        waiting: dict[str, list[tuple[bool, int, int]]] = {name: [] for name in self._in_turn(transport)}
        for number, recipient in self._in_state(State.READY):
            due_us = recipient.due_us
            if recipient.transport is transport and _is_over(due_us, now_us):
                waiting[recipient.destination].append((due_us > now_us, due_us, number))
        queues = [
            sorted(queue)[: self._room(transport, name, limit, now_us)] for name, queue in waiting.items()
        ]
        chosen: list[int] = []
        while (queues := [queue for queue in queues if queue]) and len(chosen) < limit:
            chosen.extend(queue.pop(0)[2] for queue in queues)
        claims = tuple(self._claim(number) for number in chosen[:limit])
        if len(claims) == limit:
            self._served[transport] = claims[-1].destination
        return _done(Claimed(claims))

    def settle(self, settlements: Sequence[Settlement]) -> asyncio.Future[int]:
        """See `Maildrop`."""
        return _done(self._settle(settlements, lambda found: found.worker == self._number))

    def suspend(
        self, transport: Transport, destination: str, until_us: int, reason: str
    ) -> asyncio.Future[None]:
        """See `Maildrop`."""
        self._store.destinations[transport, destination] = None
        self._store.suspensions[transport, destination] = _Suspension(until_us, reason)
        return _done(None)

    def resume(self, transport: Transport, destination: str) -> asyncio.Future[None]:
        """See `Maildrop`."""
        self._store.suspensions.pop((transport, destination), None)
        self._store.on_work(transport.stage)
        return _done(None)

    # The operator

    def find(self, wanted: QueueFilter, after: int, limit: int) -> Sequence[QueueEntry]:
        """See `Maildrop`."""
        entries = [
            self._entry(number, recipient)
            for number, recipient in sorted(self._store.recipients.items())
            if number > after and recipient.state is not State.SETTLED
        ]
        return [entry for entry in entries if _matches(entry, wanted)][:limit]

    def summarize(self) -> Sequence[QueueSummary]:
        """See `Maildrop`."""
        groups: dict[tuple[State, str, str], list[int]] = {}
        for recipient in self._store.recipients.values():
            if recipient.state is State.SETTLED:
                continue
            by = (recipient.state, recipient.transport.value if recipient.transport else "")
            arrived_us = self._store.messages[recipient.message_id].arrived_us
            groups.setdefault((*by, recipient.destination), []).append(arrived_us)
        return [self._summary(*by, arrivals) for by, arrivals in groups.items()]

    def read_message(self, queue_id: str) -> ClaimedMessage | None:
        """See `Maildrop`."""
        found = (message for message in self._store.messages.values() if message.queue_id == queue_id)
        return next(found, None)

    def examine(self, recipient_ids: Sequence[int]) -> Claimed:
        """See `Maildrop`."""
        found = [(number, self._store.recipients.get(number)) for number in recipient_ids]
        gone = (Damaged(number, "", "it is gone") for number, recipient in found if recipient is None)
        there = (self._describe(number, recipient) for number, recipient in found if recipient is not None)
        return Claimed(tuple(there), tuple(gone))

    def change(self, recipient_ids: Sequence[int], deed: Deed) -> asyncio.Future[int]:
        """See `Maildrop`."""
        return _done(sum(self._carry_out(number, deed) for number in dict.fromkeys(recipient_ids)))

    def settle_unclaimed(self, settlements: Sequence[Settlement]) -> asyncio.Future[int]:
        """See `Maildrop`."""
        failures = [settlement for settlement in settlements if isinstance(settlement.outcome, Failed)]
        return _done(self._settle(failures, lambda found: _is_unclaimed(found.state)))

    def read_books(self) -> Books:
        """See `Maildrop`."""
        counts = self._store.counts
        states = [recipient.state for recipient in self._store.recipients.values()]
        return Books(
            counts.accepted,
            counts.reported,
            counts.made,
            counts.expanded,
            counts.delivered,
            counts.relayed,
            counts.failed,
            counts.discarded,
            counts.removed,
            *(states.count(state) for state in State if state is not State.SETTLED),
        )

    async def close(self) -> None:
        """See `Maildrop`."""
        self._store.living.discard(self._number)

    # Steps

    def _accept(self, message: NewMessage) -> None:
        store, envelope = self._store, message.envelope
        if message.unique and message.unique in store.taken:
            return
        store.taken.add(message.unique)
        message_id = store.number("message")
        store.messages[message_id] = ClaimedMessage(
            message_id,
            message.queue_id,
            envelope.sender,
            envelope.parameters,
            message.arrived_us,
            message.content,
            message.origin,
            envelope.client,
        )
        for asked in envelope.recipients:
            store.recipients[store.number("recipient")] = _Recipient(
                message_id,
                asked.address,
                asked.address,
                envelope.sender,
                asked.notify,
                asked.orcpt,
                message.deadline_us,
            )
        if message.origin is Origin.REPORT:
            store.counts.reported += len(envelope.recipients)
        else:
            store.counts.accepted += len(envelope.recipients)
        store.on_work(Stage.SORTING)

    def _report(self, reports: Iterable[NewMessage | None]) -> None:
        for report in {report.queue_id: report for report in reports if report is not None}.values():
            self._accept(report)

    def _in_state(self, state: State) -> list[tuple[int, _Recipient]]:
        return [found for found in sorted(self._store.recipients.items()) if found[1].state is state]

    def _change(self, number: int, **changes: object) -> None:
        recipient = self._store.recipients[number]
        self._store.recipients[number] = replace(recipient, **changes)  # type: ignore[arg-type]

    def _unsorted(self, number: int, recipient: _Recipient) -> UnsortedRecipient:
        message = self._store.messages[recipient.message_id]
        return UnsortedRecipient(
            number,
            message.queue_id,
            message.arrived_us,
            recipient.address,
            recipient.accepted_address,
            recipient.return_path,
            recipient.notify,
            recipient.orcpt,
            recipient.expanded_via,
            recipient.route_override,
            message.origin is Origin.REPORT,
        )

    def _sort(self, decision: Sorted, recipient: _Recipient, now_us: int) -> None:
        equals = (
            sibling
            for number, sibling in self._store.recipients.items()
            if sibling.message_id == recipient.message_id and number != decision.recipient_id
        )
        if decision.key and any(sibling.key == decision.key for sibling in equals):
            self._close(decision.recipient_id, recipient, "expanded")
            return
        self._store.destinations[decision.transport, decision.destination] = None
        goes_the_same_way = (recipient.transport, recipient.destination) == (
            decision.transport,
            decision.destination,
        )
        self._change(
            decision.recipient_id,
            state=State.READY,
            epoch=self._store.epoch,
            address=decision.address,
            transport=decision.transport,
            destination=decision.destination,
            key=decision.key,
            due_us=max(recipient.due_us if goes_the_same_way else 0, now_us, decision.not_before_us),
        )
        self._store.on_work(decision.transport.stage)

    def _expand(self, number: int, recipient: _Recipient, targets: Sequence[Target]) -> None:
        store = self._store
        for target in targets:
            store.recipients[store.number("recipient")] = _Recipient(
                recipient.message_id,
                recipient.accepted_address,
                target.address,
                target.return_path,
                target.notify,
                target.orcpt,
                recipient.deadline_us,
                target.expanded_via,
                recipient.route_override,
            )
        store.counts.made += len(targets)
        store.on_work(Stage.SORTING)
        self._close(number, recipient, "expanded")

    def _reopen(self, number: int) -> None:
        self._change(number, state=State.UNSORTED, key="")
        self._store.on_work(Stage.SORTING)

    def _in_turn(self, transport: Transport) -> list[str]:
        """List destinations in the order in which they appeared, beginning behind the one served last."""
        names = [name for way, name in self._store.destinations if way is transport]
        served = self._served.get(transport)
        begin = names.index(served) + 1 if served is not None else 0
        return names[begin:] + names[:begin]

    def _room(self, transport: Transport, destination: str, limit: int, now_us: int) -> int:
        """Tell how many may be claimed for a destination."""
        suspension = self._store.suspensions.get((transport, destination))
        if suspension is None:
            return limit
        probe = self._store.recipients.get(suspension.probe or 0)
        is_probed = probe is not None and probe.state is State.CLAIMED
        return 1 if _is_over(suspension.until_us, now_us) and not is_probed else 0

    def _claim(self, number: int) -> Claim:
        store = self._store
        self._change(number, state=State.CLAIMED, worker=self._number)
        recipient = store.recipients[number]
        assert recipient.transport is not None
        target = recipient.transport, recipient.destination
        if (suspension := store.suspensions.get(target)) is not None:
            store.suspensions[target] = replace(suspension, probe=number)
        return self._describe(number, recipient)

    def _describe(self, number: int, recipient: _Recipient) -> Claim:
        return Claim(
            number,
            self._store.messages[recipient.message_id],
            recipient.address,
            recipient.accepted_address,
            recipient.return_path,
            recipient.destination,
            recipient.tried,
            recipient.attempts,
            recipient.notify,
            recipient.orcpt,
            recipient.deadline_us,
        )

    def _settle(self, settlements: Sequence[Settlement], may: Callable[[_Recipient], bool]) -> int:
        settled, reports = 0, []
        for settlement in settlements:
            recipient = self._store.recipients.get(settlement.recipient_id)
            if recipient is None or recipient.state is State.SETTLED or not may(recipient):
                continue
            settled += 1
            reports.append(settlement.report)
            self._record(settlement.recipient_id, recipient, settlement.outcome)
        self._report(reports)
        return settled

    def _record(self, number: int, recipient: _Recipient, outcome: Outcome) -> None:
        attempts = recipient.attempts + (recipient.state is State.CLAIMED)
        attempted = replace(recipient, worker=None, attempts=attempts, last_reply=str(outcome.reply))
        match outcome:
            case Deferred(_, due_us, uncertain):
                tried = recipient.tried or uncertain
                self._store.recipients[number] = replace(
                    attempted, state=State.READY, due_us=due_us, tried=tried
                )
            case SetAside():
                self._store.recipients[number] = replace(attempted, state=State.HELD)
            case Delivered():
                self._close(
                    number, attempted, "relayed" if attempted.transport is Transport.REMOTE else "delivered"
                )
            case Failed():
                self._close(number, attempted, "failed")

    def _carry_out(self, number: int, deed: Deed) -> bool:
        recipient = self._store.recipients.get(number)
        if recipient is None or not _is_unclaimed(recipient.state):
            return False
        match deed:
            case Hold(reason) if recipient.state is not State.HELD:
                self._change(number, state=State.HELD, last_reply=reason)
            case Release() if recipient.state is State.HELD:
                self._reopen(number)
            case Retry(now_us) if recipient.state is State.READY and recipient.transport is not None:
                self._change(number, due_us=now_us)
                self._store.suspensions.pop((recipient.transport, recipient.destination), None)
                self._store.on_work(recipient.transport.stage)
            case Remove():
                self._close(number, recipient, "removed")
            case Reroute(route):
                self._change(number, route_override=route)
                self._reopen(number)
            case _:
                return False
        return True

    def _close(self, number: int, recipient: _Recipient, how: str) -> None:
        """Settle a recipient; it stays as a tombstone while its message has an open one."""
        store = self._store
        store.recipients[number] = replace(recipient, state=State.SETTLED, worker=None)
        setattr(store.counts, how, getattr(store.counts, how) + 1)
        siblings = [
            other for other, found in store.recipients.items() if found.message_id == recipient.message_id
        ]
        if all(store.recipients[other].state is State.SETTLED for other in siblings):
            for other in siblings:
                del store.recipients[other]
            del store.messages[recipient.message_id]

    def _entry(self, number: int, recipient: _Recipient) -> QueueEntry:
        message = self._store.messages[recipient.message_id]
        return QueueEntry(
            number,
            message.queue_id,
            _format(message.sender),
            _format(recipient.return_path),
            format_mailbox(recipient.address),
            format_mailbox(recipient.accepted_address),
            recipient.state,
            recipient.transport.value if recipient.transport else "",
            recipient.destination,
            recipient.due_us,
            recipient.attempts,
            recipient.last_reply,
            message.arrived_us,
            message.content.size,
            recipient.expanded_via,
            recipient.route_override,
            message.origin.value,
            recipient.notify,
            recipient.orcpt,
        )

    def _summary(self, state: State, transport: str, destination: str, arrivals: list[int]) -> QueueSummary:
        suspension = (
            self._store.suspensions.get((Transport(transport), destination)) if transport else None
        ) or _Suspension(0, "")
        return QueueSummary(
            state,
            transport,
            destination,
            len(arrivals),
            min(arrivals),
            suspension.until_us,
            suspension.reason,
        )


def _is_over(until_us: int, now_us: int) -> bool:
    """Tell whether a time has come, or lies where only a clock set back can have put it."""
    return not now_us < until_us <= now_us + MOST_PAUSE_US


def _is_unclaimed(state: State) -> bool:
    return state in (State.UNSORTED, State.READY, State.HELD)


def _matches(entry: QueueEntry, wanted: QueueFilter) -> bool:
    return (
        (not wanted.queue_id or entry.queue_id == wanted.queue_id)
        and (not wanted.recipient or wanted.recipient in (entry.address, entry.accepted_address))
        and (not wanted.domain or domain_key(entry.address.rpartition("@")[2]) == wanted.domain)
        and (wanted.sender is None or entry.sender == wanted.sender)
        and (wanted.arrived_before_us is None or entry.arrived_us < wanted.arrived_before_us)
        and (wanted.state is None or entry.state is wanted.state)
        and wanted.error in entry.last_reply
    )


def _format(mailbox: Mailbox | None) -> str:
    return format_mailbox(mailbox) if mailbox else ""


def _done(result: Result) -> asyncio.Future[Result]:
    future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
    future.set_result(result)
    return future
