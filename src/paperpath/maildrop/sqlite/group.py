"""A group of operations written in one transaction: together as a rule, each in a savepoint when one fails.

What many ask for alike, to take a message, is one joint operation on all of them, in a few statements. Called
by the committer in the event loop's thread; nothing here commits.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import apsw

from paperpath.maildrop.errors import DamagedFileError, MaildropError, StorageError
from paperpath.maildrop.values import Stage

Result = TypeVar("Result")


@dataclass(slots=True)
class Transaction:
    """What an operation works with: a cursor, and notes for after the commit.

    `gone` are the queue ids of messages that are no more and whose content lay in a file.
    """

    cursor: apsw.Cursor
    stages: set[Stage] = field(default_factory=set)
    gone: list[str] = field(default_factory=list)


# After one of these nothing can be committed: of a damaged file SQLite reads no further in a transaction.
_FAILURES_OF_ALL = (apsw.FullError, apsw.IOError, apsw.CorruptError)

Operation = Callable[[Transaction], Result]
Joint = Callable[[Transaction, Sequence[Any]], None]


@dataclass(slots=True)
class Request:
    """An operation asked for, or an item for the joint operation on all items of the group.

    `octets` is about how much it puts into the queue; `is_urgent`: it may use the disk's reserve.
    """

    future: asyncio.Future[Any]
    operation: Operation[Any] | None = None
    item: Any = None
    octets: int = 0
    is_urgent: bool = False
    result: Any = None
    error: Exception | None = None


def write_group(connection: apsw.Connection, group: Sequence[Request], joint: Joint) -> Transaction:
    """Write a group, all but the commit; if an operation fails, once more, so that it fails alone.

    Raises: apsw.Error, when it is the disk, the file or the lock that fails, and with it the whole group.
    """
    try:
        return _write(connection, group, joint, _do)
    except _OperationError as error:
        if isinstance(error.reason, _FAILURES_OF_ALL):
            raise error.reason from None
        connection.execute("ROLLBACK")
        return _write(connection, group, joint, _do_alone)


def count_group(waiting: Sequence[Request], most: int, most_octets: int) -> int:
    """Tell how many of those that wait make the next group: one at least, whatever its size."""
    octets = 0
    for count, request in enumerate(waiting[:most]):
        octets += request.octets
        if octets > most_octets and count:
            return count
    return min(len(waiting), most)


def settle_group(group: Sequence[Request]) -> None:
    """Hand each its result or its error, once the group was committed or has failed."""
    for request in group:
        if request.future.done():  # cancelled; what was committed stays committed
            continue
        if request.error is not None:
            request.future.set_exception(request.error)
        else:
            request.future.set_result(request.result)


def storage_error(error: Exception) -> StorageError:
    """Say in our words why nothing could be stored."""
    if isinstance(error, StorageError):
        return error
    if isinstance(error, apsw.CorruptError):
        return DamagedFileError(error)
    return StorageError(f"maildrop: {error}", no_space=isinstance(error, apsw.FullError))


class _OperationError(Exception):
    """An operation failed, and with it the group as it was first tried."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason


_Doing = Callable[[Sequence[Request], Operation[Any], Transaction], None]


def _write(connection: apsw.Connection, group: Sequence[Request], joint: Joint, do: _Doing) -> Transaction:
    cursor = connection.cursor()
    cursor.execute("BEGIN IMMEDIATE")
    transaction = Transaction(cursor)
    joined = [request for request in group if request.operation is None]
    if joined:
        items = [request.item for request in joined]
        do(joined, lambda inside: joint(inside, items), transaction)
    for request in group:
        if request.operation is not None:
            do([request], request.operation, transaction)
    return transaction


def _do(requests: Sequence[Request], operation: Operation[Any], transaction: Transaction) -> None:
    """Do what one or several requests ask for. Raises: _OperationError."""
    try:
        result = operation(transaction)
    except Exception as error:
        raise _OperationError(error) from error
    for request in requests:
        request.result = result


def _do_alone(requests: Sequence[Request], operation: Operation[Any], transaction: Transaction) -> None:
    """Do what one or several requests ask for inside a savepoint; if it fails, only they fail."""
    cursor = transaction.cursor
    cursor.execute("SAVEPOINT operation")
    try:
        _do(requests, operation, transaction)
    except _OperationError as error:
        if isinstance(error.reason, _FAILURES_OF_ALL):
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
