"""The maildrop on SQLite: the interface, put together from writer, operations and reader.

Writing goes through the group committer; reading uses a connection of its own in the event loop's thread, in
statements so short that they pin no log and hold nobody up.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw

from paperpath.mail.address import parse_mailbox
from paperpath.mail.envelope import SenderParameters
from paperpath.maildrop.content import SpooledContent, content_file
from paperpath.maildrop.interface import (
    Books,
    Claim,
    ClaimedMessage,
    Content,
    NewMessage,
    Settlement,
    Sorted,
    Stage,
    StorageError,
    Transport,
    UnsortedRecipient,
)
from paperpath.maildrop.queue_id import QueueIds
from paperpath.maildrop.sqlite import operations
from paperpath.maildrop.sqlite.database import fetch, open_database
from paperpath.maildrop.sqlite.group import Transaction
from paperpath.maildrop.sqlite.locks import WorkerLock, is_alive
from paperpath.maildrop.sqlite.operations import ClaimedRow
from paperpath.maildrop.sqlite.writer import GroupCommitter

_READ_UNSORTED = """
    SELECT recipient.id, queue_id, address FROM recipient JOIN message ON message.id = message_id
    WHERE state = 'unsorted' ORDER BY recipient.id LIMIT ?
"""
_READ_MESSAGES = """
    SELECT message.id, queue_id, sender, body, international, ret, envid,
           arrived_us, size, digest, content_file, octets
    FROM json_each(?) JOIN message ON message.id = value LEFT JOIN content ON content.message_id = message.id
"""
_READ_BOOKS = """
    SELECT recipients, delivered,
           (SELECT count(*) FROM recipient WHERE state = 'unsorted'),
           (SELECT count(*) FROM recipient WHERE state = 'ready'),
           (SELECT count(*) FROM recipient WHERE state = 'claimed')
    FROM meta
"""


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
        self._committer = committer
        self._lock = lock
        self._number = number
        self._ids = QueueIds(number)
        self._reader = open_database(folder)
        self._flushers = ThreadPoolExecutor(4, "content-flush")

    def new_queue_id(self, arrived_us: int) -> str:
        """See `Maildrop`."""
        return self._ids.next(arrived_us)

    def new_content(self, queue_id: str) -> SpooledContent:
        """See `Maildrop`."""
        return SpooledContent(self._content, queue_id, self._flushers)

    def accept(self, message: NewMessage) -> asyncio.Future[None]:
        """See `Maildrop`."""
        return self._committer.join(message)

    def forget_unique(self, keys: Sequence[str]) -> asyncio.Future[None]:
        """See `Maildrop`."""
        nothing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        nothing.set_result(None)
        return nothing

    def read_unsorted(self, limit: int) -> Sequence[UnsortedRecipient]:
        """See `Maildrop`."""
        rows = self._read(_READ_UNSORTED, (limit,))
        return [UnsortedRecipient(number, queue_id, parse_mailbox(text)) for number, queue_id, text in rows]

    def sort(self, decisions: Sequence[Sorted], now_us: int) -> asyncio.Future[int]:
        """See `Maildrop`."""
        return self._committer.submit(
            lambda transaction: operations.sort_recipients(transaction, decisions, now_us)
        )

    def claim(self, transport: Transport, limit: int, now_us: int) -> asyncio.Future[Sequence[Claim]]:
        """See `Maildrop`."""
        claimed = self._committer.submit(
            lambda transaction: operations.claim_ready(transaction, self._number, transport, limit, now_us)
        )
        return asyncio.ensure_future(self._with_messages(claimed))

    def settle(self, settlements: Sequence[Settlement]) -> asyncio.Future[int]:
        """See `Maildrop`."""
        return self._committer.submit(
            lambda transaction: operations.settle_claims(
                transaction, self._number, settlements, self._content
            )
        )

    def release_dead(self) -> asyncio.Future[int]:
        """See `Maildrop`. Nothing is written while everybody lives."""
        rows = self._read("SELECT id FROM worker WHERE id <> ?", (self._number,))
        try:
            all_live = all(is_alive(self._workers, worker) for (worker,) in rows)
        except OSError as error:
            raise StorageError(f"maildrop: {error}", no_space=False) from error
        if all_live:
            nobody: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            nobody.set_result(0)
            return nobody
        return self._committer.submit(
            lambda transaction: operations.release_dead_workers(transaction, self._workers, self._number)
        )

    def read_books(self) -> Books:
        """See `Maildrop`."""
        (counts,) = self._read(_READ_BOOKS)
        return Books(*counts)

    async def close(self) -> None:
        """See `Maildrop`."""
        await self._committer.close()
        self._flushers.shutdown()
        self._reader.close()
        self._lock.close()

    def _read(self, statement: str, bindings: tuple[Any, ...] = ()) -> list[Any]:
        """Read in the event loop's thread. Raises: StorageError."""
        try:
            return fetch(self._reader, statement, bindings)
        except apsw.Error as error:
            raise StorageError(f"maildrop: {error}", no_space=False) from error

    async def _with_messages(self, claimed: asyncio.Future[list[ClaimedRow]]) -> Sequence[Claim]:
        rows = await claimed
        messages = self._read_messages({message_id for _, message_id, *_ in rows})
        return [
            Claim(
                recipient_id,
                messages[message_id],
                parse_mailbox(address),
                bool(tried),
                attempts,
                notify,
                orcpt,
            )
            for recipient_id, message_id, address, tried, attempts, notify, orcpt in rows
        ]

    def _read_messages(self, ids: set[int]) -> dict[int, ClaimedMessage]:
        messages = {}
        rows = self._read(_READ_MESSAGES, (json.dumps(list(ids)),))
        for (
            number,
            queue_id,
            sender,
            body,
            utf8,
            ret,
            envid,
            arrived_us,
            size,
            digest,
            in_file,
            octets,
        ) in rows:
            file = content_file(self._content, queue_id) if in_file else None
            content = Content(size, digest, octets, file)
            mailbox = parse_mailbox(sender) if sender else None
            parameters = SenderParameters(body, bool(utf8), ret, envid)
            messages[number] = ClaimedMessage(number, queue_id, mailbox, parameters, arrived_us, content)
        return messages


async def open_sqlite(folder: Path, worker: Worker, on_work: Callable[[Stage], None]) -> SqliteMaildrop:
    """Open the maildrop in `folder` as a new worker; `on_work` is called from another thread.

    Raises: SchemaError.
    """
    committer = GroupCommitter(folder, on_work, operations.insert_messages, checkpoints=worker.checkpoints)

    def register(transaction: Transaction) -> tuple[int, WorkerLock]:
        # Locked before the commit shows the worker to anyone, or a sweeper might take it for dead.
        number = operations.register_worker(transaction, worker.kind, worker.started_us)
        return number, WorkerLock(folder / "workers", number)

    number, lock = await committer.submit(register)
    return SqliteMaildrop(folder, committer, lock, number)
