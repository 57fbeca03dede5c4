"""One SMTP client session: drives the sans-IO core over a connection, and asks policy and maildrop.

Used by smtprd. Promise: memory is bounded whatever the client sends, since reading stops while
the core has enough to chew or the client does not read our replies (promise P6); a message is acknowledged
only when the maildrop says that it is flushed (P2).
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from paperpath.intake.reception import Reception, Stored
from paperpath.mail.address import Mailbox, domain_key, format_path
from paperpath.mail.envelope import Client, Envelope
from paperpath.mail.reply import Reply
from paperpath.mail.trace import Stamp
from paperpath.maildrop.interface import Maildrop
from paperpath.service.log import Log
from paperpath.smtp import replies, server
from paperpath.smtp.server import ServerConnection, Settings
from paperpath.smtp.states import State

MOST_PENDING_OCTETS = 64 * 1024
MOST_WAITING_OCTETS = 16 * 1024  # of replies, before they are sent
CLOSE_S = 30.0  # how long a client may take to read the last of them


@dataclass(frozen=True, slots=True)
class Service:
    """What every session of a program shares. `now` gives the time with its offset from UTC."""

    settings: Settings
    maildrop: Maildrop
    judge_recipient: Callable[[Mailbox], Reply]
    now: Callable[[], datetime]
    idle_timeout_s: float
    log: Log


class Sessions:
    """The sessions of a program that live."""

    def __init__(self) -> None:
        """Begin with none."""
        self._living: set[Session] = set()
        self._none_left = asyncio.Event()

    def add(self, session: "Session") -> None:
        """Take a session in."""
        self._living.add(session)

    def discard(self, session: "Session") -> None:
        """Let a session go."""
        self._living.discard(session)
        if not self._living:
            self._none_left.set()

    async def end(self, patience_s: float) -> None:
        """End them all, and wait for those that are storing a message."""
        self._none_left.clear()
        for session in list(self._living):
            session.end()
        if self._living:
            with suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    await self._none_left.wait()


class Session(asyncio.Protocol):
    """One connection. `sessions` holds it for as long as it lives."""

    def __init__(self, service: Service, sessions: Sessions) -> None:
        """Wait for the connection."""
        self._service = service
        self._sessions = sessions
        self._core = ServerConnection(service.settings)
        self._client = Client("", 0, "", "SMTP")
        self._sender: Mailbox | None = None
        self._body = ""
        self._recipients: dict[tuple[str, str], Mailbox] = {}
        self._reception: Reception | None = None
        self._storing: asyncio.Task[None] | None = None
        self._reading = True
        self._client_reads = True
        self._ending = False
        self._half_closed = False
        self._last_heard_s = 0.0

    # Called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet (requirement A-1: before reading anything)."""
        self._transport = cast("asyncio.Transport", transport)
        self._loop = asyncio.get_running_loop()
        host, port = (transport.get_extra_info("peername") or ("", 0))[:2]  # none, if it is gone already
        self._client = Client(host.removeprefix("::ffff:"), port, "", "SMTP")
        self._sessions.add(self)
        self._last_heard_s = self._loop.time()
        self._timer = self._loop.call_later(self._service.idle_timeout_s, self._check_idle)
        self._send()

    def data_received(self, data: bytes) -> None:
        """Take octets, and do whatever can be done with them."""
        self._last_heard_s = self._loop.time()
        self._core.receive(data)
        self._advance()

    def pause_writing(self) -> None:
        """Stop reading from a client that does not read what we answer (attack S-2)."""
        self._client_reads = False
        self._control_reading()

    def resume_writing(self) -> None:
        """Go on reading."""
        self._client_reads = True
        self._advance()

    def eof_received(self) -> bool:
        """Close when the client sends no more, once a message being stored is answered."""
        self._half_closed = True
        return self._storing is not None

    def connection_lost(self, exc: Exception | None) -> None:
        """Drop an open transaction; completed ones stay (RFC 5321 §4.1.1.10)."""
        self._timer.cancel()
        if self._storing is None:
            self._sessions.discard(self)
            self._drop_transaction()

    # Called by the program

    def end(self) -> None:
        """End from our side; a message whose end has come is stored and answered first (RFC 5321 §3.8)."""
        self._ending = True
        if self._storing is None:
            self._close(replies.R421_SHUTTING_DOWN)

    # Inside

    def _advance(self) -> None:
        """Go on with what has come, as long as the client takes our replies."""
        while self._client_reads and (event := self._core.next_event()) is not None:
            self._handle(event)
            if self._core.octets_waiting > MOST_WAITING_OCTETS:
                self._send()
        self._send()
        self._control_reading()

    def _handle(self, event: server.Event) -> None:
        match event:
            case server.ContentReceived(octets):
                if self._reception is not None:
                    self._reception.add(octets)
            case server.RecipientReceived(recipient):
                self._judge(recipient)
            case server.SenderReceived(sender, _, body):
                self._sender, self._body, self._recipients = sender, body, {}
                self._core.reply(replies.R250_SENDER)
            case server.ContentBegun():
                self._begin_reception()
            case server.ContentEnded(octets):
                self._storing = self._loop.create_task(self._store(octets))
            case server.HelloReceived(name, extended):
                protocol = "ESMTP" if extended else "SMTP"
                self._client = Client(self._client.address, self._client.port, name, protocol)
                self._drop_transaction()
            case server.TransactionDropped(reply):
                self._drop_transaction()
                if not reply.is_positive:
                    self._service.log.info("refused", client=self._client.address, reply=reply)
            case server.CommandRefused(verb, length, reply):
                self._log_refusal(f"{verb}({length})", reply)
            case server.QuitReceived():
                self._send()

    def _judge(self, recipient: Mailbox) -> None:
        reply = self._service.judge_recipient(recipient)
        if not reply.is_positive:
            self._log_refusal(format_path(recipient), reply)
        else:  # who is named twice gets one copy
            key = recipient.local, domain_key(recipient.domain)
            self._recipients.setdefault(key, recipient)
        self._core.reply(reply)

    def _begin_reception(self) -> None:
        service = self._service
        now = service.now()
        queue_id = service.maildrop.new_queue_id(int(now.timestamp() * 1_000_000))
        envelope = Envelope(self._sender, tuple(self._recipients.values()), self._client, self._body)
        stamp = Stamp(service.settings.hostname, queue_id, now)
        self._reception = Reception(service.maildrop, envelope, stamp)

    async def _store(self, last_octets: bytes) -> None:
        reception = self._reception
        assert reception is not None
        reception.add(last_octets)
        stored = await reception.store()
        self._reception = self._storing = None
        self._log_stored(reception, stored)
        if self._transport.is_closing():
            self._sessions.discard(self)
            return
        self._last_heard_s = self._loop.time()
        self._core.reply(stored.reply)
        if self._ending:
            self._close(replies.R421_SHUTTING_DOWN)
            return
        self._advance()
        if self._half_closed and self._storing is None:
            self._hang_up()

    def _drop_transaction(self) -> None:
        reception, self._reception = self._reception, None
        if reception is not None:
            reception.discard()
        self._sender, self._recipients = None, {}

    def _send(self) -> None:
        octets = self._core.octets_to_send()
        if octets and not self._transport.is_closing():
            self._transport.write(octets)
        if self._core.state is State.CLOSED:
            self._hang_up()

    def _hang_up(self) -> None:
        """Close once the client has read what was sent, or has had time enough to."""
        if not self._transport.is_closing():
            self._timer.cancel()
            self._timer = self._loop.call_later(CLOSE_S, self._transport.abort)
            self._transport.close()

    def _close(self, reply: Reply) -> None:
        self._core.close(reply)
        self._send()

    def _control_reading(self) -> None:
        wanted = self._client_reads and self._core.pending_octets <= MOST_PENDING_OCTETS
        if wanted is self._reading or self._transport.is_closing():
            return
        self._reading = wanted
        if wanted:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def _check_idle(self) -> None:
        """Close a session that was silent for too long; one timer, moved along only when it rings."""
        left_s = self._last_heard_s + self._service.idle_timeout_s - self._loop.time()
        if self._storing is not None:
            left_s = self._service.idle_timeout_s  # it is we who are busy
        if left_s > 0:
            self._timer = self._loop.call_later(left_s, self._check_idle)
        else:
            self._service.log.info("idle", client=self._client.address)
            self._close(replies.R421_IDLE)

    def _log_refusal(self, what: str, reply: Reply) -> None:
        self._service.log.info("refused", client=self._client.address, what=what, reply=reply)

    def _log_stored(self, reception: Reception, stored: Stored) -> None:
        envelope = reception.envelope
        facts = {
            "message": reception.queue_id,
            "client": self._client.address,
            "sender": format_path(envelope.sender),
            "recipients": len(envelope.recipients),
            "reply": stored.reply,
        }
        if stored.reply.is_positive:
            self._service.log.info("accepted", **facts, size=stored.size)
        else:
            self._service.log.error("not stored", **facts, reason=stored.trouble)
