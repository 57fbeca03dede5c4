"""One SMTP client session: drives the sans-IO core over a connection, and asks policy and maildrop.

Made by the beginning of a session (opening.py). Promise: memory is bounded whatever the client sends, since
reading stops while the core has enough to chew or the client does not read our replies (promise P6); a
message is acknowledged only when the maildrop says that it is flushed (P2); no session and no transaction
outlives its time.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

from paperpath.intake.arrival import Arrival
from paperpath.intake.chronicle import Command
from paperpath.intake.conversation import Conversation
from paperpath.intake.counting import Counting
from paperpath.intake.limits import Limit
from paperpath.intake.login import LoginResult, Logins
from paperpath.intake.recipients import Recipients
from paperpath.intake.service import Service
from paperpath.intake.sessions import Sessions
from paperpath.intake.transaction import MailTransaction
from paperpath.intake.way_in import Reception, Stored
from paperpath.journal.events import show_address
from paperpath.mail.address import Mailbox, format_path
from paperpath.mail.reply import Reply
from paperpath.mail.trace import Stamp
from paperpath.service.tls.layer import TlsError
from paperpath.smtp import events, replies
from paperpath.smtp.server import ServerConnection
from paperpath.smtp.states import State

MOST_PENDING_OCTETS = 64 * 1024
MOST_WAITING_OCTETS = 16 * 1024  # of replies, before they are sent


class Session(Conversation[ServerConnection]):
    """One connection from its greeting on. `sessions` holds it for as long as it lives."""

    def __init__(self, service: Service, sessions: Sessions, arrival: Arrival) -> None:
        """Take over a client that is to be greeted."""
        wire, desk = arrival.wire, service.logins
        encrypted = wire.tls_facts is not None
        core = ServerConnection(service.settings, Counting(service.metrics), encrypted=encrypted)
        super().__init__(service, wire, core)
        self._sessions = sessions
        self._arrival = arrival
        self._guest = arrival.guest
        self._client = arrival.describe()
        self._log = arrival.log
        self._chronicle = arrival.chronicle
        self._transaction: MailTransaction | None = None
        self._reception: Reception | None = None
        self._recipients = Recipients(service, arrival, self._core, self._answer, self._tell_refused)
        self._logins = None if desk is None else Logins(desk, service.log, self._take_judgement)
        self._storing = False
        self._client_reads = True
        self._ending = False
        self._half_closed = False

    # Called by the beginning

    def greet(self) -> None:
        """Say the greeting."""
        if self._guest.is_admitted:
            self._core.admit()
        self._offer_external()
        self._send()

    def take(self, octets: bytes) -> None:
        """Take what the client says, if anything, and do whatever can be done with it."""
        if octets:
            self._service.metrics.octets_in += len(octets)
            self._core.receive(octets)
            self._advance()
        if self._wire.has_ended and not self.eof_received():
            self._hang_up()

    # Called by the event loop

    def data_received(self, data: bytes) -> None:
        """Take octets, in the clear or inside TLS."""
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
        self.take(octets)

    def pause_writing(self) -> None:
        """Stop reading from a client that does not read what we answer (attack S-2)."""
        self._client_reads = False
        self._control_reading()

    def resume_writing(self) -> None:
        """Go on reading."""
        self._client_reads = True
        self._advance()

    def eof_received(self) -> bool:
        """Close when the client sends no more, once what waits for a reply has got it, unless that is we."""
        self._half_closed = True
        return self._is_busy and not self._recipients.is_held_back

    def connection_lost(self, exc: Exception | None) -> None:
        """Drop an open transaction; completed ones stay (RFC 5321 §4.1.1.10)."""
        self._service.metrics.open_connections -= 1
        self._service.connections.leave(self._arrival.network)
        self._give_up_waiting()
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
        transaction = self._transaction
        if self._is_busy:
            self._overdue_s = now_s + self._service.idle_timeout_s  # it is we who are busy
            self._recipients.check()
        elif self._wire.is_closing or self._wire.in_handshake:
            if now_s >= self._overdue_s:
                if not self._wire.is_closing:
                    self._log.info("TLS failed", reason="the handshake takes too long")
                self._wire.abort()
        elif now_s >= self._overdue_s:
            self._close_overdue(replies.R421_IDLE)
        elif transaction is not None and now_s >= transaction.overdue_s:
            self._close_overdue(replies.R421_TOO_SLOW)

    # Inside

    @property
    def _is_busy(self) -> bool:
        """Whether the client waits for us."""
        logins = self._logins
        return self._storing or self._recipients.is_waiting or (logins is not None and logins.is_judging)

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
            protocol += "A" if self._guest.account is not None else ""
        facts = self._wire.tls_facts
        tls = "" if facts is None else f"{facts.version} {facts.cipher}"
        self._client = replace(self._client, hello=event.name, protocol=protocol, tls=tls)
        self._drop_transaction()
        if event.early:
            self._log.info("early talker", before="the reply to EHLO")

    def _take_sender(self, event: events.SenderReceived) -> None:
        service = self._service
        reply, sender = self._judge_sender(event)
        if reply.code >= 400:
            self._tell_refused(Command("MAIL", f"FROM:{format_path(event.sender)}", 0, "MAIL"), reply)
        else:
            overdue_s = self._loop.time() + service.transaction_s
            self._transaction = MailTransaction(sender, event.parameters, overdue_s)
            if event.spaced:
                self._log.info("space before the sender's path")
        self._core.reply(reply)

    def _judge_sender(self, event: events.SenderReceived) -> tuple[Reply, Mailbox | None]:
        """Ask the limits, the disk and the way in; return the reply and whom the sender stands for."""
        service, guest = self._service, self._guest
        now_s = self._loop.time()
        refusal = service.guard.check(Limit.MESSAGE_RATE, guest, self._arrival.network, now_s)
        if refusal is None and not service.space.has_room(event.size or 0):
            refusal = replies.R452_NO_SPACE
        return (
            service.way_in.judge_sender(event.sender, guest) if refusal is None else (refusal, event.sender)
        )

    def _take_recipient(self, event: events.RecipientReceived) -> None:
        assert self._transaction is not None
        self._recipients.take(event, self._transaction)

    def _begin_reception(self, event: events.ContentBegun) -> None:
        service, transaction = self._service, self._transaction
        assert transaction is not None
        now = service.now()
        queue_id = service.maildrop.new_queue_id(int(now.timestamp() * 1_000_000))
        client = self._client
        if transaction.parameters.international:  # RFC 6531 §4.3
            protocol = "UTF8" + client.protocol.removeprefix("E")
            client = replace(client, protocol=protocol)
        stamp = Stamp(service.settings.hostname, queue_id, now)
        self._reception = service.way_in.receive(transaction.make_envelope(client), stamp, self._guest)

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
        self._transaction = None
        metrics = self._service.metrics
        metrics.commits.observe(self._loop.time() - self._stored_from_s)
        metrics.messages += stored.reply.code < 400
        self._chronicle.conclude(reception, stored)
        if self._wire.is_closing:
            self._sessions.discard(self)
            return
        self._answer(stored.reply)

    def _answer(self, reply: Reply) -> None:
        """Give the reply that the client waited for, and go on."""
        self._overdue_s = self._loop.time() + self._service.idle_timeout_s
        self._core.reply(reply)
        if self._ending:
            self._close(replies.R421_SHUTTING_DOWN)
            return
        self._advance()
        if self._half_closed and not self._is_busy:
            self._hang_up()

    def _take_drop(self, event: events.TransactionDropped) -> None:
        if event.reply.code >= 400:
            self._chronicle.drop(self._reception, event.reply)
        self._drop_transaction()

    def _drop_transaction(self) -> None:
        reception, self._reception = self._reception, None
        if reception is not None:
            reception.discard()
        self._transaction = None

    def _take_refusal(self, event: events.CommandRefused) -> None:
        verb, length = event.verb, event.length
        self._tell_refused(Command(verb, event.argument, length, f"{verb}({length})"), event.reply)
        if self._core.state is State.CLOSED:
            self._tell_broken_off(self._core.last_reply)
            self._drop_transaction()
            self._tell_errors()

    def _take_quit(self, event: events.QuitReceived) -> None:
        self._drop_transaction()

    def _take_login(self, event: events.LoginEvent) -> None:
        if self._logins is None:
            self._core.reply(replies.R454_NO_LOGIN)
        else:
            self._logins.take(event, self._core, self._guest)

    def _take_judgement(self, mechanism: str, result: LoginResult) -> None:
        if result.account is not None:
            self._guest.account = result.account
            protocol = self._client.protocol + ("A" if self._client.protocol.startswith("E") else "")
            self._client = replace(self._client, protocol=protocol, account=self._guest.user)
            self._log.info("logged in", account=self._guest.user, mechanism=mechanism)
        else:
            self._tell_refused(Command("AUTH", mechanism, 0, f"AUTH {mechanism}"), result.reply)
        self._answer(result.reply)
        if self._core.state is State.CLOSED:
            self._tell_errors()

    def _offer_external(self) -> None:
        """Let somebody log in as who the connection says."""
        if self._guest.certified or self._guest.login:
            self._core.offer_external()

    def _start_tls(self, event: events.TLSRequested) -> None:
        tls = self._service.tls
        if tls is None:
            self._core.reply(replies.R454_NO_TLS)
            return
        self._core.reply(replies.R220_START_TLS)
        self._send()
        self._wire.start_tls(tls.make_layer())
        self._overdue_s = self._loop.time() + self._service.handshake_s

    def _go_on_encrypted(self) -> None:
        """Forget what the client said in the clear (RFC 3207 §4.2)."""
        self._overdue_s = self._loop.time() + self._service.idle_timeout_s
        self._arrival.note_tls()
        self._drop_transaction()
        self._guest.account = None
        self._client = self._arrival.describe()
        self._core.tls_started()
        self._offer_external()

    def _give_up_waiting(self) -> None:
        """Have nobody come back with an answer."""
        if self._logins is not None:
            self._logins.give_up()
        self._recipients.give_up()

    def _close(self, reply: Reply) -> None:
        self._give_up_waiting()
        self._tell_broken_off(reply)
        self._drop_transaction()
        self._core.close(reply)
        self._send()

    def _close_overdue(self, reply: Reply) -> None:
        self._log.info("overdue", reply=reply)
        self._close(reply)

    def _control_reading(self) -> None:
        has_room = self._core.pending_octets <= MOST_PENDING_OCTETS
        self._wire.set_reading(wanted=self._client_reads and has_room and not self._recipients.is_held_back)

    def _tell_refused(self, command: Command, reply: Reply) -> None:
        transaction = self._transaction
        sender = "" if transaction is None else show_address(transaction.sender)
        self._chronicle.refuse(self._client.hello, sender, command, reply)

    def _tell_errors(self) -> None:
        """Tell that the session is over for its errors, if it is."""
        if self._core.last_reply is replies.R421_TOO_MANY_ERRORS:
            self._chronicle.end_by_us(self._service.guard.reach(Limit.ERRORS))

    def _tell_broken_off(self, reply: Reply | None) -> None:
        """Tell that an open transaction leads to no message."""
        if self._transaction is not None:
            self._chronicle.break_off(self._transaction.make_envelope(self._client), reply)

    _HANDLERS: ClassVar[dict[type, Callable[["Session", Any], None]]] = {
        events.HelloReceived: _take_hello,
        events.SenderReceived: _take_sender,
        events.RecipientReceived: _take_recipient,
        events.ContentBegun: _begin_reception,
        events.ContentReceived: _take_content,
        events.ContentEnded: _store,
        events.TransactionDropped: _take_drop,
        events.CommandRefused: _take_refusal,
        events.TLSRequested: _start_tls,
        events.KeysWanted: _take_login,
        events.PasswordReceived: _take_login,
        events.LoginReceived: _take_login,
        events.LoginFailed: _take_login,
        events.ExternalReceived: _take_login,
        events.QuitReceived: _take_quit,
    }
