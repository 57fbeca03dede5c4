"""A message whose content is whole goes into the maildrop: the last step of every reception.

Promise: whatever fails, `done` is called once, with the reply that the client is owed.
"""

import asyncio
from collections.abc import Callable

from paperpath.intake.way_in import Stored
from paperpath.mail.envelope import Envelope
from paperpath.mail.trace import Stamp
from paperpath.maildrop.errors import StorageError
from paperpath.maildrop.interface import ContentWriter, Maildrop
from paperpath.maildrop.values import Content, NewMessage, Origin
from paperpath.smtp import replies


class Deposit:
    """Hands one message over."""

    def __init__(
        self, maildrop: Maildrop, envelope: Envelope, stamp: Stamp, origin: Origin, unique: str = ""
    ) -> None:
        """Take what is known of the message beside its content; `unique`: see `NewMessage`."""
        self._maildrop = maildrop
        self._envelope = envelope
        self._stamp = stamp
        self._origin = origin
        self._unique = unique

    def store(self, content: ContentWriter, done: Callable[[Stored], None]) -> None:
        """Complete the content, and have the maildrop take responsibility, then call `done`."""
        self._done = done
        try:
            finished = content.finish()
        except Exception as error:  # noqa: BLE001 - whatever it was, the client is owed its one reply
            done(describe_failure(error))
            return
        if finished.done():
            self._accept(finished)
        else:
            finished.add_done_callback(self._accept)

    def _accept(self, finished: asyncio.Future[Content]) -> None:
        stamp = self._stamp
        try:
            content = finished.result()
            arrived_us = int(stamp.arrived.timestamp() * 1_000_000)
            message = NewMessage(
                stamp.queue_id, self._envelope, content, arrived_us, self._origin, self._unique
            )
            accepted = self._maildrop.accept(message)
        except Exception as error:  # noqa: BLE001 - as above
            self._done(describe_failure(error))
            return
        self._size = content.size
        accepted.add_done_callback(self._accepted)

    def _accepted(self, accepted: asyncio.Future[None]) -> None:
        error = accepted.exception()
        if isinstance(error, Exception):
            self._done(describe_failure(error))
        else:
            self._done(Stored(replies.queued(self._stamp.queue_id), self._size))


def describe_failure(error: Exception) -> Stored:
    """Say what a message gets that could not be stored."""
    no_space = isinstance(error, StorageError) and error.no_space
    return Stored(replies.R452_NO_SPACE if no_space else replies.R451_NOT_STORED, trouble=repr(error))
