"""One connection of a relay client: drives the sans-IO client core over a socket, in the clear or inside TLS.

Used by the lanes. It waits for each reply as long as that reply may take, and no longer (requirement G-20);
content goes out as fast as the host takes it, and ends only if it is what was taken in and the message is
still ours to send (promises P1, P2).
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from paperpath.config.tables import TimeoutsTable
from paperpath.mail.reply import Reply, make_reply
from paperpath.maildrop.checked import DamagedError, read_checked
from paperpath.maildrop.values import Content
from paperpath.service.tls.layer import ClientTlsLayer, TlsError
from paperpath.service.wire import Wire
from paperpath.smtp.client import ClientConnection
from paperpath.smtp.client_events import (
    Answer,
    Broken,
    ContentWanted,
    Event,
    Ready,
    RecipientAnswered,
    Refused,
    TLSWanted,
    TransactionEnded,
)
from paperpath.smtp.client_states import Wait
from paperpath.smtp.transaction import Transaction

_LARGE_OCTETS = 64 * 1024  # less than that leaves together with the end of content

R451_ABANDONED = make_reply(451, "4.3.2", "The relay client was stopped")
R451_UNREADABLE = make_reply(451, "4.3.0", "The content cannot be read just now")


class SessionError(Exception):
    """No session came to be: the host's reply, or ours, and to what; whether TLS is the reason."""

    def __init__(self, reply: Reply, stage: Wait, *, is_ours: bool, is_for_tls: bool = False) -> None:
        """Take the reason."""
        super().__init__(str(reply))
        self.reply = reply
        self.is_ours = is_ours
        self.is_for_tls = is_for_tls
        self.is_permanent = reply.code >= 500 and stage in (Wait.GREETING, Wait.HELLO)


@dataclass(frozen=True, slots=True)
class Manner:
    """How a connection is dealt with. `is_wanted`: whether what we carry is still ours to carry."""

    timeouts: TimeoutsTable
    make_layer: Callable[[], ClientTlsLayer]
    is_wanted: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Carried:
    """What became of a transaction, as `TransactionEnded` has it; how the content is damaged, if it is."""

    answers: tuple[Answer | None, ...]
    damage: str = ""


Tell = Callable[[Sequence[RecipientAnswered]], None]


class Connection(asyncio.Protocol):
    """One session with one host; one transaction at a time."""

    def __init__(self, core: ClientConnection, manner: Manner) -> None:
        """Wait for the connection; a core that is inside TLS has it begin at once."""
        self._core = core
        self._manner = manner
        self._loop = asyncio.get_running_loop()
        self._limits = _list_limits(manner.timeouts)
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._ended: asyncio.Future[tuple[Answer | None, ...]] | None = None
        self._tell: Tell | None = None  # while there is a transaction
        self._ahead: list[RecipientAnswered] = []  # of whom nobody was told yet
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self._content: Iterator[bytes] = iter(())
        self._damage = ""
        self._takes_over = False
        self._broke_at: Wait | None = None
        self._may_write = True
        self._is_quitting = False
        self._handshake_failed = False
        self._deadline_s: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def takes_over(self) -> bool:
        """Whether the host reports success itself to whoever asked for that (RFC 3461)."""
        return self._takes_over

    @property
    def broke_at(self) -> Wait | None:
        """What was waited for when the session broke, `None` if it did not; to say QUIT does not break it."""
        return self._broke_at

    @property
    def is_usable(self) -> bool:
        """Whether another transaction can begin."""
        return self._core.can_begin and not self._wire.is_closing

    async def open(self) -> None:
        """Wait until transactions can begin. Raises: SessionError."""
        await self._opened

    async def carry(self, transaction: Transaction, content: Content, tell: Tell) -> Carried:
        """Carry a message; the content is read as it is sent. `tell` hears of whom others keep waiting."""
        self._content, self._damage = read_checked(content), ""
        self._tell = tell
        self._ended = self._loop.create_future()
        self._core.begin(transaction)
        self._advance()
        return Carried(await self._ended, self._damage)

    async def quit(self) -> None:
        """Part in order, if the host answers in time, and reads what is still to be sent to it."""
        self._is_quitting = True
        self._core.quit()
        self._advance()
        closed, _ = await asyncio.wait({self._closed}, timeout=self._manner.timeouts.quit_s)
        if not closed:
            self._wire.abort()

    def abort(self) -> None:
        """Part at once."""
        self._wire.abort()

    # Called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._wire = Wire(cast("asyncio.Transport", transport))
        if self._core.encrypted:
            self._start_tls()
        self._advance()

    def data_received(self, data: bytes) -> None:
        """Take what the host says."""
        in_handshake = self._wire.in_handshake
        try:
            octets = self._wire.receive(data)
        except TlsError as error:
            self._handshake_failed = in_handshake
            self._core.break_off(make_reply(451, "4.7.5", f"TLS failed: {error}"))
            octets = b""
        else:
            if in_handshake and not self._wire.in_handshake and not self._core.encrypted:
                self._core.tls_started()
        if octets:
            self._core.receive(octets)
        self._advance()
        if self._wire.has_ended:  # behind what it said: that may be the reply that counts
            self._core.receive_end()
            self._advance()

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note of the end."""
        self._core.receive_end()
        self._advance()
        if self._timer is not None:
            self._timer.cancel()
        self._closed.set_result(None)

    def pause_writing(self) -> None:
        """Let the host catch up."""
        self._may_write = False

    def resume_writing(self) -> None:
        """Go on with the content, once the event loop is done with this: it cannot be closed meanwhile."""
        self._may_write = True
        self._loop.call_soon(self._go_on)

    # The core's events

    def _advance(self) -> None:
        """Do whatever can be done now."""
        self._send()
        while (event := self._core.next_event()) is not None:
            self._take(event)
        self._tell_ahead()
        self._send()
        self._expect()

    def _send(self) -> None:
        if octets := self._core.octets_to_send():
            self._wire.send(octets)

    def _tell_ahead(self) -> None:
        """Tell what has come for some recipients, where it does not come together with the last reply."""
        if self._ahead and self._tell is not None:
            self._tell(self._ahead)
            self._ahead = []

    def _take(self, event: Event) -> None:
        match event:
            case ContentWanted():
                self._feed()
            case RecipientAnswered():
                self._ahead.append(event)
            case TransactionEnded(answers):
                assert self._ended is not None
                self._tell, self._ahead = None, []
                if not self._ended.done():
                    self._ended.set_result(answers)
            case Ready(extensions):
                self._takes_over = extensions.dsn
                self._opened.set_result(None)
            case TLSWanted():
                self._send()
                self._start_tls()
            case Refused(stage, reply, is_ours):
                self._fail(SessionError(reply, stage, is_ours=is_ours, is_for_tls=stage is Wait.STARTTLS))
            case Broken(stage, reply, is_ours):
                self._broke_at = stage
                is_for_tls = self._handshake_failed or stage is Wait.STARTTLS
                self._fail(SessionError(reply, stage, is_ours=is_ours, is_for_tls=is_for_tls))
                self._wire.close()

    def _fail(self, error: SessionError) -> None:
        if not self._opened.done():
            self._opened.set_exception(error)
            self._opened.exception()  # where nobody waits for it any more, it is nothing to complain of

    def _start_tls(self) -> None:
        self._wire.start_tls(self._manner.make_layer())

    def _go_on(self) -> None:
        """Send more of the content; the time for that begins anew."""
        self._feed()
        self._advance()

    def _feed(self) -> None:
        """Send content, as long as the host takes it."""
        while self._may_write and self._core.wants_content:
            try:
                chunk = next(self._content, None)
            except DamagedError as error:
                self._damage = str(error)
                chunk = None
            except OSError:
                self._core.break_off(R451_UNREADABLE)
                return
            if self._damage or (chunk is None and not self._manner.is_wanted()):
                self._core.break_off(R451_ABANDONED)
                return
            if chunk is None:
                self._core.end_content()
                return
            self._core.send(chunk)
            if len(chunk) >= _LARGE_OCTETS:
                self._send()

    # Time

    def _expect(self) -> None:
        """Have what is due come in time."""
        wait = Wait.STARTTLS if self._wire.in_handshake else self._core.waits_for
        if self._is_quitting and wait is Wait.NOTHING:
            self._wire.close()
        limit_s = self._limits.get(wait)
        self._deadline_s = None if limit_s is None else self._loop.time() + limit_s
        if self._deadline_s is None:
            return
        if self._timer is not None:
            if self._timer.when() <= self._deadline_s:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(self._deadline_s, self._look)

    def _look(self) -> None:
        """End what has taken too long."""
        self._timer = None
        if self._deadline_s is None:
            return
        if self._loop.time() < self._deadline_s:
            self._timer = self._loop.call_at(self._deadline_s, self._look)
            return
        waited_for = self._core.waits_for.value
        self._handshake_failed = self._wire.in_handshake
        self._core.break_off(make_reply(451, "4.4.2", f"No answer in time: waited for {waited_for}"))
        self._advance()
        self._wire.abort()


def _list_limits(timeouts: TimeoutsTable) -> dict[Wait, float]:
    """Tell how long each reply may take; where nothing is due there is no limit."""
    return {
        Wait.GREETING: timeouts.greeting_s,
        Wait.HELLO: timeouts.hello_s,
        Wait.STARTTLS: timeouts.tls_s,
        Wait.AUTH: timeouts.hello_s,
        Wait.RESET: timeouts.mail_s,
        Wait.MAIL: timeouts.mail_s,
        Wait.RCPT: timeouts.rcpt_s,
        Wait.DATA: timeouts.data_s,
        Wait.CONTENT: timeouts.write_s,
        Wait.CHUNK: timeouts.write_s,
        Wait.END: timeouts.end_s,
        Wait.QUIT: timeouts.quit_s,
    }
