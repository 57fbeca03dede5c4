"""Group commit: what many ask for in one process is written in one transaction and flushed once.

While one group is being flushed the next one gathers, and for a moment longer: an idle system commits at
once and a busy one in large groups. A group is written in the event loop's thread, which takes a fraction of
a millisecond and waits for no disk. The commit, which does, is one call in a thread of its own, and so is the
wait for another process that holds the write lock (docs/decisions/0008 has the reasons).
Futures are resolved, and the stages with new work woken, once the commit is flushed.

A commit that failed is never trusted: the connection is opened anew, and a small commit overwrites whatever
the failed one may have left in the log, so that what was refused cannot come back later; then its operations
fail.
"""

import asyncio
import contextlib
import functools
import os
import queue
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw

from paperpath.maildrop.content import content_file
from paperpath.maildrop.errors import MaildropError
from paperpath.maildrop.sqlite.database import open_database
from paperpath.maildrop.sqlite.group import (
    Joint,
    Operation,
    Request,
    Result,
    Transaction,
    count_group,
    settle_group,
    storage_error,
    write_group,
)
from paperpath.maildrop.sqlite.locks import WriteLock
from paperpath.maildrop.sqlite.space import is_full, name_want_of_space, release_reserve, restore_reserve
from paperpath.maildrop.sqlite.tidying import tidy
from paperpath.maildrop.values import Stage

GATHER_S = 0.002  # between two groups of a busy process: a group costs as much as ten messages in it
MOST_OPERATIONS = 500  # in one group: they hold the event loop up
MOST_OCTETS = 16 * 1024 * 1024  # likewise, and the log grows by as much
GROUPS_BETWEEN_LOOKS = 64  # at the length of the log
CHECKPOINT_PAGES = 4_000
CHECKPOINT_PAGES_AT_LAST = 40_000  # for whoever does not checkpoint as a rule
TIDY_AFTER_S = 2.0  # of idleness, by whoever checkpoints
TIDY_PAUSE_S = 0.05  # between two steps


class GroupCommitter:
    """The one writer of a process. `on_work` is called once per stage and group.

    Between `_begin` and `_go_on` a group is on its way; the connection belongs to the thread that has it.
    """

    def __init__(
        self, folder: Path, on_work: Callable[[Stage], None], joint: Joint, *, checkpoints: bool
    ) -> None:
        """Open the queue and start the thread, inside an event loop. Raises: SchemaError."""
        self._loop = asyncio.get_running_loop()
        self._folder = folder
        self._joint = joint
        self._on_work = on_work
        self._checkpoint_pages = CHECKPOINT_PAGES if checkpoints else CHECKPOINT_PAGES_AT_LAST
        self._groups = 0
        self._tidies = checkpoints
        self._tidying: asyncio.TimerHandle | None = None
        self._connection: apsw.Connection | None = open_database(folder)
        self._lock = WriteLock(folder)
        self._waiting: list[Request] = []
        self._alone = 0  # how many of the first that wait are to be a group each
        self._on_its_way = False
        self._idle = asyncio.Event()
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run_or_die, name="maildrop-writer", daemon=True)
        self._thread.start()

    def submit(self, operation: Operation[Result], *, is_urgent: bool = False) -> asyncio.Future[Result]:
        """Have an operation committed; the future is done when it is flushed, or fails with MaildropError."""
        return self._ask(Request(self._loop.create_future(), operation, is_urgent=is_urgent))

    def join(self, item: object, octets: int) -> asyncio.Future[None]:
        """Have an item committed together with all others of its group, by the joint operation."""
        return self._ask(Request(self._loop.create_future(), item=item, octets=octets))

    async def close(self) -> None:
        """Commit what was submitted, then end the thread."""
        while self._on_its_way:
            self._idle.clear()
            await self._idle.wait()
        self._tidies = False
        self._stop_tidying()
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)
        self._lock.close()
        if self._connection is not None:
            self._connection.close()

    # In the event loop

    def _ask(self, request: Request) -> asyncio.Future[Any]:
        self._waiting.append(request)
        if not self._on_its_way:
            self._on_its_way = True
            self._loop.call_soon(self._begin)  # after all that came with this one
        return request.future

    def _begin(self) -> None:
        if self._connection is not None and self._lock.take():
            self._write()
        else:
            self._jobs.put(self._wait_for_turn)

    def _write(self) -> None:
        """Write the group that has gathered; we have the write lock, and a connection that can commit."""
        assert self._connection is not None
        most = 1 if self._alone else MOST_OPERATIONS
        count = count_group(self._waiting, most, MOST_OCTETS)
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        self._alone -= self._alone > 0
        try:
            transaction = write_group(self._connection, group, self._joint)
        except (apsw.Error, MaildropError) as error:
            failure = error
            self._jobs.put(lambda: self._fail(group, failure))
        else:
            self._jobs.put(lambda: self._commit(group, transaction))

    def _finish(self, group: list[Request], transaction: Transaction | None) -> None:
        settle_group(group)
        if transaction is not None:
            for stage in transaction.stages:
                self._on_work(stage)
        self._go_on()

    def _go_on(self) -> None:
        if self._waiting:
            self._loop.call_later(GATHER_S, self._begin)
        else:
            self._on_its_way = False
            self._idle.set()
            self._tidy_after(TIDY_AFTER_S)

    def _try_again(self, failed: list[Request], again: list[Request]) -> None:
        settle_group(failed)
        for request in again:
            request.error = None
        self._waiting[:0] = again
        self._go_on()

    def _try_alone(self, group: list[Request]) -> None:
        self._alone = len(group)
        self._try_again([], group)

    def _tidy_after(self, pause_s: float) -> None:
        self._stop_tidying()
        if self._tidies:
            self._tidying = self._loop.call_later(pause_s, self._begin_tidying)

    def _stop_tidying(self) -> None:
        if self._tidying is not None:
            self._tidying.cancel()

    def _begin_tidying(self) -> None:
        if not self._on_its_way and self._connection is not None:
            self._on_its_way = True
            self._jobs.put(self._tidy)

    def _tidied(self, *, is_more: bool) -> None:
        if self._waiting:
            self._begin()
            return
        self._on_its_way = False
        self._idle.set()
        if is_more:
            self._tidy_after(TIDY_PAUSE_S)

    # In the thread

    def _run_or_die(self) -> None:
        """Do the jobs; what nobody foresaw ends the process, which without a writer would only seem alive."""
        try:
            while (job := self._jobs.get()) is not None:
                job()
                del job  # or the last futures would live until the next group
        except BaseException:  # noqa: BLE001 - printed, and the end
            traceback.print_exc()
            os._exit(os.EX_SOFTWARE)

    def _hand_back(self, callback: Callable[..., None], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has gone, and with it whoever waited
            self._loop.call_soon_threadsafe(callback, *arguments)

    def _wait_for_turn(self) -> None:
        try:
            self._lock.wait()
        except OSError as error:
            self._hand_back(self._refuse_all, error)
            return
        try:
            self._renew_connection()
        except (apsw.Error, MaildropError) as error:
            self._lock.release()
            self._hand_back(self._refuse_all, error)
        else:
            self._hand_back(self._write)

    def _refuse_all(self, error: Exception) -> None:
        """Fail what waits, in the event loop: there is no way to write."""
        group, self._waiting = self._waiting, []
        self._finish(_failed(group, error), None)

    def _commit(self, group: list[Request], transaction: Transaction) -> None:
        try:
            transaction.cursor.execute("COMMIT")
        except apsw.Error as error:
            self._fail(group, error)
            return
        self._lock.release()
        for queue_id in transaction.gone:
            with contextlib.suppress(OSError):  # a file without a message harms nobody, and is swept
                content_file(self._folder / "content", queue_id).unlink(missing_ok=True)
        self._checkpoint()
        self._hand_back(self._finish, group, transaction)

    def _fail(self, group: list[Request], error: Exception) -> None:
        """Give a group up. What its commit may have left is overwritten before anyone is told.

        What is urgent is tried again where the disk was full and a reserve could be given up. All are tried
        again, each in a transaction of its own, where one of them met with a damaged page.
        """
        error = name_want_of_space(error, self._connection)
        self._abandon()
        urgent = [request for request in group if request.is_urgent]
        has_room = bool(urgent) and is_full(error, self._folder) and release_reserve(self._folder)
        with contextlib.suppress(apsw.Error, MaildropError):  # else the next group tries
            self._renew_connection()
        self._lock.release()
        if isinstance(error, apsw.CorruptError) and len(group) > 1:
            self._hand_back(self._try_alone, group)
        elif has_room:
            others = [request for request in group if not request.is_urgent]
            self._hand_back(self._try_again, _failed(others, error), urgent)
        else:
            self._hand_back(self._finish, _failed(group, error), None)

    def _tidy(self) -> None:
        is_more = False
        if self._connection is not None:
            try:
                restore_reserve(self._folder)
                is_more = tidy(self._connection, self._lock, self._folder)
            except apsw.BusyError:
                pass  # somebody else is at it
            except (apsw.Error, MaildropError, OSError):
                self._abandon()
        self._hand_back(functools.partial(self._tidied, is_more=is_more))

    def _renew_connection(self) -> None:
        """After a failed commit, open a new connection that has proved that it can commit."""
        if self._connection is None:
            connection = open_database(self._folder)
            try:
                connection.execute("UPDATE meta SET mended = mended + 1")
            except apsw.Error:
                connection.close()
                raise
            self._connection = connection

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
            self._lock.wait()
            try:
                self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            finally:
                self._lock.release()
        except apsw.BusyError:
            return  # somebody else is at it
        except apsw.Error:
            self._abandon()


def _failed(group: list[Request], error: Exception) -> list[Request]:
    failure = storage_error(error)
    for request in group:
        request.error = failure
    return group
