"""The maildrop in memory: for tests of everything above it, and the model that other engines are held to.

Same words, same outcomes, nothing durable. One `MemoryStore` is the queue; each worker opens a door to it.
"""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import Recipient
from paperpath.mail.outcome import Deferred, Delivered
from paperpath.maildrop.interface import (
    Books,
    Claim,
    ClaimedMessage,
    Content,
    NewMessage,
    Settlement,
    Sorted,
    Stage,
    Transport,
    UnsortedRecipient,
)
from paperpath.maildrop.queue_id import QueueIds

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Recipient:
    message_id: int
    accepted: Recipient
    address: Mailbox
    state: str = "unsorted"
    transport: Transport | None = None
    destination: str = ""
    due_us: int = 0
    worker: int | None = None
    tried: bool = False
    attempts: int = 0


class MemoryStore:
    """What all workers share."""

    def __init__(self, on_work: Callable[[Stage], None] = lambda stage: None) -> None:
        """Begin empty."""
        self.on_work = on_work
        self.messages: dict[int, ClaimedMessage] = {}
        self.recipients: dict[int, _Recipient] = {}
        self.living: set[int] = set()
        self.taken: set[str] = set()
        self.accepted = 0
        self.delivered = 0
        self._last = {"worker": 0, "message": 0, "recipient": 0}

    def number(self, what: str) -> int:
        """Give a number that was never given before."""
        self._last[what] += 1
        return self._last[what]


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
        store.living.add(self._number)

    def new_queue_id(self, arrived_us: int) -> str:
        """See `Maildrop`."""
        return self._ids.next(arrived_us)

    def new_content(self, queue_id: str) -> MemoryContent:
        """See `Maildrop`."""
        return MemoryContent()

    def accept(self, message: NewMessage) -> asyncio.Future[None]:
        """See `Maildrop`."""
        store, envelope = self._store, message.envelope
        if message.unique in store.taken:
            return _done(None)
        if message.unique:
            store.taken.add(message.unique)
        message_id = store.number("message")
        store.messages[message_id] = ClaimedMessage(
            message_id,
            message.queue_id,
            envelope.sender,
            envelope.parameters,
            message.arrived_us,
            message.content,
        )
        for recipient in envelope.recipients:
            store.recipients[store.number("recipient")] = _Recipient(message_id, recipient, recipient.address)
        store.accepted += len(envelope.recipients)
        store.on_work(Stage.SORTING)
        return _done(None)

    def forget_unique(self, keys: Sequence[str]) -> asyncio.Future[None]:
        """See `Maildrop`."""
        self._store.taken.difference_update(keys)
        return _done(None)

    def read_unsorted(self, limit: int) -> Sequence[UnsortedRecipient]:
        """See `Maildrop`."""
        store = self._store
        return [
            UnsortedRecipient(number, store.messages[recipient.message_id].queue_id, recipient.address)
            for number, recipient in sorted(store.recipients.items())
            if recipient.state == "unsorted"
        ][:limit]

    def sort(self, decisions: Sequence[Sorted], now_us: int) -> asyncio.Future[int]:
        """See `Maildrop`."""
        moved = 0
        for decision in decisions:
            recipient = self._store.recipients.get(decision.recipient_id)
            if recipient is None or recipient.state != "unsorted":
                continue
            moved += 1
            self._store.recipients[decision.recipient_id] = replace(
                recipient,
                state="ready",
                address=decision.address,
                transport=decision.transport,
                destination=decision.destination,
                due_us=now_us,
            )
            self._store.on_work(decision.transport.stage)
        return _done(moved)

    def claim(self, transport: Transport, limit: int, now_us: int) -> asyncio.Future[Sequence[Claim]]:
        """See `Maildrop`."""
        waiting: dict[str, list[tuple[int, int]]] = {}
        for number, recipient in self._store.recipients.items():
            if recipient.state == "ready" and recipient.transport is transport and recipient.due_us <= now_us:
                waiting.setdefault(recipient.destination, []).append((recipient.due_us, number))
        queues = [sorted(queue) for queue in waiting.values()]
        chosen: list[int] = []
        while queues and len(chosen) < limit:
            chosen.extend(queue.pop(0)[1] for queue in queues)
            queues = [queue for queue in queues if queue]
        return _done([self._claim(number) for number in chosen[:limit]])

    def settle(self, settlements: Sequence[Settlement]) -> asyncio.Future[int]:
        """See `Maildrop`."""
        return _done(sum(self._settle(settlement) for settlement in settlements))

    def release_dead(self) -> asyncio.Future[int]:
        """See `Maildrop`."""
        released = 0
        for number, recipient in self._store.recipients.items():
            if recipient.state == "claimed" and recipient.worker not in self._store.living:
                released += 1
                self._store.recipients[number] = replace(recipient, state="ready", worker=None, tried=True)
                if recipient.transport is not None:
                    self._store.on_work(recipient.transport.stage)
        return _done(released)

    def read_books(self) -> Books:
        """See `Maildrop`."""
        states = [recipient.state for recipient in self._store.recipients.values()]
        counts = [states.count(state) for state in ("unsorted", "ready", "claimed")]
        return Books(self._store.accepted, self._store.delivered, *counts)

    async def close(self) -> None:
        """See `Maildrop`."""
        self._store.living.discard(self._number)

    def _claim(self, number: int) -> Claim:
        store = self._store
        recipient = replace(store.recipients[number], state="claimed", worker=self._number)
        store.recipients[number] = recipient
        message = store.messages[recipient.message_id]
        asked = recipient.accepted
        return Claim(
            number,
            message,
            recipient.address,
            recipient.tried,
            recipient.attempts,
            asked.notify,
            asked.orcpt,
        )

    def _settle(self, settlement: Settlement) -> bool:
        store, number = self._store, settlement.recipient_id
        recipient = store.recipients.get(number)
        if recipient is None or recipient.state != "claimed" or recipient.worker != self._number:
            return False
        attempted = replace(recipient, worker=None, attempts=recipient.attempts + 1)
        match settlement.outcome:
            case Deferred(_, due_us, uncertain):
                tried = recipient.tried or uncertain
                store.recipients[number] = replace(attempted, state="ready", due_us=due_us, tried=tried)
            case Delivered():
                store.recipients[number] = replace(attempted, state="settled")
                store.delivered += 1
                self._remove_if_done(recipient.message_id)
        return True

    def _remove_if_done(self, message_id: int) -> None:
        recipients = self._store.recipients
        siblings = [number for number, sibling in recipients.items() if sibling.message_id == message_id]
        if all(recipients[number].state == "settled" for number in siblings):
            for number in siblings:
                del recipients[number]
            del self._store.messages[message_id]


def _done(result: Result) -> asyncio.Future[Result]:
    future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
    future.set_result(result)
    return future
