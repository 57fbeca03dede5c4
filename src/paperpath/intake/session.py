"""One SMTP client session: drives the sans-IO core over a connection, and asks policy and maildrop.

Used by smtprd. Promise: memory is bounded whatever the client sends, since reading stops while
the core has enough to chew or the client does not read our replies (promise P6); a message is acknowledged
only when the maildrop says that it is flushed (P2); no session and no transaction outlives its time.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, cast

from paperpath.intake.access import ServiceClass
from paperpath.intake.budget import SpoolBudget
from paperpath.intake.chronicle import Chronicle, Command
from paperpath.intake.connections import Connections
from paperpath.intake.counting import Counting
from paperpath.intake.reception import Reception, Stored
from paperpath.intake.sessions import Sessions
from paperpath.intake.space import FreeSpace
from paperpath.journal.events import Tell, show_address
from paperpath.mail.address import Mailbox, format_path
from paperpath.mail.domain import domain_key
from paperpath.mail.envelope import NO_PARAMETERS, Client, Envelope, Recipient
from paperpath.mail.reply import Reply
from paperpath.mail.shown import show_domain, show_path
from paperpath.mail.trace import Stamp
from paperpath.maildrop.interface import Maildrop
from paperpath.service.log import Log
from paperpath.service.metrics import IntakeMetrics
from paperpath.service.tls.contexts import ServerTls
from paperpath.service.tls.layer import TlsError
from paperpath.service.wire import Wire
from paperpath.smtp import events, replies
from paperpath.smtp.server import ServerConnection
from paperpath.smtp.settings import Settings
from paperpath.smtp.states import State

MOST_PENDING_OCTETS = 64 * 1024
MOST_WAITING_OCTETS = 16 * 1024  # of replies, before they are sent
CLOSE_S = 30.0  # how long a client may take to read the last of them, if it may be silent for as long
HANDSHAKE_S = 30.0  # how long TLS may take to begin, if the client may be silent for as long
TRANSACTION_S = 3600.0  # for all but the content, which has a second for each KiB it may have (attack S-2)


@dataclass(frozen=True, slots=True)
class Service:
    """What every session of a program shares. `now` gives the time with its offset from UTC.

    `tls` is there if the settings announce it.
    """

    settings: Settings
    tls: ServerTls | None
    maildrop: Maildrop
    connections: Connections
    budget: SpoolBudget
    space: FreeSpace
    classify_client: Callable[[str], ServiceClass]
    judge_recipient: Callable[[Mailbox, ServiceClass], Reply]
    now: Callable[[], datetime]
    idle_timeout_s: float
    log: Log
    metrics: IntakeMetrics
    tell: Tell

    @property
    def transaction_s(self) -> float:
        """How long a transaction may take."""
        return TRANSACTION_S + self.settings.size / 1024


class Session(asyncio.Protocol):
    """One connection. `sessions` holds it for as long as it lives."""

    def __init__(self, service: Service, sessions: Sessions) -> None:
        """Wait for the connection."""
        self._service = service
        self._sessions = sessions
        self._core = ServerConnection(service.settings, Counting(service.metrics))
        self._client = Client("", 0, "", "SMTP")
        self._sender: Mailbox | None = None
        self._class = ServiceClass.NORMAL
        self._parameters = NO_PARAMETERS
        self._recipients: dict[tuple[str, str], Recipient] = {}
        self._reception: Reception | None = None
        self._admitted = False
        self._storing = False
        self._log = service.log
        self._chronicle = Chronicle(service.tell, "", "")
        self._client_reads = True
        self._ending = False
        self._half_closed = False
        self._overdue_s = 0.0  # when the client has been silent for too long, or has not read the last reply
        self._transaction_overdue_s: float | None = None

    # Called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet (requirement A-1: before reading anything)."""
        self._wire = Wire(cast("asyncio.Transport", transport))
        self._loop = asyncio.get_running_loop()
        self._client = Client(*self._wire.peer, "", "SMTP")
        metrics = self._service.metrics
        self._class = self._service.classify_client(self._client.address)
        self._client = replace(self._client, service=self._class.value)
        refusal = self._service.connections.enter(self._client.address, self._class)
        if refusal is not None:
            self._turn_away(refusal)
            return
        self._admitted = True
        metrics.connections += 1
        metrics.open_connections += 1
        session_id = self._sessions.add(self)
        self._log = self._service.log.bind(session=session_id, client=self._client.address)
        self._chronicle = Chronicle(self._service.tell, session_id, self._client.address)
        self._overdue_s = self._loop.time() + self._service.idle_timeout_s
        if self._wire.has_octets_waiting:
            self._log.info("early talker", before="the greeting")
        self._send()

    def data_received(self, data: bytes) -> None:
        """Take octets, and do whatever can be done with them."""
        wire = self._wire
        starting = wire.in_handshake
        if not starting:  # which has a deadline, however busy the client is
            self._overdue_s = self._loop.time() + self._service.idle_timeout_s
        try:
            octets = wire.receive(data)
        except TlsError as error:
            self._log.info("TLS failed", reason=str(error))
            self._hang_up()
            return
        if starting and not wire.in_handshake:
            self._go_on_encrypted()
        if octets:
            self._service.metrics.octets_in += len(octets)
            self._core.receive(octets)
            self._advance()
        if wire.has_ended and not self.eof_received():
            self._hang_up()

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
        return self._storing

    def connection_lost(self, exc: Exception | None) -> None:
        """Drop an open transaction; completed ones stay (RFC 5321 §4.1.1.10)."""
        if not self._admitted:
            return
        self._service.metrics.open_connections -= 1
        self._service.connections.leave(self._client.address)
        if not self._storing:
            self._sessions.discard(self)
            self._tell_broken_off(None)
            self._drop_transaction()
        self._chronicle.end()

    # Called by the program

    def end(self) -> None:
        """End from our side; a message whose end has come is stored and answered first (RFC 5321 §3.8)."""
        self._ending = True
        if self._wire.in_handshake:
            self._wire.abort()  # it would not understand us
        elif not self._storing:
            self._close(replies.R421_SHUTTING_DOWN)

    def check_time(self, now_s: float) -> None:
        """Close the session if it has outlived its time; called every now and then."""
        if self._storing:
            self._overdue_s = now_s + self._service.idle_timeout_s  # it is we who are busy
        elif self._wire.is_closing or self._wire.in_handshake:
            if now_s >= self._overdue_s:
                if not self._wire.is_closing:
                    self._log.info("TLS failed", reason="the handshake takes too long")
                self._wire.abort()
        elif now_s >= self._overdue_s:
            self._close_overdue(replies.R421_IDLE)
        elif self._transaction_overdue_s is not None and now_s >= self._transaction_overdue_s:
            self._close_overdue(replies.R421_TOO_SLOW)

    # Inside

    def _turn_away(self, reply: Reply) -> None:
        """Say that there are too many, and nothing else."""
        service = self._service
        service.metrics.refused_connections += 1
        service.metrics.replies.add((reply.code, reply.status))
        if refused := service.connections.take_untold(self._loop.time()):
            facts = {"client": self._client.address, "reply": reply}
            service.log.warning("too many connections", **facts, refused=refused)
        self._wire.send(reply.octets)
        self._wire.close()

    def _advance(self) -> None:
        """Go on with what has come, as long as the client takes our replies."""
        core = self._core
        while self._client_reads and (event := core.next_event()) is not None:
            self._HANDLERS[type(event)](self, event)
            if core.pending_octets and core.octets_waiting > MOST_WAITING_OCTETS:
                self._send()
        self._send()
        self._control_reading()

    def _take_hello(self, event: events.HelloReceived) -> None:
        protocol = "SMTP"
        if event.extended:  # RFC 3848
            protocol = "ESMTPS" if self._core.encrypted else "ESMTP"
        facts = self._wire.tls_facts
        tls = "" if facts is None else f"{facts.version} {facts.cipher}"
        self._client = replace(self._client, hello=event.name, protocol=protocol, tls=tls)
        self._drop_transaction()
        if event.early:
            self._log.info("early talker", before="the reply to EHLO")

    def _take_sender(self, event: events.SenderReceived) -> None:
        if not self._service.space.has_room(event.size or 0):
            self._log_refusal("MAIL", replies.R452_NO_SPACE)
            self._tell_refused("MAIL", f"FROM:{format_path(event.sender)}", replies.R452_NO_SPACE)
            self._core.reply(replies.R452_NO_SPACE)
            return
        self._sender, self._parameters, self._recipients = event.sender, event.parameters, {}
        self._transaction_overdue_s = self._loop.time() + self._service.transaction_s
        if event.spaced:
            self._log.info("space before the sender's path")
        self._core.reply(replies.R250_SENDER)

    def _judge(self, event: events.RecipientReceived) -> None:
        recipient = event.recipient
        address = recipient.address
        reply = self._service.judge_recipient(address, self._class)
        if event.spaced:
            self._log.info("space before the recipient's path")
        if reply.code >= 400:
            self._log_refusal(show_path(address), reply)
            self._tell_refused("RCPT", f"TO:{format_path(address)}", reply)
        else:  # who is named twice gets one copy
            self._recipients.setdefault((address.local, domain_key(address.domain)), recipient)
        self._core.reply(reply)

    def _begin_reception(self, event: events.ContentBegun) -> None:
        service = self._service
        now = service.now()
        queue_id = service.maildrop.new_queue_id(int(now.timestamp() * 1_000_000))
        client = self._client
        if self._parameters.international:  # RFC 6531 §4.3
            protocol = "UTF8" + client.protocol.removeprefix("E")
            client = replace(client, protocol=protocol)
        envelope = Envelope(self._sender, tuple(self._recipients.values()), client, self._parameters)
        stamp = Stamp(service.settings.hostname, queue_id, now)
        self._reception = Reception(service.maildrop, service.budget, envelope, stamp)

    def _take_content(self, event: events.ContentReceived) -> None:
        if self._reception is not None:
            self._reception.add(event.octets)

    def _store(self, event: events.ContentEnded) -> None:
        reception = self._reception
        assert reception is not None
        self._storing = True
        self._stored_from_s = self._loop.time()
        reception.add(event.octets)
        reception.store(self._stored)

    def _stored(self, stored: Stored) -> None:
        reception, self._reception = self._reception, None
        assert reception is not None
        self._storing = False
        self._transaction_overdue_s = None
        metrics = self._service.metrics
        metrics.commits.observe(self._loop.time() - self._stored_from_s)
        metrics.messages += stored.reply.code < 400
        self._log_stored(reception, stored)
        if self._wire.is_closing:
            self._sessions.discard(self)
            return
        self._overdue_s = self._loop.time() + self._service.idle_timeout_s
        self._core.reply(stored.reply)
        if self._ending:
            self._close(replies.R421_SHUTTING_DOWN)
            return
        self._advance()
        if self._half_closed and not self._storing:
            self._hang_up()

    def _take_drop(self, event: events.TransactionDropped) -> None:
        if event.reply.code >= 400:
            self._log_refusal("content", event.reply)
            if self._reception is not None:
                self._chronicle.refuse_message(self._reception, event.reply)
        self._drop_transaction()

    def _drop_transaction(self) -> None:
        reception, self._reception = self._reception, None
        if reception is not None:
            reception.discard()
        self._sender, self._recipients = None, {}
        self._transaction_overdue_s = None

    def _take_refusal(self, event: events.CommandRefused) -> None:
        self._log_refusal(f"{event.verb}({event.length})", event.reply)
        self._tell_refused(event.verb, event.argument, event.reply, event.length)
        if self._core.state is State.CLOSED:
            self._tell_broken_off(event.reply)
            self._drop_transaction()

    def _take_quit(self, event: events.QuitReceived) -> None:
        self._drop_transaction()

    def _start_tls(self, event: events.TLSRequested) -> None:
        tls = self._service.tls
        if tls is None:
            self._core.reply(replies.R454_NO_TLS)
            return
        self._core.reply(replies.R220_START_TLS)
        self._send()
        self._wire.start_tls(tls.make_layer())
        self._overdue_s = self._loop.time() + min(HANDSHAKE_S, self._service.idle_timeout_s)

    def _go_on_encrypted(self) -> None:
        """Forget what the client said in the clear (RFC 3207 §4.2)."""
        self._overdue_s = self._loop.time() + self._service.idle_timeout_s
        facts = self._wire.tls_facts
        if facts is not None:
            name = show_domain(facts.server_name)
            self._log.info("TLS", version=facts.version, cipher=facts.cipher, name=name)
        self._drop_transaction()
        self._client = replace(self._client, hello="", protocol="SMTP")
        self._core.tls_started()

    def _send(self) -> None:
        octets = self._core.octets_to_send()
        if octets:
            self._service.metrics.octets_out += len(octets)
            self._wire.send(octets)
        if self._core.state is State.CLOSED:
            self._hang_up()

    def _hang_up(self) -> None:
        """Close once the client has read what was sent, or has had time enough to."""
        if not self._wire.is_closing:
            self._overdue_s = self._loop.time() + min(CLOSE_S, self._service.idle_timeout_s)
            self._wire.close()

    def _close(self, reply: Reply) -> None:
        self._tell_broken_off(reply)
        self._drop_transaction()
        self._core.close(reply)
        self._send()

    def _close_overdue(self, reply: Reply) -> None:
        self._log.info("overdue", reply=reply)
        self._close(reply)

    def _control_reading(self) -> None:
        self._wire.set_reading(wanted=self._client_reads and self._core.pending_octets <= MOST_PENDING_OCTETS)

    def _log_refusal(self, what: str, reply: Reply) -> None:
        self._log.info("refused", what=what, reply=reply)

    def _tell_refused(self, verb: str, argument: str, reply: Reply, length: int = 0) -> None:
        sender = "" if self._transaction_overdue_s is None else show_address(self._sender)
        self._chronicle.refuse(self._client.hello, sender, Command(verb, argument, length), reply)

    def _tell_broken_off(self, reply: Reply | None) -> None:
        """Tell that an open transaction leads to no message."""
        if self._transaction_overdue_s is not None:
            envelope = Envelope(self._sender, tuple(self._recipients.values()), self._client)
            self._chronicle.break_off(envelope, reply)

    def _log_stored(self, reception: Reception, stored: Stored) -> None:
        envelope = reception.envelope
        facts = {
            "message": reception.queue_id,
            "sender": show_path(envelope.sender),
            "recipients": len(envelope.recipients),
            "reply": stored.reply,
        }
        if stored.reply.is_positive:
            self._log.info("accepted", **facts, size=stored.size)
            self._chronicle.accept(reception, stored.size)
            return
        self._chronicle.refuse_message(reception, stored.reply)
        if stored.trouble:
            self._log.error("not stored", **facts, reason=stored.trouble)
        else:  # it is the message's own fault
            self._log.info("refused", what="content", **facts)

    _HANDLERS: ClassVar[dict[type, Callable[["Session", Any], None]]] = {
        events.HelloReceived: _take_hello,
        events.SenderReceived: _take_sender,
        events.RecipientReceived: _judge,
        events.ContentBegun: _begin_reception,
        events.ContentReceived: _take_content,
        events.ContentEnded: _store,
        events.TransactionDropped: _take_drop,
        events.CommandRefused: _take_refusal,
        events.TLSRequested: _start_tls,
        events.QuitReceived: _take_quit,
    }
