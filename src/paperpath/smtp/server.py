"""SMTP server core: octets in, events out (RFC 5321, 1870, 2034, 2920, 3030, 3207, 3461, 4954, 6152,
6531, 9422).

Driven by intake.session and by the tests; knows no socket, clock, maildrop or policy.
Promise: any input yields events and replies, one reply per command and in order, and holds at most one
command line, or four octets of content, beyond what it was just given.

The driver's loop: `receive(octets)`, then `next_event()` until it gives `None`, sending `octets_to_send()`
when it does. The events that wait for `reply()` are named in events.py; until then no further one comes.

Rule 1: what may come next is decided only in states.py.
Rule 2: octets behind the end of data are the next command (RFC 2920 §3.2).
Rule 3: a refused message or chunk is read to its true end before its one reply; nothing in it is a command.
Rule 4: what came in the clear behind STARTTLS is never looked at (RFC 3207 §6).
Rule 5: what AUTH and the answers behind it say is told to nobody but by the event it makes (promise P9).
"""

from collections.abc import Callable
from typing import ClassVar

from paperpath.mail.envelope import NO_PARAMETERS
from paperpath.mail.reply import Reply
from paperpath.smtp import replies
from paperpath.smtp.chunks import ChunkReader
from paperpath.smtp.data import DataReader
from paperpath.smtp.entrance import Entrance
from paperpath.smtp.events import (
    CONTENT_BEGUN,
    QUIT_RECEIVED,
    TLS_REQUESTED,
    CommandRefused,
    ContentEnded,
    ContentReceived,
    Event,
    HelloReceived,
    TransactionDropped,
)
from paperpath.smtp.grammar import (
    Verb,
    announces_chunk,
    begins_login,
    is_foreign,
    parse_chunk,
    parse_command,
    parse_hello,
    parse_login,
    parse_recipient,
    parse_sender,
    show_command,
)
from paperpath.smtp.login import MOST_LINE_OCTETS, Login, Step
from paperpath.smtp.observer import NOBODY, Observer
from paperpath.smtp.parameters import asks_for_international
from paperpath.smtp.refusal import CommandError
from paperpath.smtp.scram import ScramKeys
from paperpath.smtp.settings import Settings
from paperpath.smtp.states import State, next_state

_VERB_OCTETS = 16  # of an over-long line, to be told (promise P9)
_TURNING = frozenset({State.HANDSHAKE, State.LOGIN})  # where a reply does more than move on
_UNKNOWN = (replies.R500_UNKNOWN, replies.R500_BARE_NEWLINE)


class ServerConnection:
    """One SMTP session seen from the server."""

    def __init__(self, settings: Settings, observer: Observer = NOBODY, *, encrypted: bool = False) -> None:
        """Begin with the greeting ready to be sent; `encrypted`: on a port that speaks TLS from the start."""
        self._settings = settings
        self._entrance = Entrance(settings, encrypted=encrypted)
        self._state = State.CONNECTED
        self._read: _Reading = ServerConnection._read_commands
        self._input = b""
        self._read_to = 0  # what lies before was dealt with
        self._searched = 0  # no end of line lies before
        self._line_octets = settings.line_octets
        self._passed_over = 0  # octets of an over-long line that are gone
        self._line_start = b""  # the first of them that are not blank
        self._observer = observer
        self._output: list[bytes] = []
        self._last_reply = settings.greeting
        self._say(settings.greeting)
        self._awaiting: State | None = None  # where a positive reply leads
        self._errors = 0
        self._recipients = 0
        self._parameters = NO_PARAMETERS
        self._content_octets = 0
        self._data: DataReader | None = None
        self._chunks: ChunkReader | None = None
        self._is_last_chunk = False
        self._to_discard = 0
        self._refusal: Reply | None = None  # what a discarded chunk is answered with
        self._login: Login | None = None
        self._had_login = False  # what is no verb may be a secret from now on

    @property
    def state(self) -> State:
        """Where the session is."""
        return self._state

    @property
    def encrypted(self) -> bool:
        """Whether the session is inside TLS."""
        return self._entrance.encrypted

    @property
    def awaits_reply(self) -> bool:
        """Whether the core waits for the driver's `reply`."""
        return self._awaiting is not None

    @property
    def last_reply(self) -> Reply:
        """What was said last; of a session that is over, why, unless the client said QUIT."""
        return self._last_reply

    @property
    def pending_octets(self) -> int:
        """How many octets wait to be looked at; the driver stops reading when they grow."""
        return len(self._input) - self._read_to

    def receive(self, octets: bytes) -> None:
        """Take what came from the client."""
        if self._read_to == len(self._input):
            self._input = octets
            self._searched = 0
        else:
            self._input = self._input[self._read_to :] + octets
            self._searched -= self._read_to
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
        while self._awaiting is None:
            read = self._read
            event = read(self)
            if event is not None or self._read is read:
                return event
        return None

    def reply(self, reply: Reply) -> None:
        """Answer the event that waits; a positive reply moves the session on."""
        following, self._awaiting = self._awaiting, None
        if following is None:
            raise RuntimeError("no event waits for a reply")
        self._say(reply)
        if reply.code < 400:
            if following is State.RECIPIENTS:
                self._recipients += 1
            self._state = following
        elif following is State.READY:  # the message was refused at its end, and with it the transaction
            self._state = following
        if reply.code == 421:
            self._stop(State.CLOSED)
        elif following in _TURNING:
            if following is State.LOGIN:
                self._end_login(reply)
            elif self._state is following:
                self._stop(following)

    def give_keys(self, keys: ScramKeys, nonce: str) -> None:
        """Answer `KeysWanted`. `nonce`: printable ASCII without commas, random and never the same again."""
        login = self._login
        if self._awaiting is None or login is None or not login.wants_keys:
            raise RuntimeError("no keys are wanted")
        self._awaiting = None
        self._follow(login.take_keys(keys, nonce))

    def admit(self) -> None:
        """Let the client do everything without a login, since the driver knows it by other means."""
        self._entrance.admit()

    def offer_external(self) -> None:
        """Offer EXTERNAL: the client has shown who it is, by a certificate or on its socket.

        To be said again once TLS has started.
        """
        self._entrance.vouch()

    def tls_started(self) -> None:
        """Go on inside TLS as if just connected: what the client said before is forgotten (RFC 3207 §4.2)."""
        if self._state is not State.HANDSHAKE:
            raise RuntimeError("no TLS was asked for")
        self._entrance.start_tls()
        self._state = State.CONNECTED
        self._read = ServerConnection._read_commands
        self._take_input()  # rule 4

    def close(self, reply: Reply) -> None:
        """End the session from our side with a 421 (RFC 5321 §3.8); what was pending is dropped."""
        self._say(reply)
        self._awaiting = None
        self._stop(State.CLOSED)

    # Reading: each reads until there is an event, or until it needs more, or until another takes over

    def _read_commands(self) -> Event | None:
        while (line := self._next_line()) is not None:
            event = self._carry_out(line)
            if event is not None or self._read is not ServerConnection._read_commands:
                return event
        return None

    def _next_line(self) -> bytes | None:
        """Cut off the next command line; an over-long one is passed over whole (RFC 5321 §4.5.3.1.9)."""
        begin = self._read_to
        end = self._input.find(b"\r\n", self._searched if self._searched > begin else begin)
        if end < 0:
            self._keep_rest()
            return None
        self._read_to = end + 2
        return self._input[begin:end]

    def _keep_rest(self) -> None:
        """Hold on to the begin of a line alone; of an over-long one to what may be half of its CRLF."""
        rest = self._input[self._read_to :]
        if len(rest) > self._line_octets and self._is_too_long(rest):
            self._line_start = (self._line_start + rest[:-1]).lstrip(b" \t")[:_VERB_OCTETS]
            self._passed_over += len(rest) - 1
            rest = rest[-1:]
        self._input, self._read_to, self._searched = rest, 0, max(len(rest) - 1, 0)

    def _is_too_long(self, line: bytes) -> bool:
        """Tell whether what is longer than commands are is too long for AUTH as well."""
        may_be_login = self._settings.mechanisms and begins_login(line)
        return not may_be_login or len(line) + 2 > MOST_LINE_OCTETS

    def _read_content(self) -> Event | None:
        """Read what follows DATA, to its end."""
        data = self._data
        assert data is not None
        content, behind = data.feed(self._take_input())
        self._input = behind
        self._content_octets += len(content)
        too_big = self._content_octets > self._settings.size
        if not data.ended:
            return ContentReceived(content) if content and not too_big else None
        self._read = ServerConnection._read_commands
        if too_big or data.has_bare_newline:
            return self._drop(replies.R552_TOO_BIG if too_big else replies.R550_BARE_NEWLINE)
        self._awaiting = State.READY
        return ContentEnded(content)

    def _read_chunk(self) -> Event | None:
        """Read what follows BDAT, as many octets as were announced."""
        chunks = self._chunks
        assert chunks is not None
        content, self._input = chunks.feed(self._take_input())
        if chunks.left:
            return ContentReceived(content) if content else None
        self._read = ServerConnection._read_commands
        if not self._is_last_chunk:
            self._say(replies.chunk_taken(chunks.octets))
            return ContentReceived(content) if content else None
        if chunks.has_bare_newline and self._parameters.body != "BINARYMIME":
            return self._drop(replies.R550_BARE_NEWLINE)
        self._awaiting = State.READY
        return ContentEnded(content)

    def _discard_chunk(self) -> Event | None:
        """Read a chunk that was refused, and answer behind its last octet (RFC 3030 §2)."""
        octets = self._take_input()
        self._input = octets[self._to_discard :]
        self._to_discard -= len(octets) - len(self._input)
        if self._to_discard:
            return None
        self._read = ServerConnection._read_commands
        refusal = self._refusal
        assert refusal is not None
        if refusal is replies.R552_TOO_BIG:
            return self._drop(refusal)
        return self._refuse(b"BDAT", refusal)

    def _read_answers(self) -> Event | None:
        """Read the answers to the challenges of AUTH."""
        while (line := self._next_line()) is not None:
            event = self._take_answer(line)
            if event is not None:
                return event
        return None

    def _read_nothing(self) -> Event | None:
        self._take_input()
        return None

    def _take_input(self) -> bytes:
        octets = self._input[self._read_to :] if self._read_to else self._input
        self._input, self._read_to, self._searched = b"", 0, 0
        return octets

    def _say(self, reply: Reply) -> None:
        self._last_reply = reply
        self._output.append(reply.octets)
        self._observer.see_reply(reply)

    def _stop(self, state: State) -> None:
        """Read nothing more, for ever or until TLS has started; what had come is dropped."""
        self._state = state
        self._read = ServerConnection._read_nothing
        self._take_input()

    def _drop(self, refusal: Reply) -> Event:
        self._state = State.READY
        self._say(refusal)
        return TransactionDropped(refusal)

    # Commands

    def _carry_out(self, line: bytes) -> Event | None:
        if self._passed_over or (len(line) + 2 > self._line_octets and self._is_too_long(line)):
            return self._refuse_overlong(line)
        try:
            verb, argument = parse_command(line)
            self._observer.see_command(verb.name)
            following = self._next_state(verb)
            if verb is Verb.BDAT:
                return self._bdat(line, argument, following)
            if isinstance(following, Reply):
                raise CommandError(following if self._implements(verb) else replies.R502_NOT_IMPLEMENTED)
            return self._HANDLERS[verb](self, verb, argument, following)
        except CommandError as error:
            if error.reply in _UNKNOWN:
                self._observer.see_command("unknown")
            if error.reply is replies.R500_UNKNOWN and is_foreign(line, first=self._state is State.CONNECTED):
                self.close(replies.R421_NOT_SMTP)
                return self._refused(line, replies.R421_NOT_SMTP)
            return self._refuse_line(line, error.reply)

    def _next_state(self, verb: Verb) -> State | Reply:
        gate = self._entrance.gate
        if gate is not None and verb not in gate.open_for:
            return gate.refusal
        return next_state(self._state, verb)

    def _implements(self, verb: Verb) -> bool:
        return verb is not Verb.AUTH or bool(self._settings.mechanisms)

    def _refuse_overlong(self, line: bytes) -> Event:
        start = (self._line_start + line).lstrip(b" \t")
        is_login = self._settings.mechanisms and begins_login(start)
        reply = replies.R500_ANSWER_TOO_LONG if is_login else replies.R500_LINE_TOO_LONG
        return self._refuse_line(start, reply, self._take_length(line))

    def _take_length(self, line: bytes) -> int:
        """Return the length of a line of which this is the end, and begin the next one."""
        length = self._passed_over + len(line)
        self._passed_over, self._line_start = 0, b""
        return length

    def _refuse_line(self, line: bytes, reply: Reply, length: int | None = None) -> Event:
        if announces_chunk(line):  # and nobody knows where the next command would begin
            self._say(replies.R501_BAD_CHUNK)
            self._stop(State.CLOSED)
            return self._refused(line, replies.R501_BAD_CHUNK, length)
        return self._refuse(line, reply, length)

    def _refuse(self, line: bytes, reply: Reply, length: int | None = None) -> Event:
        self._say(reply)
        self._errors += reply.code >= 500
        if self._errors > self._settings.errors:
            self.close(replies.R421_TOO_MANY_ERRORS)
        return self._refused(line, reply, length)

    def _refused(self, line: bytes, reply: Reply, length: int | None = None) -> CommandRefused:
        """Make the event; `length` is that of the whole line, where it is longer than what is there of it."""
        verb, argument = show_command(line, verbs_only=self._had_login)
        self._had_login |= verb.upper() == Verb.AUTH.name
        if length is not None:
            return CommandRefused(verb, length, reply)
        return CommandRefused(verb, len(line), reply, argument)

    def _noop(self, verb: Verb, argument: bytes, following: State) -> None:
        self._say(replies.R250_DONE)

    def _help(self, verb: Verb, argument: bytes, following: State) -> None:
        self._say(replies.R214_HELP_WITH_AUTH if self._settings.mechanisms else replies.R214_HELP)

    def _hello(self, verb: Verb, argument: bytes, following: State) -> Event:
        name = parse_hello(argument)
        extended = verb is Verb.EHLO
        keywords = self._entrance.keywords if extended else ()
        self._say(replies.hello_reply(self._settings.hostname, name, keywords))
        self._state = following
        return HelloReceived(name, extended, early=self.pending_octets > 0)

    def _mail(self, verb: Verb, argument: bytes, following: State) -> Event:
        event = parse_sender(argument, self._settings)
        if event.size is not None and event.size > self._settings.size:
            raise CommandError(replies.R552_TOO_BIG)
        self._recipients = self._content_octets = 0
        self._parameters = event.parameters
        self._chunks = None
        self._awaiting = following
        return event

    def _rcpt(self, verb: Verb, argument: bytes, following: State) -> Event:
        event = parse_recipient(argument, self._settings, international=self._parameters.international)
        if self._recipients >= self._settings.recipients:
            raise CommandError(replies.R452_TOO_MANY_RECIPIENTS)
        self._awaiting = following
        return event

    def _begin_content(self, verb: Verb, argument: bytes, following: State) -> Event:
        if self._parameters.body == "BINARYMIME":
            raise CommandError(replies.R503_BINARY_NEEDS_CHUNKS)
        self._data = DataReader()
        self._say(replies.R354_GO_AHEAD)
        self._state = following
        self._read = ServerConnection._read_content
        return CONTENT_BEGUN

    def _bdat(self, line: bytes, argument: bytes, following: State | Reply) -> Event | None:
        size, is_last = parse_chunk(argument)
        if isinstance(following, Reply):
            self._begin_discarding(size, following)
            return None
        if self._content_octets + size > self._settings.size:
            self._begin_discarding(size, replies.R552_TOO_BIG)
            return None
        is_first = self._chunks is None
        chunks = self._chunks = self._chunks or ChunkReader()
        self._content_octets += size
        chunks.begin(size)
        if chunks.is_flood:
            self.close(replies.R421_TOO_MANY_CHUNKS)
            return self._refused(line, replies.R421_TOO_MANY_CHUNKS)
        self._is_last_chunk = is_last
        self._state = following
        self._read = ServerConnection._read_chunk
        return CONTENT_BEGUN if is_first else None

    def _begin_discarding(self, size: int, refusal: Reply) -> None:
        self._to_discard, self._refusal = size, refusal
        self._read = ServerConnection._discard_chunk

    def _rset(self, verb: Verb, argument: bytes, following: State) -> Event:
        self._say(replies.R250_DONE)
        self._state = following
        return TransactionDropped(replies.R250_DONE)

    def _vrfy(self, verb: Verb, argument: bytes, following: State) -> None:
        if not argument:
            raise CommandError(replies.R501_NEEDS_ARGUMENT)
        if not (argument.isascii() or asks_for_international(argument)):
            raise CommandError(replies.R553_RECIPIENT_NOT_ASCII)
        self._say(replies.R252_TRY)

    def _starttls(self, verb: Verb, argument: bytes, following: State) -> Event:
        if self._entrance.encrypted:
            raise CommandError(replies.R503_TLS_ALREADY)
        if not self._settings.tls:
            raise CommandError(replies.R502_NOT_IMPLEMENTED)
        if self.pending_octets:
            self.close(replies.R421_OCTETS_BEFORE_TLS)
            return self._refused(b"STARTTLS", replies.R421_OCTETS_BEFORE_TLS)
        self._awaiting = following
        return TLS_REQUESTED

    def _auth(self, verb: Verb, argument: bytes, following: State) -> Event | None:
        if not self._implements(verb):
            raise CommandError(replies.R502_NOT_IMPLEMENTED)
        mechanism, initial = parse_login(argument)
        self._entrance.check(mechanism)
        login = Login(mechanism)
        step = login.begin(initial)
        self._login, self._had_login = login, True
        self._state, self._read = following, ServerConnection._read_answers
        self._line_octets = MOST_LINE_OCTETS
        return self._follow(step)

    def _take_answer(self, line: bytes) -> Event | None:
        login = self._login
        assert login is not None
        length = self._take_length(line)
        try:
            if length + 2 > MOST_LINE_OCTETS:
                raise CommandError(replies.R500_ANSWER_TOO_LONG)
            return self._follow(login.answer(line))
        except CommandError as error:
            self._leave_login()
            return self._refuse(b"AUTH", error.reply, length)

    def _follow(self, step: Step) -> Event | None:
        """Give the next challenge, or wait for the driver's judgement."""
        if not isinstance(step, bytes):
            self._awaiting = State.LOGIN
            return step
        self._output.append(step)
        self._observer.see_reply(replies.R334_CHALLENGE)
        return None

    def _end_login(self, reply: Reply) -> None:
        login = self._login
        assert login is not None
        self._leave_login()
        if not reply.is_positive:
            if self._entrance.fail(reply):
                self.close(replies.R421_TOO_MANY_ERRORS)
        elif login.may_succeed:
            self._entrance.log_in()
        else:
            raise RuntimeError("who has proved nothing cannot be let in")

    def _leave_login(self) -> None:
        self._login = None
        self._state, self._read = State.READY, ServerConnection._read_commands
        self._line_octets = self._settings.line_octets

    def _quit(self, verb: Verb, argument: bytes, following: State) -> Event:
        self._say(replies.R221_BYE)
        self._stop(following)
        return QUIT_RECEIVED

    _HANDLERS: ClassVar[dict[Verb, Callable[["ServerConnection", Verb, bytes, State], Event | None]]] = {
        Verb.HELO: _hello,
        Verb.EHLO: _hello,
        Verb.AUTH: _auth,
        Verb.MAIL: _mail,
        Verb.RCPT: _rcpt,
        Verb.DATA: _begin_content,
        Verb.RSET: _rset,
        Verb.NOOP: _noop,
        Verb.VRFY: _vrfy,
        Verb.HELP: _help,
        Verb.STARTTLS: _starttls,
        Verb.QUIT: _quit,
    }


_Reading = Callable[[ServerConnection], Event | None]
