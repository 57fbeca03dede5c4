"""SMTP server core: octets in, events out (RFC 5321, 1870, 2034, 2920, 6152).

Driven by intake.session and by the tests; knows no socket, clock, maildrop or policy.
Promise: any input yields events and replies, one reply per command and in order, and holds at most one
command line, or four octets of content, beyond what it was just given.

The driver's loop: `receive(octets)`, then `next_event()` until it gives `None`, sending `octets_to_send()`
when it does. A `SenderReceived`, `RecipientReceived` or `ContentEnded` waits for `reply()`; until then no
further event comes. Everything else the core has already answered.

Rule 1: what may come next is decided only in states.py.
Rule 2: octets behind the end of data are the next command (RFC 2920 §3.2).
Rule 3: a refused message is read to its true end before its one reply; nothing in it is ever a command.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from paperpath.mail.address import Mailbox
from paperpath.mail.reply import Reply
from paperpath.smtp import replies
from paperpath.smtp.data import DataReader
from paperpath.smtp.grammar import (
    Command,
    CommandError,
    Verb,
    parse_command,
    parse_hello,
    parse_recipient,
    parse_sender,
)
from paperpath.smtp.states import State, next_state


@dataclass(frozen=True)
class Settings:
    """What a server announces and enforces. `size`: octets of content; `line_octets`: of a command line."""

    hostname: str
    size: int
    recipients: int
    line_octets: int = 4096
    errors: int = 20

    @cached_property
    def keywords(self) -> tuple[str, ...]:
        """The EHLO keywords, each of which works."""
        return ("PIPELINING", f"SIZE {self.size}", "8BITMIME", "ENHANCEDSTATUSCODES", "HELP")

    @cached_property
    def greeting(self) -> Reply:
        """The greeting."""
        return replies.greeting(self.hostname)


@dataclass(frozen=True, slots=True)
class HelloReceived:
    """The client introduced itself; a transaction that was open is gone."""

    name: str
    extended: bool


@dataclass(frozen=True, slots=True)
class SenderReceived:
    """A transaction begins if the driver says so. `size`: what the client declared, in octets."""

    sender: Mailbox | None
    size: int | None
    body: str


@dataclass(frozen=True, slots=True)
class RecipientReceived:
    """One recipient, taken if the driver says so."""

    recipient: Mailbox


@dataclass(frozen=True, slots=True)
class ContentBegun:
    """354 was given; content follows."""


@dataclass(frozen=True, slots=True)
class ContentReceived:
    """A chunk of content, dots taken off."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class ContentEnded:
    """The message is complete and clean with this last chunk; a positive reply takes responsibility."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class TransactionDropped:
    """The open transaction is gone: RSET, or the content was refused with `reply`."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class CommandRefused:
    """A line was answered with an error. Only verb and length are kept of it (promise P9)."""

    verb: str
    length: int
    reply: Reply


@dataclass(frozen=True, slots=True)
class QuitReceived:
    """The client is done; close once the reply is out."""


Event = (
    HelloReceived
    | SenderReceived
    | RecipientReceived
    | ContentBegun
    | ContentReceived
    | ContentEnded
    | TransactionDropped
    | CommandRefused
    | QuitReceived
)


class ServerConnection:
    """One SMTP session seen from the server."""

    def __init__(self, settings: Settings) -> None:
        """Begin with the greeting ready to be sent."""
        self._settings = settings
        self._state = State.CONNECTED
        self._input = b""
        self._read_to = 0  # what lies before was dealt with
        self._searched = 0  # no end of line lies before
        self._overlong = False
        self._output: list[bytes] = [settings.greeting.octets]
        self._awaiting: State | None = None  # where a positive reply leads
        self._recipients = 0
        self._errors = 0
        self._data = DataReader()
        self._data_octets = 0

    @property
    def state(self) -> State:
        """Where the session is."""
        return self._state

    @property
    def awaits_reply(self) -> bool:
        """Whether the core waits for the driver's `reply`."""
        return self._awaiting is not None

    @property
    def pending_octets(self) -> int:
        """How many octets wait to be looked at; the driver stops reading when they grow."""
        return len(self._input) - self._read_to

    def receive(self, octets: bytes) -> None:
        """Take what came from the client."""
        self._searched -= self._read_to
        self._input = self._input[self._read_to :] + octets
        self._read_to = 0

    @property
    def octets_waiting(self) -> int:
        """How many octets `octets_to_send` would give."""
        return sum(map(len, self._output))

    def octets_to_send(self) -> bytes:
        """Return what is to be sent, and forget it. Replies to pipelined commands leave together."""
        octets = b"".join(self._output)
        self._output.clear()
        return octets

    def next_event(self) -> Event | None:
        """Return the next event; `None` when more octets, or a reply, are needed first."""
        while self._awaiting is None and self._state is not State.CLOSED:
            if self._state is State.CONTENT:
                return self._read_content() if self.pending_octets else None
            line = self._next_line()
            if line is None:
                return None
            if (event := self._carry_out(line)) is not None:
                return event
        return None

    def reply(self, reply: Reply) -> None:
        """Answer the event that waits; a positive reply moves the session on."""
        if self._awaiting is None:
            raise RuntimeError("no event waits for a reply")
        self._output.append(reply.octets)
        if reply.is_positive:
            if self._awaiting is State.RECIPIENTS:
                self._recipients += 1
            self._state = self._awaiting
        elif self._state is State.CONTENT:
            self._state = State.READY
        self._awaiting = None
        if reply.code == 421:
            self._state = State.CLOSED

    def close(self, reply: Reply) -> None:
        """End the session from our side with a 421 (RFC 5321 §3.8); what was pending is dropped."""
        self._output.append(reply.octets)
        self._awaiting = None
        self._state = State.CLOSED

    # Reading

    def _next_line(self) -> bytes | None:
        """Cut off the next command line; an over-long one is passed over whole (RFC 5321 §4.5.3.1.9)."""
        end = self._input.find(b"\r\n", max(self._searched, self._read_to))
        if end < 0:
            if self.pending_octets > self._settings.line_octets:
                self._overlong = True
                self._read_to = len(self._input) - 1
            self._searched = max(len(self._input) - 1, 0)
            return None
        line = self._input[self._read_to : end]
        self._read_to = end + 2
        if len(line) + 2 > self._settings.line_octets:
            self._overlong = True
        return line

    def _read_content(self) -> Event | None:
        content, behind = self._data.feed(self._input[self._read_to :])
        self._input, self._read_to, self._searched = behind, 0, 0
        self._data_octets += len(content)
        too_big = self._data_octets > self._settings.size
        if not self._data.ended:
            return ContentReceived(content) if content and not too_big else None
        if too_big or self._data.has_bare_newline:
            self._state = State.READY
            refusal = replies.R552_TOO_BIG if too_big else replies.R550_BARE_NEWLINE
            self._output.append(refusal.octets)
            return TransactionDropped(refusal)
        self._awaiting = State.READY
        return ContentEnded(content)

    # Commands

    def _carry_out(self, line: bytes) -> Event | None:
        overlong, self._overlong = self._overlong, False
        if overlong:
            return self._refuse(line, replies.R500_LINE_TOO_LONG)
        try:
            command = parse_command(line)
            following = next_state(self._state, command.verb)
            if isinstance(following, Reply):
                raise CommandError(following)
            return self._HANDLERS[command.verb](self, command, following)
        except CommandError as error:
            return self._refuse(line, error.reply)

    def _refuse(self, line: bytes, reply: Reply) -> Event:
        self._output.append(reply.octets)
        self._errors += reply.code >= 500
        if self._errors > self._settings.errors:
            self.close(replies.R421_TOO_MANY_ERRORS)
        verb = line.split(b" ", 1)[0][:16].decode("ascii", "replace")
        return CommandRefused(verb, len(line), reply)

    def _noop(self, command: Command, following: State) -> None:
        self._output.append(replies.R250_DONE.octets)

    def _help(self, command: Command, following: State) -> None:
        self._output.append(replies.R214_HELP.octets)

    def _hello(self, command: Command, following: State) -> Event:
        name = parse_hello(command.argument)
        extended = command.verb is Verb.EHLO
        keywords = self._settings.keywords if extended else ()
        self._output.append(replies.hello_reply(self._settings.hostname, name, keywords).octets)
        self._state = following
        return HelloReceived(name, extended)

    def _mail(self, command: Command, following: State) -> Event:
        parsed = parse_sender(command.argument)
        if parsed.size is not None and parsed.size > self._settings.size:
            raise CommandError(replies.R552_TOO_BIG)
        self._recipients = 0
        self._awaiting = following
        return SenderReceived(parsed.sender, parsed.size, parsed.body)

    def _rcpt(self, command: Command, following: State) -> Event:
        recipient = parse_recipient(command.argument)
        if self._recipients >= self._settings.recipients:
            raise CommandError(replies.R452_TOO_MANY_RECIPIENTS)
        self._awaiting = following
        return RecipientReceived(recipient)

    def _begin_content(self, command: Command, following: State) -> Event:
        self._data = DataReader()
        self._data_octets = 0
        self._output.append(replies.R354_GO_AHEAD.octets)
        self._state = following
        return ContentBegun()

    def _rset(self, command: Command, following: State) -> Event:
        self._output.append(replies.R250_DONE.octets)
        self._state = following
        return TransactionDropped(replies.R250_DONE)

    def _vrfy(self, command: Command, following: State) -> None:
        if not command.argument:
            raise CommandError(replies.R501_NEEDS_ARGUMENT)
        self._output.append(replies.R252_TRY.octets)

    def _quit(self, command: Command, following: State) -> Event:
        self._output.append(replies.R221_BYE.octets)
        self._state = following
        return QuitReceived()

    _HANDLERS: ClassVar[dict[Verb, Callable[["ServerConnection", Command, State], Event | None]]] = {
        Verb.HELO: _hello,
        Verb.EHLO: _hello,
        Verb.MAIL: _mail,
        Verb.RCPT: _rcpt,
        Verb.DATA: _begin_content,
        Verb.RSET: _rset,
        Verb.NOOP: _noop,
        Verb.VRFY: _vrfy,
        Verb.HELP: _help,
        Verb.QUIT: _quit,
    }
