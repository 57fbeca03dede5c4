"""Group commit: one thread per process writes what many ask for, in one transaction and one flush.

While one group is being flushed the next one gathers, so an idle system commits at once and a busy one in
large groups; there is no timer. What many ask for alike, to take a message, is one joint operation on all of
them, in a few statements: at each statement the thread has to get the interpreter back from the event loop
(docs/decisions/0008). A bad operation fails alone. Futures are resolved, and the stages with new work woken,
once the commit is flushed.

A commit that failed is never trusted: the connection is opened anew, and a small commit overwrites whatever
the failed one may have left in the log, so that what was refused cannot come back later; then its operations
fail.
"""

import asyncio
import contextlib
import os
import queue
import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import apsw

from paperpath.maildrop.interface import MaildropError, Stage, StorageError
from paperpath.maildrop.sqlite.database import open_database
from paperpath.maildrop.sqlite.locks import WriteLock

Result = TypeVar("Result")
MOST_OPERATIONS = 1000
GROUPS_BETWEEN_LOOKS = 64  # at the length of the log
CHECKPOINT_PAGES = 4_000
CHECKPOINT_PAGES_AT_LAST = 40_000  # for whoever does not checkpoint as a rule


@dataclass(slots=True)
class Transaction:
    """What an operation works with: a cursor, and notes for after the commit."""

    cursor: apsw.Cursor
    stages: set[Stage] = field(default_factory=set)
    unlink: list[Path] = field(default_factory=list)


Operation = Callable[[Transaction], Result]


@dataclass(slots=True)
class _Request:
    """An operation asked for, or an item for the joint operation on all items of the group."""

    future: asyncio.Future[Any]
    operation: Operation[Any] | None = None
    item: Any = None
    result: Any = None
    error: Exception | None = None


Joint = Callable[[Transaction, Sequence[Any]], None]


class GroupCommitter:
    """The one writer of a process. `on_work` is called in its thread, once per stage and group."""

    def __init__(
        self, folder: Path, on_work: Callable[[Stage], None], joint: Joint, *, checkpoints: bool
    ) -> None:
        """Open the queue and start the thread. Raises: SchemaError."""
        self._folder = folder
        self._joint = joint
        self._on_work = on_work
        self._checkpoint_pages = CHECKPOINT_PAGES if checkpoints else CHECKPOINT_PAGES_AT_LAST
        self._groups = 0
        self._connection: apsw.Connection | None = open_database(folder)
        self._lock = WriteLock(folder)
        self._requests: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run_or_die, name="maildrop-writer", daemon=True)
        self._thread.start()

    def submit(self, operation: Operation[Result]) -> asyncio.Future[Result]:
        """Have an operation committed; the future is done when it is flushed, or fails with MaildropError."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._requests.put(_Request(future, operation))
        return future

    def join(self, item: object) -> asyncio.Future[None]:
        """Have an item committed together with all others of its group, by the joint operation."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests.put(_Request(future, item=item))
        return future

    async def close(self) -> None:
        """Commit what was submitted, then end the thread."""
        self._requests.put(None)
        await asyncio.to_thread(self._thread.join)

    # In the thread

    def _run_or_die(self) -> None:
        """Run; what nobody foresaw ends the process, for without its writer it would only seem to live."""
        try:
            self._run()
        except BaseException:  # noqa: BLE001 - printed, and the end
            traceback.print_exc()
            os._exit(os.EX_SOFTWARE)

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
        """Wait for requests; return them, and whether there may be more."""
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
        _resolve(group)
        if transaction is not None:
            for file in transaction.unlink:
                with contextlib.suppress(OSError):  # a file without a message harms nobody
                    file.unlink(missing_ok=True)
            for stage in transaction.stages:
                self._on_work(stage)

    def _write(self, connection: apsw.Connection, group: list[_Request]) -> Transaction:
        """Write a group; if an operation fails, once more, each in a savepoint, so that it fails alone."""
        try:
            return self._write_all(connection, group, _do)
        except _OperationError as error:
            if isinstance(error.reason, (apsw.FullError, apsw.IOError)):
                raise error.reason from None
            connection.execute("ROLLBACK")
            return self._write_all(connection, group, _do_alone)

    def _write_all(self, connection: apsw.Connection, group: list[_Request], do: "_Doing") -> Transaction:
        cursor = connection.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        transaction = Transaction(cursor)
        joined = [request for request in group if request.operation is None]
        if joined:
            items = [request.item for request in joined]
            do(joined, lambda inside: self._joint(inside, items), transaction)
        for request in group:
            if request.operation is not None:
                do([request], request.operation, transaction)
        cursor.execute("COMMIT")
        return transaction

    def _usable_connection(self) -> apsw.Connection:
        """Return the connection; after a failed commit a new one, once it has proved that it can commit."""
        if self._connection is None:
            connection = open_database(self._folder)
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

    def _checkpoint(self) -> None:
        """Move the log into the database when it has grown: most of it beside other writers, the rest alone.

        With nothing left in it the log starts over, instead of growing for as long as there is load.
        """
        self._groups += 1
        if self._groups % GROUPS_BETWEEN_LOOKS or self._connection is None:
            return
        try:
            pages, done = self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_NOOP)
            if pages - done < self._checkpoint_pages:
                return
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            with self._lock.held():
                self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.BusyError:
            return  # somebody else is at it
        except apsw.Error:
            self._abandon()


class _OperationError(Exception):
    """An operation failed, and with it the group as it was first tried."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason


_Doing = Callable[[Sequence[_Request], Operation[Any], Transaction], None]


def _do(requests: Sequence[_Request], operation: Operation[Any], transaction: Transaction) -> None:
    """Do what one or several requests ask for. Raises: _OperationError."""
    try:
        result = operation(transaction)
    except Exception as error:
        raise _OperationError(error) from error
    for request in requests:
        request.result = result


def _do_alone(requests: Sequence[_Request], operation: Operation[Any], transaction: Transaction) -> None:
    """Do what one or several requests ask for inside a savepoint; if it fails, only they fail."""
    cursor = transaction.cursor
    cursor.execute("SAVEPOINT operation")
    try:
        _do(requests, operation, transaction)
    except _OperationError as error:
        if isinstance(error.reason, (apsw.FullError, apsw.IOError)):
            raise error.reason from None  # this is nobody's fault, and ends the group
        cursor.execute("ROLLBACK TO operation")
        for request in requests:
            request.error = _maildrop_error(error.reason)
    cursor.execute("RELEASE operation")


def _maildrop_error(error: Exception) -> MaildropError:
    if isinstance(error, MaildropError):
        return error
    failure = MaildropError(f"maildrop: {error!r}")
    failure.__cause__ = error
    return failure


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
