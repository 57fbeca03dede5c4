"""One message on its way from the wire into the maildrop.

Used by the session, from 354 to the reply that takes responsibility. The content is what came, with one
Received field before it. A failure to store is kept until the end of the content, for there is one reply, and
it comes then (RFC 5321 §4.1.1.4).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from paperpath.intake.budget import SpoolBudget
from paperpath.intake.hops import HopCounter
from paperpath.mail.envelope import Envelope
from paperpath.mail.reply import Reply
from paperpath.mail.trace import Stamp, received_field
from paperpath.maildrop.errors import StorageError
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.values import Content, NewMessage
from paperpath.smtp import replies

MOST_HOPS = 100  # RFC 5321 §6.3: never below that


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a message: the reply for the client, how many octets were stored, what went wrong."""

    reply: Reply
    size: int = 0
    trouble: str = ""


class Reception:
    """Collects one message's content and hands it over."""

    def __init__(self, maildrop: Maildrop, budget: SpoolBudget, envelope: Envelope, stamp: Stamp) -> None:
        """Begin with the Received field; `stamp` has the queue id that the maildrop gave for this message."""
        self._maildrop = maildrop
        self._budget = budget
        self._taken = 0  # octets of the budget
        self.envelope = envelope
        self._stamp = stamp
        self._content = maildrop.new_content(stamp.queue_id)
        self._hops = HopCounter()
        self._failure: Exception | None = None
        recipients = envelope.recipients
        only_recipient = recipients[0].address if len(recipients) == 1 else None
        self._write(received_field(envelope.client, stamp, only_recipient))

    @property
    def queue_id(self) -> str:
        """The id under which the message will be known."""
        return self._stamp.queue_id

    @property
    def message_id(self) -> str:
        """The message's own id as far as it has come in, for the journal."""
        return self._hops.message_id

    def add(self, octets: bytes) -> None:
        """Take a chunk of content."""
        self._hops.add(octets)
        self._write(octets)

    def discard(self) -> None:
        """Give the message up; nothing of it stays."""
        self._content.discard()
        self._end()

    def store(self, done: Callable[[Stored], None]) -> None:
        """Put the message into the maildrop, then call `done`; with a 250 it is flushed (promise P2)."""
        self._done = done
        try:
            if self._failure is not None:
                raise self._failure
            if self._hops.count >= MOST_HOPS:
                self.discard()
                done(Stored(replies.R554_LOOP))
                return
            finished = self._content.finish()
        except Exception as error:  # noqa: BLE001 - whatever it was, the client is owed its one reply
            self._fail(error)
            return
        if finished.done():
            self._accept(finished)
        else:
            finished.add_done_callback(self._accept)

    def _accept(self, finished: asyncio.Future[Content]) -> None:
        try:
            content = finished.result()
            arrived_us = int(self._stamp.arrived.timestamp() * 1_000_000)
            message = NewMessage(self.queue_id, self.envelope, content, arrived_us)
            accepted = self._maildrop.accept(message)
        except Exception as error:  # noqa: BLE001 - as above
            self._fail(error)
            return
        self._size = content.size
        accepted.add_done_callback(self._accepted)

    def _accepted(self, accepted: asyncio.Future[None]) -> None:
        error = accepted.exception()
        if isinstance(error, Exception):
            self._fail(error)
            return
        self._end()
        self._done(Stored(replies.queued(self.queue_id), self._size))

    def _fail(self, error: Exception) -> None:
        self.discard()
        no_space = isinstance(error, StorageError) and error.no_space
        self._done(
            Stored(replies.R452_NO_SPACE if no_space else replies.R451_NOT_STORED, trouble=repr(error))
        )

    def _write(self, octets: bytes) -> None:
        if self._failure is None:
            try:
                self._budget.take(len(octets))
                self._taken += len(octets)
                self._content.write(octets)
            except Exception as error:  # noqa: BLE001 - kept for the one reply
                self._failure = error
                self.discard()

    def _end(self) -> None:
        self._budget.give_back(self._taken)
        self._taken = 0
