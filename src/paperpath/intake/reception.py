"""One message on its way from the wire into the maildrop.

Used by the session, from 354 to the reply that takes responsibility. The content is what came, with one
Received field before it. A failure to store is kept until the end of data, for there is one reply, and it
comes then (RFC 5321 §4.1.1.4).
"""

from dataclasses import dataclass

from paperpath.mail.envelope import Envelope
from paperpath.mail.header import count_fields, header_section
from paperpath.mail.reply import Reply
from paperpath.mail.trace import Stamp, received_field
from paperpath.maildrop.interface import Maildrop, MaildropError, NewMessage, StorageError
from paperpath.smtp import replies

MOST_HOPS = 100  # RFC 5321 §6.3: never below that
_MOST_HEADER_OCTETS = 64 * 1024  # how much of a header is searched for trace fields


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a message: the reply for the client, how many octets were stored, what went wrong."""

    reply: Reply
    size: int = 0
    trouble: str = ""


class Reception:
    """Collects one message's content and hands it over."""

    def __init__(self, maildrop: Maildrop, envelope: Envelope, stamp: Stamp) -> None:
        """Begin with the Received field; `stamp` has the queue id that the maildrop gave for this message."""
        self._maildrop = maildrop
        self._envelope = envelope
        self._stamp = stamp
        self._content = maildrop.new_content(stamp.queue_id)
        self._head = b""
        self._failure: MaildropError | None = None
        recipients = envelope.recipients
        only_recipient = recipients[0] if len(recipients) == 1 else None
        self._write(received_field(envelope.client, stamp, only_recipient))

    @property
    def queue_id(self) -> str:
        """The id under which the message will be known."""
        return self._stamp.queue_id

    @property
    def envelope(self) -> Envelope:
        """The envelope."""
        return self._envelope

    def add(self, octets: bytes) -> None:
        """Take a chunk of content."""
        if len(self._head) < _MOST_HEADER_OCTETS:
            self._head += octets
        self._write(octets)

    def discard(self) -> None:
        """Give the message up; nothing of it stays."""
        self._content.discard()

    async def store(self) -> Stored:
        """Put the message into the maildrop; when a 250 comes back it is flushed (promise P2)."""
        if count_fields(header_section(self._head), b"received") >= MOST_HOPS:
            self.discard()
            return Stored(replies.R554_LOOP)
        try:
            if self._failure is not None:
                raise self._failure
            content = await self._content.finish()
            arrived_us = int(self._stamp.arrived.timestamp() * 1_000_000)
            message = NewMessage(self.queue_id, self._envelope, content, arrived_us)
            await self._maildrop.accept(message)
        except Exception as error:  # noqa: BLE001 - whatever it was, the client is owed its one reply
            self.discard()
            no_space = isinstance(error, StorageError) and error.no_space
            return Stored(replies.R452_NO_SPACE if no_space else replies.R451_NOT_STORED, trouble=repr(error))
        return Stored(replies.queued(self.queue_id), content.size)

    def _write(self, octets: bytes) -> None:
        if self._failure is None:
            try:
                self._content.write(octets)
            except MaildropError as error:
                self._failure = error
                self._content.discard()
