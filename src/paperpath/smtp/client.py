"""SMTP client core: octets in, events out.

RFC 5321, 1870, 2033, 2034, 2920, 3030, 3207, 3461, 4954, 6152, 6531, 9422.

Driven by the relay client and by the tests; knows no socket, clock, maildrop or policy.
Promise: no octets from the peer raise; they yield events, one `TransactionEnded` per transaction, and hold at
most one reply of bounded size beyond what was just given.

The driver's loop: send `octets_to_send()`, `receive(octets)`, then `next_event()` until it gives `None`; so
on until `waits_for` is `NOTHING`. Between transactions `begin` where `can_begin`, or `quit`. Whatever else is
called may make events too.

Rule 1: what a reply means is decided only in client_states.py.
Rule 2: when all replies that are due have come, nothing else may have: what stands behind them was said
        before our next command, so it cannot be the reply to that, and the connection is given up.
Rule 3: only content whose end was sent can have been delivered, and from then on it may have been.
"""

from collections import deque
from collections.abc import Callable
from typing import ClassVar

from paperpath.mail.address import domain_key
from paperpath.mail.reply import Reply
from paperpath.smtp import client_replies as replies
from paperpath.smtp.client_commands import Form, choose_form, format_mail, format_rcpt
from paperpath.smtp.client_events import (
    CONTENT_WANTED,
    Answer,
    Broken,
    Event,
    Ready,
    Refused,
    TLSWanted,
    TransactionEnded,
)
from paperpath.smtp.client_opening import HIDDEN, Come, Opening
from paperpath.smtp.client_settings import ClientSettings
from paperpath.smtp.client_states import Meaning, Wait, interpret
from paperpath.smtp.dealing import Dealing
from paperpath.smtp.observer import NOBODY, Observer
from paperpath.smtp.outgoing import Line, Outgoing
from paperpath.smtp.reply_reader import NonsenseError, ReplyReader
from paperpath.smtp.stuffing import BareNewlineError, Stuffer
from paperpath.smtp.transaction import Transaction

_CHALLENGE = Reply(334, "", (HIDDEN,))  # what would let the observer guess at a secret
_OPENING = frozenset({Wait.GREETING, Wait.HELLO, Wait.STARTTLS, Wait.AUTH})
_WITHOUT_STATUS = (Wait.GREETING, Wait.HELLO)  # RFC 2034 §4


class ClientConnection:
    """One SMTP session seen from the client."""

    def __init__(
        self, settings: ClientSettings, observer: Observer = NOBODY, *, encrypted: bool = False
    ) -> None:
        """Begin by waiting for the greeting; `encrypted`: on a port that speaks TLS from the start.

        The observer is given whole command lines, secrets left out, and "." for the end of content.
        """
        self._is_lmtp = settings.lmtp
        self._observer = observer
        self._reader = ReplyReader()
        self._outgoing = Outgoing(observer)
        self._opening = Opening(settings, self._outgoing, encrypted=encrypted)
        self._events: deque[Event] = deque()
        self._is_open = False  # for transactions
        self._is_done = False  # no event will come any more
        self._is_closed = False  # nothing more is said either: broken off, or QUIT was said
        self._messages = 0
        self._domains: set[str] = set()  # of recipients, where the peer limits their number
        self._dealing: Dealing | None = None
        self._binary = False
        self._needs_reset = False  # the peer may still have a sender
        self._wants_content = False
        self._stuffer = Stuffer()

    @property
    def waits_for(self) -> Wait:
        """What is due next; the driver takes its timeout from it. `STARTTLS` until TLS has started."""
        if self._outgoing.due:
            return self._outgoing.due[0]
        if self._opening.in_handshake:
            return Wait.STARTTLS
        return Wait.CONTENT if self._wants_content else Wait.NOTHING

    @property
    def encrypted(self) -> bool:
        """Whether the session is inside TLS."""
        return self._opening.encrypted

    @property
    def can_begin(self) -> bool:
        """Whether `begin` may be called: the session is open, idle, and the peer takes another message."""
        return self._is_open and self._dealing is None and not self.is_exhausted

    @property
    def is_exhausted(self) -> bool:
        """Whether the peer takes no further message on this connection (MAILMAX, RFC 9422)."""
        most = self._opening.offered.most_messages
        return most is not None and self._messages >= most

    @property
    def wants_content(self) -> bool:
        """Whether `send` and `end_content` may be called now.

        By DATA from `ContentWanted` to the end; by BDAT not between a chunk and the reply to it, behind which
        `ContentWanted` comes again.
        """
        return self._wants_content

    def receive(self, octets: bytes) -> None:
        """Take what came from the peer."""
        if (
            self._opening.in_handshake
        ):  # the driver gives us what is in the clear only, and there TLS has its place
            self._break_off(replies.R451_OCTETS_BEHIND_STARTTLS, is_ours=True)
        elif not self._is_done or self._outgoing.due:
            self._reader.receive(octets)

    def receive_end(self) -> None:
        """Take note that the connection was lost, or closed by the peer."""
        uncertain = self._dealing is not None and self._dealing.content_ended
        self._break_off(replies.R451_UNANSWERED if uncertain else replies.R451_LOST, is_ours=True)

    def break_off(self, reply: Reply) -> None:
        """End everything from our side with a temporary reply of ours: a time-out, a shutdown.

        What recipients get is the same as when the connection is lost, but for the reply.
        """
        self._break_off(reply, is_ours=True)

    def next_event(self) -> Event | None:
        """Return the next event; `None` when more octets, or something from the driver, are needed first."""
        while not self._events:
            try:
                reply = self._reader.next_reply(has_status=self.waits_for not in _WITHOUT_STATUS)
            except NonsenseError:
                self._break_off(replies.R451_NONSENSE, is_ours=True)
                continue
            if reply is None:
                return None
            self._hear(reply)
        return self._events.popleft()

    def octets_to_send(self) -> bytes:
        """Return what is to be sent, and forget it."""
        return self._outgoing.take()

    def tls_started(self) -> None:
        """Go on inside TLS: what the peer said before is forgotten (RFC 3207 §4.2)."""
        if not self._opening.in_handshake:
            raise RuntimeError("no TLS was asked for")
        self._opening.start_tls()

    def begin(self, transaction: Transaction) -> None:
        """Begin a transaction; it ends with `TransactionEnded`, at once where nothing can be sent.

        What the peer does not offer and the message needs is answered by us, and nothing is sent.
        """
        if not self.can_begin:
            raise RuntimeError("no transaction can begin now")
        dealing = self._dealing = Dealing(len(transaction.recipients))
        form = choose_form(transaction, self._opening.offered)
        if isinstance(form, Reply):
            dealing.answers = [Answer(form, is_ours=True)] * len(dealing.answers)
            self._finish()
            return
        recipients = self._write_recipients(transaction, form)
        if not recipients:
            self._finish()
            return
        self._messages += 1
        self._binary = form.binary
        reset: list[Line] = [(Wait.RESET, "RSET")] if self._needs_reset else []
        sender = (Wait.MAIL, format_mail(transaction, form, self._opening.offered))
        data: list[Line] = [] if form.binary else [(Wait.DATA, "DATA")]
        self._say(*reset, sender, *recipients, *data)

    def send(self, content: bytes) -> None:
        """Send some content, of any length and cut anywhere: lines as they are, no dots added.

        A bare CR or LF is never sent outside BODY=BINARYMIME: the transaction ends with a permanent reply of
        ours for all who are pending, and the connection is `Broken`, since content cannot be taken back.
        """
        self._check_content_wanted()
        if not content:
            return
        if self._binary:
            self._wants_content = False
            self._outgoing.send_chunk(content)
            return
        try:
            self._outgoing.send_content(self._stuffer.feed(content))
        except BareNewlineError:
            self._refuse_content()

    def end_content(self) -> None:
        """End the content; from now on the peer may have taken it, whatever becomes of the connection."""
        self._check_content_wanted()
        if self._binary:
            self._end_content(b"BDAT 0 LAST\r\n", "BDAT 0 LAST")
            return
        try:
            self._end_content(self._stuffer.end(), ".")
        except BareNewlineError:
            self._refuse_content()

    def quit(self) -> None:
        """Say QUIT where that makes sense; `waits_for` is `NOTHING` when its reply has come.

        Not while something is due: `break_off`, then.
        """
        if self._dealing is not None or self._outgoing.due:
            raise RuntimeError("something is still due")
        if self._is_closed or self._opening.in_handshake:
            return
        self._is_open = False
        self._is_done = self._is_closed = True
        self._say((Wait.QUIT, "QUIT"))

    # What goes out

    def _say(self, *lines: Line) -> None:
        self._outgoing.say(lines, together=self._opening.offered.pipelining)

    def _write_recipients(self, transaction: Transaction, form: Form) -> list[Line]:
        """Write RCPT for as many as the peer takes at once, and answer ourselves for who cannot be said."""
        dealing = self._dealing
        assert dealing is not None
        most = self._opening.offered.most_recipients
        lines: list[Line] = []
        for place, recipient in enumerate(transaction.recipients):
            line = format_rcpt(recipient, form)
            if isinstance(line, Reply):
                dealing.answers[place] = Answer(line, is_ours=True)
            elif (most is None or len(lines) < most) and self._takes_domain(recipient.address.domain):
                dealing.asked.append(place)
                lines.append((Wait.RCPT, line))
        return lines

    def _takes_domain(self, domain: str) -> bool:
        """Tell whether the peer takes a recipient of one more domain in this session (RCPTDOMAINMAX)."""
        most = self._opening.offered.most_domains
        if most is None:
            return True
        key = domain_key(domain)
        if key not in self._domains and len(self._domains) >= most:
            return False
        self._domains.add(key)
        return True

    # What comes in: one handler per thing that a reply may be due to

    def _hear(self, reply: Reply) -> None:
        wait, code = self.waits_for, reply.code
        self._observer.see_reply(_CHALLENGE if code == 334 and wait is Wait.AUTH else reply)
        if code == 421 and wait is not Wait.QUIT:
            self._hear_closing(wait, reply)
            return
        meaning = interpret(wait, code)
        if meaning is Meaning.NONSENSE:
            self._break_off(replies.out_of_place(reply), is_ours=True)
            return
        is_too_much = len(self._outgoing.due) == 1 and self._reader.has_more
        # What ends a transaction counts all the same, or mail would come twice.
        if not is_too_much or wait is Wait.END:
            self._outgoing.due.popleft()
            if wait in _OPENING:
                self._take(self._opening.hear(wait, reply, meaning))
            else:
                self._HANDLERS[wait](self, reply, meaning)
        if is_too_much:
            because = replies.R451_OCTETS_BEHIND_STARTTLS if wait is Wait.STARTTLS else replies.R451_TOO_MUCH
            self._break_off(because, is_ours=True)

    def _hear_closing(self, wait: Wait, reply: Reply) -> None:
        if self._is_open:
            self._break_off(reply)
        else:
            self._refuse(Refused(wait, reply))

    def _take(self, come: Come | None) -> None:
        """Take what came of a reply while the session opens."""
        match come:
            case Refused():
                self._refuse(come)
            case Broken(stage, reply, is_ours):
                self._break_off(reply, is_ours=is_ours, stage=stage)
            case TLSWanted() | Ready():
                self._is_open = isinstance(come, Ready)
                self._events.append(come)

    def _hear_reset(self, reply: Reply, meaning: Meaning) -> None:
        self._needs_reset = False
        self._go_on()

    def _hear_mail(self, reply: Reply, meaning: Meaning) -> None:
        if meaning is Meaning.REFUSED:
            self._settle(Answer(reply))
        else:
            self._needs_reset = True
        self._go_on()

    def _hear_rcpt(self, reply: Reply, meaning: Meaning) -> None:
        assert self._dealing is not None
        self._dealing.hear_recipient(reply)
        self._go_on()

    def _go_on(self) -> None:
        """Go on when every reply that is due has come; end where nobody is left to send to."""
        if self._outgoing.due:
            return
        assert self._dealing is not None
        unsaid = self._outgoing.unsaid
        following = unsaid[0][0] if unsaid else Wait.CONTENT
        if following in {Wait.MAIL, Wait.RCPT}:
            self._outgoing.say_next()
        elif not self._dealing.accepted:
            self._finish()
        elif following is Wait.DATA:
            self._outgoing.say_next()
        else:
            self._want_content()

    def _hear_data(self, reply: Reply, meaning: Meaning) -> None:
        dealing = self._dealing
        assert dealing is not None
        if meaning is Meaning.TAKEN:
            self._stuffer = Stuffer()
            if dealing.accepted:
                self._want_content()
            else:  # RFC 2920 §3.1
                self._send_nothing()
            return
        if meaning is Meaning.REFUSED:
            self._settle(Answer(reply))
        else:
            self._settle(Answer(replies.R451_NO_PERMISSION, is_ours=True))
        self._finish()

    def _want_content(self) -> None:
        self._wants_content = True
        self._events.append(CONTENT_WANTED)

    def _hear_chunk(self, reply: Reply, meaning: Meaning) -> None:
        if meaning is Meaning.TAKEN:
            self._want_content()
        else:  # RFC 3030 §2: what was taken of the message is gone with RSET alone
            self._settle(Answer(reply))
            self._finish()

    def _hear_end(self, reply: Reply, meaning: Meaning) -> None:
        dealing = self._dealing
        assert dealing is not None
        if self._is_lmtp:
            answered = dealing.hear_content(reply)
            if self._outgoing.due:
                self._events.append(answered)
        else:
            dealing.settle(Answer(reply))  # which changes nothing where nobody was accepted
        if not self._outgoing.due:
            self._needs_reset = False  # RFC 5321 §4.1.1.4: the end of data clears the peer's buffers
            self._finish()

    def _hear_quit(self, reply: Reply, meaning: Meaning) -> None:
        """Have done."""

    # How content ends, and everything else

    def _check_content_wanted(self) -> None:
        if not self._wants_content:
            raise RuntimeError("no content is wanted")

    def _end_content(self, octets: bytes, shown: str) -> None:
        dealing = self._dealing
        assert dealing is not None
        dealing.content_ended = True
        self._wants_content = False
        self._outgoing.end_content(octets, shown, len(dealing.accepted) if self._is_lmtp else 1)

    def _send_nothing(self) -> None:
        """End the data at once; by LMTP nobody knows how many replies come to that."""
        if self._is_lmtp:
            self._break_off(replies.R451_NONSENSE, is_ours=True, stage=Wait.DATA)
        else:
            self._end_content(b".\r\n", ".")

    def _refuse_content(self) -> None:
        self._settle(Answer(replies.R554_BARE_NEWLINE, is_ours=True))
        self._break_off(replies.R451_NOT_SENDABLE, is_ours=True)

    def _settle(self, answer: Answer) -> None:
        """Answer for all who are pending; no further command of this transaction is said."""
        assert self._dealing is not None
        self._dealing.settle(answer)
        self._outgoing.unsaid.clear()

    def _finish(self) -> None:
        assert self._dealing is not None
        self._events.append(TransactionEnded(tuple(self._dealing.answers)))
        self._dealing = None
        self._outgoing.unsaid.clear()

    def _refuse(self, refused: Refused) -> None:
        self._outgoing.due.clear()
        self._is_done = True
        self._events.append(refused)

    def _break_off(self, reply: Reply, *, is_ours: bool = False, stage: Wait | None = None) -> None:
        """End all that is open; nothing is sent or read any more. `stage`: where that is not what is due."""
        stage = stage or self.waits_for
        if self._dealing is not None:
            uncertain = is_ours and self._dealing.content_ended
            self._settle(Answer(reply, is_ours, uncertain))
            self._finish()
        self._reader = ReplyReader()
        self._outgoing.clear()
        self._wants_content = self._opening.in_handshake = self._is_open = False
        self._is_closed = True
        if not self._is_done:
            self._is_done = True
            self._events.append(Broken(stage, reply, is_ours))

    _HANDLERS: ClassVar[dict[Wait, Callable[["ClientConnection", Reply, Meaning], None]]] = {
        Wait.RESET: _hear_reset,
        Wait.MAIL: _hear_mail,
        Wait.RCPT: _hear_rcpt,
        Wait.DATA: _hear_data,
        Wait.CHUNK: _hear_chunk,
        Wait.END: _hear_end,
        Wait.QUIT: _hear_quit,
    }
