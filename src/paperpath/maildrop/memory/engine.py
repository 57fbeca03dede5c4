"""The interface of the model, put together from its parts: every operation is over when it returns."""

import asyncio
from collections.abc import Sequence
from typing import TypeVar

from paperpath.mail.outcome import Failed
from paperpath.maildrop.memory import arrivals, claiming, deeds, reading, settling, sorting
from paperpath.maildrop.memory.content import MemoryContent
from paperpath.maildrop.memory.store import MemoryStore, is_unclaimed
from paperpath.maildrop.queue_id import QueueIds
from paperpath.maildrop.values import (
    ANY_ROOM,
    Books,
    Claimed,
    ClaimedMessage,
    Decision,
    Deed,
    NewMessage,
    Overdue,
    QueueEntry,
    QueueFilter,
    QueueSummary,
    Rooms,
    Settlement,
    Stage,
    Suspension,
    Transport,
    Unsorted,
    Warned,
)

Result = TypeVar("Result")


class MemoryMaildrop:
    """One worker's door; see `interface.Maildrop` for what each method promises."""

    def __init__(self, store: MemoryStore) -> None:
        """Open as a new worker."""
        self._store = store
        self._number = store.number("worker")
        self._ids = QueueIds(self._number)
        self._served: dict[Transport, int] = {}  # the destinations that had the last turns
        store.living.add(self._number)

    def new_queue_id(self, arrived_us: int) -> str:
        """See `Maildrop`."""
        return self._ids.next(arrived_us)

    def new_content(self, queue_id: str) -> MemoryContent:
        """See `Maildrop`."""
        return MemoryContent()

    def accept(self, message: NewMessage) -> asyncio.Future[None]:
        """See `Maildrop`."""
        arrivals.accept(self._store, message)
        return _done(None)

    def forget_unique(self, keys: Sequence[str]) -> asyncio.Future[None]:
        """See `Maildrop`."""
        self._store.taken.difference_update(keys)
        return _done(None)

    def read_unique(self, after: str, limit: int) -> Sequence[str]:
        """See `Maildrop`."""
        return sorted(key for key in self._store.taken if key > after)[:limit]

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
        return Unsorted(sorting.read_unsorted(self._store, limit))

    def sort(self, decisions: Sequence[Decision], epoch: int, now_us: int) -> asyncio.Future[int]:
        """See `Maildrop`."""
        return _done(sorting.carry_out_decisions(self._store, decisions, epoch, now_us))

    def reopen_stale(self, limit: int) -> asyncio.Future[int]:
        """See `Maildrop`."""
        return _done(sorting.reopen_stale(self._store, limit))

    def release_dead(self) -> asyncio.Future[int]:
        """See `Maildrop`."""
        return _done(claiming.release_dead(self._store))

    def sweep_content(self, before_us: int) -> asyncio.Future[int]:
        """See `Maildrop`; here no content lies in a file."""
        return _done(0)

    def sweep_destinations(self, before_us: int, limit: int) -> asyncio.Future[int]:
        """See `Maildrop`."""
        return _done(deeds.sweep_destinations(self._store, before_us, limit))

    # Delivery

    def claim(
        self, transport: Transport, limit: int, now_us: int, rooms: Rooms = ANY_ROOM
    ) -> asyncio.Future[Claimed]:
        """See `Maildrop`."""
        wanted = claiming.Wanted(transport, limit, now_us, rooms, self._served.get(transport, 0))
        claims = claiming.claim_ready(self._store, self._number, wanted)
        if len(claims) >= limit:
            served = self._store.destinations[transport, claims[-1].destination]
            self._served[transport] = served.number
        return _done(Claimed(claims))

    def claim_overdue(
        self, transport: Transport, destination: str, overdue: Overdue, limit: int
    ) -> asyncio.Future[Claimed]:
        """See `Maildrop`."""
        way = transport, destination
        return _done(Claimed(claiming.claim_overdue(self._store, self._number, way, overdue, limit)))

    def give_back(self, recipient_ids: Sequence[int]) -> asyncio.Future[int]:
        """See `Maildrop`."""
        return _done(claiming.give_back(self._store, self._number, recipient_ids))

    def settle(self, settlements: Sequence[Settlement]) -> asyncio.Future[int]:
        """See `Maildrop`."""
        return _done(settling.settle(self._store, settlements, lambda found: found.worker == self._number))

    def suspend(
        self, transport: Transport, destination: str, until_us: int, reason: str
    ) -> asyncio.Future[None]:
        """See `Maildrop`."""
        deeds.suspend(self._store, transport, destination, until_us, reason)
        return _done(None)

    def resume(self, transport: Transport, destination: str) -> asyncio.Future[None]:
        """See `Maildrop`."""
        deeds.resume(self._store, transport, destination)
        return _done(None)

    def read_suspensions(self, transport: Transport) -> Sequence[Suspension]:
        """See `Maildrop`."""
        return deeds.read_suspensions(self._store, transport)

    # Delays

    def find_late(self, arrived_before_us: int, after: int, limit: int) -> Sequence[int]:
        """See `Maildrop`."""
        return settling.find_late(self._store, arrived_before_us, after, limit)

    def warn(self, warnings: Sequence[Warned]) -> asyncio.Future[int]:
        """See `Maildrop`."""
        return _done(settling.warn(self._store, warnings))

    # The operator

    def find(self, wanted: QueueFilter, after: int, limit: int) -> Sequence[QueueEntry]:
        """See `Maildrop`."""
        return reading.find(self._store, wanted, after, limit)

    def browse(self, user: str | None, after: tuple[int, int], limit: int) -> Sequence[QueueEntry]:
        """See `Maildrop`."""
        return reading.browse(self._store, user, after, limit)

    def summarize(self) -> Sequence[QueueSummary]:
        """See `Maildrop`."""
        return reading.summarize(self._store)

    def read_message(self, queue_id: str) -> ClaimedMessage | None:
        """See `Maildrop`."""
        found = (message for message in self._store.messages.values() if message.queue_id == queue_id)
        return next(found, None)

    def examine(self, recipient_ids: Sequence[int]) -> Claimed:
        """See `Maildrop`."""
        return reading.examine(self._store, recipient_ids)

    def change(self, recipient_ids: Sequence[int], deed: Deed) -> asyncio.Future[int]:
        """See `Maildrop`."""
        return _done(
            sum(deeds.carry_out(self._store, number, deed) for number in dict.fromkeys(recipient_ids))
        )

    def settle_unclaimed(self, settlements: Sequence[Settlement]) -> asyncio.Future[int]:
        """See `Maildrop`."""
        failures = [settlement for settlement in settlements if isinstance(settlement.outcome, Failed)]
        return _done(settling.settle(self._store, failures, lambda found: is_unclaimed(found.state)))

    def read_books(self) -> Books:
        """See `Maildrop`."""
        return reading.read_books(self._store)

    async def close(self) -> None:
        """See `Maildrop`."""
        self._store.living.discard(self._number)


def _done(result: Result) -> asyncio.Future[Result]:
    future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
    future.set_result(result)
    return future
