"""Group commit: one thread per process writes what many ask for, in one transaction and one flush.

While one group is being flushed the next one gathers, so an idle system commits at once and a busy one in
large groups; there is no timer. Each operation runs inside its own savepoint: a bad one fails alone. Futures
are resolved, and the stages with new work are woken, only after the commit is flushed.

A commit that failed is never trusted: the connection is opened anew, and a small commit overwrites whatever
the failed one may have left in the log, so that what was refused cannot come back later; then its operations
fail.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import apsw

from paperpath.maildrop.interface import MaildropError, Stage, StorageError
from paperpath.maildrop.sqlite.database import open_database
from paperpath.maildrop.sqlite.locks import WriteLock

Result = TypeVar("Result")
MOST_OPERATIONS = 1000
CHECKPOINT_PAGES = 4_000
CHECKPOINT_PAGES_AT_LAST = 40_000  # for whoever does not checkpoint as a rule


@dataclass(slots=True)
class Transaction:
    """What an operation works with: a cursor inside its savepoint, and notes for after the commit."""

    cursor: apsw.Cursor
    accepted: int = 0
    delivered: int = 0
    stages: set[Stage] = field(default_factory=set)
    unlink: list[Path] = field(default_factory=list)


Operation = Callable[[Transaction], Result]


@dataclass(slots=True)
class _Request:
    operation: Operation[Any]
    future: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None


class GroupCommitter:
    """The one writer of a process. `on_work` is called in its thread, once per stage and group."""

    def __init__(self, folder: Path, on_work: Callable[[Stage], None], *, checkpoints: bool) -> None:
        """Open the queue and start the thread. Raises: SchemaError."""
        self._folder = folder
        self._on_work = on_work
        self._checkpoint_pages = CHECKPOINT_PAGES if checkpoints else CHECKPOINT_PAGES_AT_LAST
        self._wal_pages = 0
        self._connection: apsw.Connection | None = self._open()
        self._lock = WriteLock(folder)
        self._requests: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="maildrop-writer", daemon=True)
        self._thread.start()

    def submit(self, operation: Operation[Result]) -> asyncio.Future[Result]:
        """Have an operation committed; the future is done when it is flushed, or fails with MaildropError."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._requests.put(_Request(operation, future))
        return future

    async def close(self) -> None:
        """Commit what was submitted, then end the thread."""
        self._requests.put(None)
        await asyncio.to_thread(self._thread.join)

    # In the thread

    def _run(self) -> None:
        running = True
        while running:
            group, running = self._gather()
            if group:
                self._commit(group)
            del group  # or the last futures would live until the next group
            self._checkpoint()
        self._lock.close()
        if self._connection is not None:
            self._connection.close()

    def _gather(self) -> tuple[list[_Request], bool]:
        group: list[_Request] = []
        request = self._requests.get()
        while request is not None:
            group.append(request)
            if len(group) == MOST_OPERATIONS or self._requests.empty():
                return group, True
            request = self._requests.get()
        return group, False

    def _commit(self, group: list[_Request]) -> None:
        transaction: Transaction | None = None
        try:
            with self._lock.held():
                transaction = self._write(self._usable_connection(), group)
        except (apsw.Error, OSError, MaildropError) as error:
            self._abandon()
            self._mend()
            failure = _storage_error(error)
            for request in group:
                request.error = failure
        else:
            for file in transaction.unlink:
                file.unlink(missing_ok=True)
        _resolve(group)
        if transaction is not None:
            for stage in transaction.stages:
                self._on_work(stage)

    def _write(self, connection: apsw.Connection, group: list[_Request]) -> Transaction:
        cursor = connection.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        transaction = Transaction(cursor)
        for request in group:
            _perform(request, transaction)
            if not connection.in_transaction:  # a full disk ends the whole transaction
                no_space = isinstance(request.error, apsw.FullError)
                raise StorageError(f"maildrop: {request.error}", no_space=no_space)
        if transaction.accepted or transaction.delivered:
            cursor.execute(
                "UPDATE meta SET accepted = accepted + ?, delivered = delivered + ?",
                (transaction.accepted, transaction.delivered),
            )
        cursor.execute("COMMIT")
        return transaction

    def _usable_connection(self) -> apsw.Connection:
        """Return the connection; after a failed commit a new one, once it has proved that it can commit."""
        if self._connection is None:
            connection = self._open()
            try:
                connection.execute("UPDATE meta SET mended = mended + 1")
            except apsw.Error:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _mend(self) -> None:
        """Overwrite what the failed commit left, before anyone is told; else the next group tries."""
        with contextlib.suppress(apsw.Error, OSError, MaildropError), self._lock.held():
            self._usable_connection()

    def _abandon(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(apsw.Error):
                connection.close(True)

    def _open(self) -> apsw.Connection:
        connection = open_database(self._folder)
        connection.set_wal_hook(self._note_wal_pages)
        return connection

    def _note_wal_pages(self, connection: apsw.Connection, name: str, pages: int) -> int:
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def _checkpoint(self) -> None:
        """Move the log into the database when it has grown: most of it beside other writers, the rest alone.

        With nothing left in it the log starts over, instead of growing for as long as there is load.
        """
        if self._wal_pages < self._checkpoint_pages or self._connection is None:
            return
        self._wal_pages = 0
        try:
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            with self._lock.held():
                self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.BusyError:
            return  # somebody else is at it
        except apsw.Error:
            self._abandon()


def _perform(request: _Request, transaction: Transaction) -> None:
    cursor = transaction.cursor
    accepted, delivered = transaction.accepted, transaction.delivered
    cursor.execute("SAVEPOINT operation")
    try:
        request.result = request.operation(transaction)
    except Exception as error:  # noqa: BLE001 - whatever went wrong is this operation's answer
        request.error = error
        transaction.accepted, transaction.delivered = accepted, delivered
        with contextlib.suppress(apsw.Error):
            cursor.execute("ROLLBACK TO operation")
    with contextlib.suppress(apsw.Error):
        cursor.execute("RELEASE operation")


def _storage_error(error: Exception) -> StorageError:
    if isinstance(error, StorageError):
        return error
    return StorageError(f"maildrop: {error}", no_space=isinstance(error, apsw.FullError))


def _resolve(group: list[_Request]) -> None:
    """Hand results back to the event loops, one wake-up for the group."""
    loop = group[0].future.get_loop()

    def hand_back() -> None:
        for request in group:
            if request.future.done():  # cancelled; what was committed stays committed
                continue
            if request.error is not None:
                request.future.set_exception(request.error)
            else:
                request.future.set_result(request.result)

    with contextlib.suppress(RuntimeError):  # the loop has gone, and with it whoever waited
        loop.call_soon_threadsafe(hand_back)
