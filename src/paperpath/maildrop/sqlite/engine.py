"""The maildrop on SQLite: the interface, put together from writer, operations and reader.

Writing goes through the group committer; reading uses a connection of its own.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from paperpath.maildrop.content import ContentFolder, SpooledContent
from paperpath.maildrop.errors import DamagedFileError, StorageError
from paperpath.maildrop.queue_id import QueueIds
from paperpath.maildrop.sqlite import (
    arrivals,
    claiming,
    deeds,
    destinations,
    settling,
    sorting,
    warning,
    workers,
)
from paperpath.maildrop.sqlite.damage import work_around
from paperpath.maildrop.sqlite.group import Operation, Transaction
from paperpath.maildrop.sqlite.locks import WorkerLock, is_alive
from paperpath.maildrop.sqlite.reading import Reader
from paperpath.maildrop.sqlite.space import check_claims
from paperpath.maildrop.sqlite.sweeping import find_orphans, remove_orphans
from paperpath.maildrop.sqlite.writer import GroupCommitter
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


@dataclass(frozen=True, slots=True)
class Worker:
    """Who opens the maildrop: the program's name, and whether it is the one that checkpoints."""

    kind: str
    started_us: int
    checkpoints: bool = False


class SqliteMaildrop:
    """One worker's door to the queue in `folder`; see `interface.Maildrop` for what each method promises."""

    def __init__(self, folder: Path, committer: GroupCommitter, lock: WorkerLock, number: int) -> None:
        """Put the parts together; `open_sqlite` is the way to call this."""
        self._workers = folder / "workers"
        self._content = folder / "content"
        self._new_content = ContentFolder(self._content)
        self._committer = committer
        self._lock = lock
        self._number = number
        self._ids = QueueIds(number)
        self._served = dict.fromkeys(Transport, 0)  # the destinations that had the last turns
        self._reader = Reader(folder)
        self._flushers = ThreadPoolExecutor(4, "content-flush")

    def new_queue_id(self, arrived_us: int) -> str:
        """See `Maildrop`."""
        return self._ids.next(arrived_us)

    def new_content(self, queue_id: str) -> SpooledContent:
        """See `Maildrop`."""
        return SpooledContent(self._new_content, queue_id, self._flushers)

    def accept(self, message: NewMessage) -> asyncio.Future[None]:
        """See `Maildrop`."""
        return self._committer.join(message, message.content.size if message.content.file is None else 0)

    def forget_unique(self, keys: Sequence[str]) -> asyncio.Future[None]:
        """See `Maildrop`."""
        return self._committer.submit(lambda transaction: arrivals.forget_unique(transaction, keys))

    def read_unique(self, after: str, limit: int) -> Sequence[str]:
        """See `Maildrop`."""
        return self._reader.read_unique(after, limit)

    # The post office

    def read_epoch(self) -> int:
        """See `Maildrop`."""
        return self._reader.read_epoch()

    def raise_epoch(self) -> asyncio.Future[int]:
        """See `Maildrop`."""
        return self._committer.submit(sorting.raise_epoch)

    def read_unsorted(self, limit: int) -> Unsorted:
        """See `Maildrop`."""
        return self._reader.read_unsorted(limit)

    def sort(self, decisions: Sequence[Decision], epoch: int, now_us: int) -> asyncio.Future[int]:
        """See `Maildrop`."""

        def sort(part: Sequence[Decision]) -> asyncio.Future[int]:
            return self._committer.submit(
                lambda transaction: sorting.sort_recipients(transaction, part, epoch, now_us)
            )

        return work_around(sort, decisions, lambda decision: self._reader.pass_over(decision.recipient_id))

    def reopen_stale(self, limit: int) -> asyncio.Future[int]:
        """See `Maildrop`. Nothing is written while nothing is stale."""
        return asyncio.ensure_future(self._reopen_stale(limit))

    def release_dead(self) -> asyncio.Future[int]:
        """See `Maildrop`. Nothing is written while everybody lives."""
        return asyncio.ensure_future(self._release_dead())

    def sweep_content(self, before_us: int) -> asyncio.Future[int]:
        """See `Maildrop`."""
        return asyncio.ensure_future(self._sweep_content(before_us))

    def sweep_destinations(self, before_us: int, limit: int) -> asyncio.Future[int]:
        """See `Maildrop`. Nothing is written where nothing is found."""
        return asyncio.ensure_future(self._sweep_destinations(before_us, limit))

    # Delivery

    def claim(
        self, transport: Transport, limit: int, now_us: int, rooms: Rooms = ANY_ROOM
    ) -> asyncio.Future[Claimed]:
        """See `Maildrop`."""
        avoided = frozenset(self._reader.passed_over)
        wanted = claiming.Wanted(transport, limit, now_us, rooms, self._served[transport], avoided)
        return self._claim(
            transport, lambda transaction: claiming.claim_ready(transaction, self._number, wanted)
        )

    def claim_overdue(
        self, transport: Transport, destination: str, overdue: Overdue, limit: int
    ) -> asyncio.Future[Claimed]:
        """See `Maildrop`."""
        avoided = frozenset(self._reader.passed_over)
        wanted = claiming.Wanted(transport, limit, overdue.now_us, ANY_ROOM, self._served[transport], avoided)
        return self._claim(
            transport,
            lambda transaction: claiming.claim_overdue(
                transaction, self._number, wanted, destination, overdue
            ),
        )

    def give_back(self, recipient_ids: Sequence[int]) -> asyncio.Future[int]:
        """See `Maildrop`."""
        return self._committer.submit(
            lambda transaction: claiming.give_back(transaction, self._number, recipient_ids), is_urgent=True
        )

    def settle(self, settlements: Sequence[Settlement]) -> asyncio.Future[int]:
        """See `Maildrop`."""

        def settle(part: Sequence[Settlement]) -> asyncio.Future[int]:
            return self._committer.submit(
                lambda transaction: settling.settle_claims(transaction, self._number, part), is_urgent=True
            )

        return work_around(settle, settlements, lambda settlement: None)

    def suspend(
        self, transport: Transport, destination: str, until_us: int, reason: str
    ) -> asyncio.Future[None]:
        """See `Maildrop`."""
        return self._committer.submit(
            lambda transaction: destinations.suspend(transaction, (transport, destination), until_us, reason)
        )

    def resume(self, transport: Transport, destination: str) -> asyncio.Future[None]:
        """See `Maildrop`."""
        return self._committer.submit(
            lambda transaction: destinations.resume(transaction, (transport, destination))
        )

    def read_suspensions(self, transport: Transport) -> Sequence[Suspension]:
        """See `Maildrop`."""
        return self._reader.read_suspensions(transport)

    # Delays

    def find_late(self, arrived_before_us: int, after: int, limit: int) -> Sequence[int]:
        """See `Maildrop`."""
        return self._reader.find_late(arrived_before_us, after, limit)

    def warn(self, warnings: Sequence[Warned]) -> asyncio.Future[int]:
        """See `Maildrop`."""

        def warn(part: Sequence[Warned]) -> asyncio.Future[int]:
            return self._committer.submit(lambda transaction: warning.warn(transaction, part))

        return work_around(warn, warnings, lambda warned: None)

    # The operator

    def find(self, wanted: QueueFilter, after: int, limit: int) -> Sequence[QueueEntry]:
        """See `Maildrop`."""
        return self._reader.find(wanted, after, limit)

    def browse(self, user: str | None, after: tuple[int, int], limit: int) -> Sequence[QueueEntry]:
        """See `Maildrop`."""
        return self._reader.browse(user, after, limit)

    def summarize(self) -> Sequence[QueueSummary]:
        """See `Maildrop`."""
        return self._reader.summarize()

    def read_message(self, queue_id: str) -> ClaimedMessage | None:
        """See `Maildrop`."""
        return self._reader.read_message(queue_id)

    def examine(self, recipient_ids: Sequence[int]) -> Claimed:
        """See `Maildrop`."""
        return self._reader.read_claimed(recipient_ids)

    def change(self, recipient_ids: Sequence[int], deed: Deed) -> asyncio.Future[int]:
        """See `Maildrop`."""
        return self._committer.submit(lambda transaction: deeds.carry_out(transaction, recipient_ids, deed))

    def settle_unclaimed(self, settlements: Sequence[Settlement]) -> asyncio.Future[int]:
        """See `Maildrop`."""
        return self._committer.submit(lambda transaction: settling.settle_unclaimed(transaction, settlements))

    def read_books(self) -> Books:
        """See `Maildrop`."""
        return self._reader.read_books()

    async def close(self) -> None:
        """See `Maildrop`."""
        await self._committer.close()
        self._flushers.shutdown()
        self._reader.close()
        self._lock.close()

    def _claim(self, transport: Transport, operation: Operation[claiming.Taken]) -> asyncio.Future[Claimed]:
        try:
            check_claims(self._content)
        except StorageError as error:
            return _failed(error)
        return asyncio.ensure_future(self._read_claimed(self._committer.submit(operation), transport))

    async def _read_claimed(self, claimed: asyncio.Future[claiming.Taken], transport: Transport) -> Claimed:
        try:
            taken = await claimed
        except DamagedFileError:
            self._reader.pass_over_damaged(transport)  # so that the next claim goes well
            raise
        self._served[transport] = taken.served
        return self._reader.read_claimed(taken.recipients)

    async def _reopen_stale(self, limit: int) -> int:
        if not self._reader.has_stale():
            return 0
        return await self._committer.submit(lambda transaction: sorting.reopen_stale(transaction, limit))

    async def _release_dead(self) -> int:
        rows = self._reader.ask("SELECT id FROM worker WHERE id <> ?", (self._number,))
        try:
            all_live = all(is_alive(self._workers, worker) for (worker,) in rows)
        except OSError as error:
            raise StorageError(f"maildrop: {error}", no_space=False) from error
        if all_live:
            return 0
        return await self._committer.submit(
            lambda transaction: workers.release_dead_workers(transaction, self._workers, self._number)
        )

    async def _sweep_content(self, before_us: int) -> int:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._flushers, find_orphans, self._content, self._workers, before_us
        )
        named = self._reader.which_have_files([file.name for file in found])
        orphans = [file for file in found if file.name not in named]
        return await loop.run_in_executor(self._flushers, remove_orphans, orphans)

    async def _sweep_destinations(self, before_us: int, limit: int) -> int:
        if not self._reader.has_unneeded_destinations(before_us):
            return 0
        return await self._committer.submit(
            lambda transaction: destinations.sweep(transaction, before_us, limit)
        )


async def open_sqlite(folder: Path, worker: Worker, on_work: Callable[[Stage], None]) -> SqliteMaildrop:
    """Open the maildrop in `folder` as a new worker; `on_work` is called from another thread.

    Raises: SchemaError.
    """
    committer = GroupCommitter(folder, on_work, arrivals.insert_messages, checkpoints=worker.checkpoints)

    def register(transaction: Transaction) -> tuple[int, WorkerLock]:
        # Locked before the commit shows the worker to anyone, or a sweeper might take it for dead.
        number = workers.register_worker(transaction, worker.kind, worker.started_us)
        return number, WorkerLock(folder / "workers", number)

    number, lock = await committer.submit(register)
    return SqliteMaildrop(folder, committer, lock, number)


def _failed(error: StorageError) -> asyncio.Future[Claimed]:
    future: asyncio.Future[Claimed] = asyncio.get_running_loop().create_future()
    future.set_exception(error)
    return future
