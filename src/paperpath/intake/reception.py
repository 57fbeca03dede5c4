"""One message on its way from the wire into the maildrop, as it came: the reception of the relay.

Used by the session, from 354 to the reply that takes responsibility. The content is what came, with one
Received field before it. A failure to store is kept until the end of the content, for there is one reply, and
it comes then (RFC 5321 §4.1.1.4).
"""

from collections.abc import Callable, Sequence

from paperpath.intake.budget import SpoolBudget
from paperpath.intake.deposit import Deposit, describe_failure
from paperpath.intake.hops import HopCounter
from paperpath.intake.way_in import Stored
from paperpath.mail.envelope import Envelope
from paperpath.mail.trace import Stamp, received_field
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.values import Origin
from paperpath.smtp import replies

MOST_HOPS = 100  # RFC 5321 §6.3: never below that


class RelayReception:
    """Collects one message's content and hands it over; see `way_in.Reception`."""

    origin = Origin.RELAY
    changes: Sequence[str] = ()

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
        if self._failure is not None:
            self._finish(describe_failure(self._failure))
        elif self._hops.count >= MOST_HOPS:
            self._finish(Stored(replies.R554_LOOP))
        else:
            deposit = Deposit(self._maildrop, self.envelope, self._stamp, self.origin)
            deposit.store(self._content, self._finish)

    def _finish(self, stored: Stored) -> None:
        if stored.reply.is_positive:
            self._end()
        else:
            self.discard()
        self._done(stored)

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
