"""Reads a batch: drives the sans-IO core as a session does, with nobody there to hear a reply (RFC 2442).

Used by who runs it. Whatever is well formed is taken; who cannot have the message is reported to its sender.
Messages are processed in order, each one flushed, with what must be reported, before the next is looked at
(requirement J-24). The first line that is no command, or comes out of turn, ends the batch: what follows
could be content that somebody takes for commands. So does a line that ends otherwise than the first (J-27).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

from paperpath.intake.chronicle import Chronicle, Command
from paperpath.intake.guest import Guest
from paperpath.intake.space import FreeSpace
from paperpath.intake.way_in import Stored
from paperpath.journal.events import show_address
from paperpath.mail.address import format_path
from paperpath.mail.envelope import Client
from paperpath.mail.reply import Reply, make_reply
from paperpath.mail.shown import show_path
from paperpath.mail.trace import Stamp
from paperpath.maildrop.interface import Maildrop
from paperpath.smtp import events, replies
from paperpath.smtp.server import ServerConnection
from paperpath.smtp.settings import Settings
from paperpath.smtp.states import State
from paperpath.submission.batch.errors import InterruptedBatchError, InvalidBatchError
from paperpath.submission.batch.memory import BatchMemory
from paperpath.submission.batch.message import BatchMessage
from paperpath.submission.batch.returning import Returns
from paperpath.submission.batch.source import BatchSource
from paperpath.submission.way_in import SubmissionWayIn

R550_TOO_MANY_RECIPIENTS = make_reply(550, "5.5.3", "Too many recipients for one message")

# More than SIZE can declare: the core would refuse the command, and the batch end there.
_NO_LIMIT = 10**20


@dataclass(frozen=True, slots=True)
class Office:
    """What processes a batch, and how much of it: `size` and `most_recipients` are those of one message.

    `now` gives the time with its offset from UTC.
    """

    hostname: str
    size: int
    most_recipients: int
    most_returned: int
    way_in: SubmissionWayIn
    maildrop: Maildrop
    space: FreeSpace
    returns: Returns
    chronicle: Chronicle
    now: Callable[[], datetime]


@dataclass(slots=True)
class Tally:
    """How many messages were accepted, returned to their senders, and processed by an earlier run."""

    accepted: int = 0
    returned: int = 0
    before: int = 0


class BatchReader:
    """Processes one batch, handed in by a guest; `tally` says what came of it, however it ends."""

    def __init__(self, office: Office, source: BatchSource, memory: BatchMemory, guest: Guest) -> None:
        """Begin before the first octet."""
        settings = Settings(office.hostname, _NO_LIMIT, _NO_LIMIT, dsn=True, submission=True)
        self.tally = Tally()
        self._office = office
        self._source = source
        self._memory = memory
        self._guest = guest
        self._core = ServerConnection(settings)
        self._client = Client("", 0, "", "SMTP", service=guest.service.value, account=guest.user)
        self._message: BatchMessage | None = None

    async def run(self) -> None:
        """Process the batch to its end. Raises: BatchError, MaildropError, OSError."""
        source, core = self._source, self._core
        while octets := await source.read():
            core.receive(octets)
            await self._advance()
            core.octets_to_send()  # to nobody
        if source.is_mixed:
            line = source.find_line(0) + 1
            raise InvalidBatchError(f"line {line}: it ends otherwise than the first one, or holds a bare CR")
        if core.pending_octets or core.state not in (State.CONNECTED, State.READY, State.CLOSED):
            raise self._make_error("the batch ends within a message or a line")

    def break_off(self) -> None:
        """Let go of a message that was begun, for nothing more of it will be read."""
        if self._message is not None:
            self._office.chronicle.break_off(self._message.make_envelope(self._client), None)
        self._give_up()

    def _give_up(self) -> None:
        if self._message is not None:
            self._message.discard()
            self._message = None

    async def _advance(self) -> None:
        if self._core.state is State.CLOSED:
            self._see_nothing_follows(self._source.find_text(self._core.pending_octets))
        while (event := self._core.next_event()) is not None:
            if isinstance(event, events.ContentEnded):
                await self._finish(event)
            else:
                self._HANDLERS[type(event)](self, event)

    def _take_hello(self, event: events.HelloReceived) -> None:
        self._give_up()
        self._client = replace(self._client, hello=event.name, protocol="ESMTP" if event.extended else "SMTP")

    def _take_sender(self, event: events.SenderReceived) -> None:
        office = self._office
        if not office.space.has_room(min(event.size or 0, office.size)):
            raise InterruptedBatchError(str(replies.R452_NO_SPACE))
        reply, sender = office.way_in.judge_sender(event.sender, self._guest)
        refusal = None
        if not reply.is_positive:  # whom nobody may write as gets no report either, but the postmaster does
            refusal, sender = reply, None
        elif event.size is not None and event.size > office.size:
            refusal = replies.R552_TOO_BIG
        if refusal is not None:
            self._tell_refused("MAIL", f"FROM:{format_path(event.sender)}", "MAIL", refusal)
        self._message = BatchMessage(sender, event.parameters, refusal, office.most_returned)
        self._core.reply(replies.R250_SENDER)

    def _take_recipient(self, event: events.RecipientReceived) -> None:
        office, message, recipient = self._office, self._message, event.recipient
        assert message is not None
        address = recipient.address
        reply, found = office.way_in.judge_recipient(address, self._guest)
        if found is not address:
            recipient = replace(recipient, address=found)
        if message.refusal is not None:
            reply = message.refusal
        elif message.taken == office.most_recipients:
            reply = R550_TOO_MANY_RECIPIENTS
        if reply.is_positive:
            message.take(recipient)
        elif len(message.refused) < office.most_recipients:
            message.refuse(recipient, reply)
            self._tell_refused("RCPT", f"TO:{format_path(address)}", show_path(address), reply)
        else:
            raise self._make_error("more recipients than can be reported")
        self._core.reply(replies.R250_RECIPIENT)

    def _begin_content(self, event: events.ContentBegun) -> None:
        message = self._message
        assert message is not None
        if self._core.state is State.CHUNKS:  # they count octets that may have had other line ends
            raise self._make_error("BDAT is not for batches")
        if not message.taken:
            return
        client = self._client
        if message.parameters.international:  # RFC 6531 §4.3
            client = replace(client, protocol="UTF8" + client.protocol.removeprefix("E"))
        stamp = self._make_stamp()
        message.reception = self._office.way_in.receive(message.make_envelope(client), stamp, self._guest)

    def _take_content(self, event: events.ContentReceived) -> None:
        if self._message is not None:
            self._message.add(event.octets, self._office.size)

    def _take_drop(self, event: events.TransactionDropped) -> None:
        self._give_up()

    def _take_refusal(self, event: events.CommandRefused) -> None:
        raise self._make_error(str(event.reply))

    def _take_quit(self, event: events.QuitReceived) -> None:
        self._give_up()
        self._see_nothing_follows(self._source.find_text(event.behind))

    def _see_nothing_follows(self, text: bytes) -> None:
        if text.strip():
            raise self._make_error("something follows QUIT")

    async def _finish(self, event: events.ContentEnded) -> None:
        """Process a message whose end has come, unless that was done before."""
        message = self._message
        assert message is not None
        message.add(event.octets, self._office.size)
        key = await self._memory.find_key(self._source.mark(self._core.pending_octets))
        if self._memory.has(key):
            message.discard()
            self.tally.before += 1
        else:
            await self._process(message, key)
        self._message = None
        self._core.reply(replies.R250_DONE)

    async def _process(self, message: BatchMessage, key: str) -> None:
        """Take a message, or report why not; the key is taken with the last that there is to do."""
        reception, report = message.reception, self._office.returns.report
        if reception is None or message.octets > self._office.size:
            if reception is not None:
                self._office.chronicle.drop(reception, replies.R552_TOO_BIG)
            message.discard()
            taken = message.refuse_taken(self._client, replies.R552_TOO_BIG)
            queue_id = self._make_stamp().queue_id
            await report(message, queue_id, self._client, [*message.refused, *taken], key)
            self.tally.returned += 1
            return
        if message.refused:
            await report(message, reception.queue_id, self._client, message.refused, f"{key}:report")
        reception.unique = key
        stored = await _store(message)
        self._office.chronicle.conclude(reception, stored)
        if stored.reply.is_positive:
            self.tally.accepted += 1
        elif stored.reply.code < 500:
            raise InterruptedBatchError(str(stored.reply))
        else:
            taken = message.refuse_taken(self._client, stored.reply)
            await report(message, reception.queue_id, self._client, taken, key)
            self.tally.returned += 1

    def _make_stamp(self) -> Stamp:
        now = self._office.now()
        queue_id = self._office.maildrop.new_queue_id(int(now.timestamp() * 1_000_000))
        return Stamp(self._office.hostname, queue_id, now)

    def _make_error(self, reason: str) -> InvalidBatchError:
        return InvalidBatchError(f"line {self._source.find_line(self._core.pending_octets)}: {reason}")

    def _tell_refused(self, verb: str, argument: str, shown: str, reply: Reply) -> None:
        sender = "" if self._message is None else show_address(self._message.sender)
        command = Command(verb, argument, 0, shown)
        self._office.chronicle.refuse(self._client.hello, sender, command, reply)

    _HANDLERS: ClassVar[dict[type, Callable[["BatchReader", Any], None]]] = {
        events.HelloReceived: _take_hello,
        events.SenderReceived: _take_sender,
        events.RecipientReceived: _take_recipient,
        events.ContentBegun: _begin_content,
        events.ContentReceived: _take_content,
        events.TransactionDropped: _take_drop,
        events.CommandRefused: _take_refusal,
        events.QuitReceived: _take_quit,
    }


async def _store(message: BatchMessage) -> Stored:
    done: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
    assert message.reception is not None
    message.reception.store(done.set_result)
    return await done
