"""IMAP server core: octets in, events out (RFC 3501, RFC 9051, and what extensions.py lists).

Driven by imapd and by the tests; knows no socket, clock, mail store or policy.
Promise: any input yields events and answers, one tagged answer per command and in order; it holds at most one
command of `Settings.command_octets` beyond what it was just given, and works in time linear in the octets.

The driver's loop: `receive(octets)`, then `next_event()` until it gives `None`, sending `octets_to_send()`
when it does. The events that wait for the driver are named in events.py; until then no further one comes.
Untagged responses go out by `send`, in order with everything else; responses.py writes them.

Rule 1: what may come next is decided only in states.py; what is refused there is refused before its literals.
Rule 2: a refused command is read to its true end before its one answer; nothing in it is a command.
Rule 3: what came in the clear behind STARTTLS, or behind COMPRESS, is never looked at.
Rule 4: what LOGIN and AUTHENTICATE say is told to nobody but by the event it makes (promise P9).
"""

from collections.abc import Callable
from typing import ClassVar

from paperpath.imap.assembly import Assembly
from paperpath.imap.channel import Channel
from paperpath.imap.commands import Command, Compress, Enable
from paperpath.imap.completion import Completion, Condition, bad, no, ok
from paperpath.imap.dialect import Dialect
from paperpath.imap.enabling import enables_condstore
from paperpath.imap.entrance import Entrance
from paperpath.imap.events import (
    CAPABILITIES_TOLD,
    IDLE_ENDED,
    TLS_REQUESTED,
    AppendDropped,
    ClientIdentified,
    CommandReceived,
    CommandRefused,
    Event,
    LoggedOut,
    MessageAnnounced,
    MessageEnded,
)
from paperpath.imap.extensions import Extension
from paperpath.imap.fault import Fault
from paperpath.imap.grammar.access import parse_id
from paperpath.imap.grammar.commands import parse_command
from paperpath.imap.login import MOST_ANSWER_OCTETS, Login, Step, is_failure
from paperpath.imap.reading import CommandReader, Item
from paperpath.imap.responses import write_capability, write_id
from paperpath.imap.settings import Settings
from paperpath.imap.states import FAILED, State
from paperpath.imap.verbs import Verb
from paperpath.smtp.events import KeysWanted
from paperpath.smtp.scram import ScramKeys

_BYE = Completion(Condition.BYE, "Logging out")
_TOO_MANY_ERRORS = "Too many errors"
_TOO_MANY_FAILURES = "Too many failed logins"
_NOT_IMAP = "This is an IMAP server, and that was not IMAP"
_LOST = "Nobody knows where the next command begins"
_NOT_DONE = bad("Only DONE ends IDLE")
_COMPRESSED = no("All is compressed already", "COMPRESSIONACTIVE")  # RFC 4978 §3
_IDLING = b"+ Idling\r\n"
_IDLE_LINE_OCTETS = 64
_TURNING = frozenset({State.HANDSHAKE, State.COMPRESSING})  # where nothing is read until the driver says so
_LOGINS = frozenset({Verb.LOGIN, Verb.AUTHENTICATE})


class ServerConnection(Channel):
    """One IMAP session seen from the server."""

    def __init__(self, settings: Settings, *, encrypted: bool = False) -> None:
        """Begin with the greeting ready to be sent; `encrypted`: on a port that speaks TLS from the start."""
        super().__init__()
        self._settings = settings
        self._entrance = Entrance(settings, encrypted=encrypted)
        self._dialect = Dialect(settings.extensions)
        self._reader = CommandReader(self._input, settings, self._dialect, self._judge, self._output.ask)
        self._read: _Reading = ServerConnection._read_commands
        self._state = State.GREETED
        self._inside = State.GREETED  # where IDLE, or a message, leads back to
        self._current: Assembly | None = None  # what is not answered yet
        self._awaits = False
        self._login: Login | None = None
        self._errors = 0
        self._end: LoggedOut | None = None  # to be told
        self._output.say(ok(f"{settings.hostname} ready", self.capability_code))

    @property
    def state(self) -> State:
        """Where the session is."""
        return self._state

    @property
    def encrypted(self) -> bool:
        """Whether the session is inside TLS."""
        return self._entrance.encrypted

    @property
    def dialect(self) -> Dialect:
        """What the client has switched on, and so how names of mailboxes are written."""
        return self._dialect

    @property
    def is_amid_command(self) -> bool:
        """Whether a command has begun whose end was not looked at yet: there is a literal in it."""
        return self._reader.assembly is not None

    @property
    def awaits_driver(self) -> bool:
        """Whether the core waits for `complete`, `go_ahead` or `give_keys`."""
        return self._awaits

    @property
    def capability_code(self) -> str:
        """What is announced now, as the code of a completion."""
        return f"CAPABILITY {self._entrance.capabilities}"

    def next_event(self) -> Event | None:
        """Return the next event; `None` when more octets, or the driver, are needed first."""
        while not self._awaits:
            read = self._read
            event = read(self)
            if event is not None or self._read is read:
                return event
        return None

    # What the driver says to the event that waits

    def complete(self, completion: Completion) -> None:
        """Answer the event that waits, for good; what was carried out moves the session on."""
        current = self._take_current()
        if current.verb in _LOGINS:
            self._complete_login(current, completion)
        elif self._reader.awaits_message:
            self._turn_away(completion)
        else:
            self._complete_command(current, completion)

    def go_ahead(self) -> None:
        """Let the client idle, or send the message that it announced."""
        current = self._take_current()
        self._inside = self._state
        if self._reader.awaits_message:
            self._state = State.MESSAGE
            self._reader.take_message()
        elif current.verb is Verb.IDLE:
            self._state, self._read = State.IDLING, ServerConnection._read_idle
            self._current = current
            self._output.add(_IDLING)
        else:
            raise RuntimeError("nobody waits to go ahead")

    def give_keys(self, keys: ScramKeys, nonce: str) -> None:
        """Answer `KeysWanted`. `nonce`: printable ASCII without commas, random and never the same again."""
        login = self._login
        if login is None or not isinstance(login.event, KeysWanted):
            raise RuntimeError("no keys are wanted")
        self._follow(self._take_current(), login.take_keys(keys, nonce))

    def tls_started(self) -> None:
        """Go on inside TLS as if just connected, but for the greeting (RFC 9051 §6.2.1)."""
        if self._state is not State.HANDSHAKE:
            raise RuntimeError("no TLS was asked for")
        self._entrance.encrypted = True
        self._go_on(State.GREETED)

    def compression_started(self) -> None:
        """Go on with what comes, which is inflated before (RFC 4978)."""
        if self._state is not State.COMPRESSING:
            raise RuntimeError("no compression was asked for")
        self._entrance.compressed = True
        self._go_on(self._inside)

    def close(self, text: str) -> None:
        """End the session from our side with a BYE; what was pending is dropped, and not answered."""
        if self._state is not State.CLOSED:
            self._output.say(Completion(Condition.BYE, text))
            self._stop(State.CLOSED)
            self._end = LoggedOut(by_client=False)

    def _take_current(self) -> Assembly:
        current, self._current = self._current, None
        if not self._awaits or current is None:
            raise RuntimeError("no event waits")
        self._awaits = False
        return current

    def _complete_command(self, current: Assembly, completion: Completion) -> None:
        assert current.verb is not None
        following = current.following if completion.is_ok else FAILED.get(current.verb, self._state)
        if current.verb is Verb.APPEND:
            following = self._state
        assert following is not None
        if following is State.IDLING:
            raise RuntimeError("IDLE goes ahead, or is refused")
        if completion.is_ok:
            self._dialect.enable(current.to_enable)
        self._output.answer(current, completion)
        if following in _TURNING:
            self._inside = self._state
            self._stop(following)
        self._state = following

    def _turn_away(self, completion: Completion) -> None:
        if completion.is_ok:
            raise RuntimeError("a message that did not come cannot be taken")
        assembly = self._reader.refuse_message(completion)
        if assembly is not None:
            self._output.answer(assembly, completion)

    def _complete_login(self, current: Assembly, completion: Completion) -> None:
        login, self._login = self._login, None
        assert login is not None
        self._read = ServerConnection._read_commands
        if not completion.is_ok:
            self._state = State.GREETED
            self._refuse(current, completion)
            return
        if not login.may_succeed:
            raise RuntimeError("who has proved nothing cannot be let in")
        self._state = State.AUTHENTICATED
        self._entrance.is_logged_in = True
        self._reader.command_octets = self._settings.command_octets
        code = completion.code or self.capability_code
        self._output.answer(current, ok(completion.text, code))

    # Reading: each reads until there is an event, or until it needs more, or until another takes over

    def _read_commands(self) -> Event | None:
        while (item := self._reader.next_item()) is not None:
            event = self._take(item)
            if event is not None or self._awaits or self._read is not ServerConnection._read_commands:
                return event
        if self._reader.is_lost:
            self.close(_LOST)
        return None

    def _take(self, item: Item) -> Event | None:
        match item:
            case Assembly():
                return self._take_command(item)
            case MessageAnnounced():
                self._await(self._reader.assembly)
            case MessageEnded():
                self._state = self._inside
        return item

    def _read_answers(self) -> Event | None:
        current, login = self._current, self._login
        assert current is not None
        assert login is not None
        while (line := self._next_short_line(MOST_ANSWER_OCTETS)) is not None:
            try:
                event = self._follow(current, login.answer(line))
            except Fault as fault:
                self._login = self._current = None
                self._state, self._read = State.GREETED, ServerConnection._read_commands
                return self._refuse(current, fault.completion)
            if event is not None:
                return event
        return None

    def _read_idle(self) -> Event | None:
        line = self._next_short_line(_IDLE_LINE_OCTETS)
        if line is None:
            return None
        current, self._current = self._current, None
        assert current is not None
        self._state, self._read = self._inside, ServerConnection._read_commands
        if line.upper() == b"DONE":
            self._output.answer(current, ok("No longer idle"))
        else:
            self._refuse(current, _NOT_DONE)
        return IDLE_ENDED

    def _read_nothing(self) -> Event | None:
        self._input.clear()
        end, self._end = self._end, None
        return end

    # Commands

    def _judge(self, assembly: Assembly) -> None:
        """See whether a command may come now, before anything behind its name is looked at."""
        if assembly.is_foreign:
            self.close(_NOT_IMAP)
        if assembly.verb is None:
            return
        following = self._entrance.judge(assembly.verb, self._state)
        if isinstance(following, Completion):
            assembly.refuse(following)
        else:
            assembly.following = following

    def _take_command(self, assembly: Assembly) -> Event | None:
        if self._state is State.CLOSED:
            return None
        if assembly.refusal is not None:
            return self._refuse(assembly, assembly.refusal)
        try:
            return self._carry_out(assembly)
        except Fault as fault:
            return self._refuse(assembly, fault.completion)

    def _carry_out(self, assembly: Assembly) -> Event | None:
        assert assembly.verb is not None
        handler = self._HANDLERS.get(assembly.verb)
        if handler is not None:
            return handler(self, assembly)
        command = self._parse(assembly)
        if isinstance(command, Compress) and self._entrance.compressed:
            raise Fault(_COMPRESSED)
        if enables_condstore(command):
            self._dialect.enable([Extension.CONDSTORE])
        if isinstance(command, Enable):
            assembly.to_enable = command.extensions
        self._await(assembly)
        return CommandReceived(assembly.tag, command)

    def _parse(self, assembly: Assembly) -> Command:
        if assembly.appending is not None:
            return assembly.appending.take_end(assembly.words)
        assert assembly.verb is not None
        return parse_command(assembly.verb, assembly.words, self._dialect, by_uid=assembly.by_uid)

    def _capability(self, assembly: Assembly) -> Event:
        assembly.words.end()
        self._output.add(write_capability(self._entrance.capabilities))
        self._output.answer(assembly, ok("That is all"))
        return CAPABILITIES_TOLD

    def _identify(self, assembly: Assembly) -> Event:
        words = assembly.words
        fields = parse_id(words)
        words.end()
        self._output.add(write_id(self._settings.identity))
        self._output.answer(assembly, ok("Pleased to meet you"))
        return ClientIdentified(fields)

    def _logout(self, assembly: Assembly) -> None:
        assembly.words.end()
        self._output.say(_BYE)
        self._output.answer(assembly, ok("Bye"))
        self._stop(State.CLOSED)
        self._end = LoggedOut(by_client=True)

    def _starttls(self, assembly: Assembly) -> Event:
        assembly.words.end()
        self._await(assembly)
        return TLS_REQUESTED

    def _log_in(self, assembly: Assembly) -> Event | None:
        login = Login()
        if assembly.verb is Verb.LOGIN:
            step = login.take_password(assembly.words)
        else:
            step = login.begin(assembly.words, self._dialect, self._entrance)
            self._state, self._read = State.LOGIN, ServerConnection._read_answers
        self._login = login
        return self._follow(assembly, step)

    def _follow(self, current: Assembly, step: Step) -> Event | None:
        """Give the next challenge, or wait for the driver's judgement."""
        self._current = current
        if isinstance(step, bytes):
            self._output.add(step)
            return None
        self._awaits = True
        return step

    # Answers

    def _await(self, current: Assembly | None) -> None:
        self._current, self._awaits = current, True

    def _refuse(self, assembly: Assembly, completion: Completion) -> Event:
        self._output.answer(assembly, completion)
        self._errors += completion.condition is Condition.BAD
        if self._errors >= self._settings.errors:
            self.close(_TOO_MANY_ERRORS)
        elif assembly.verb in _LOGINS and is_failure(completion) and self._entrance.fail():
            self.close(_TOO_MANY_FAILURES)
        if assembly.appending is not None and assembly.appending.messages:
            return AppendDropped(completion)
        return CommandRefused(assembly.verb.value if assembly.verb else "", completion)

    def _stop(self, state: State) -> None:
        """Read nothing more, for ever or until the driver says so; what had come is dropped."""
        self._state, self._read = state, ServerConnection._read_nothing
        self._current, self._awaits = None, False

    def _go_on(self, state: State) -> None:
        """Read commands again, which begin with what comes next."""
        self._state, self._read = state, ServerConnection._read_commands
        self._input.clear()

    _HANDLERS: ClassVar[dict[Verb, Callable[["ServerConnection", Assembly], Event | None]]] = {
        Verb.CAPABILITY: _capability,
        Verb.ID: _identify,
        Verb.LOGOUT: _logout,
        Verb.STARTTLS: _starttls,
        Verb.LOGIN: _log_in,
        Verb.AUTHENTICATE: _log_in,
    }


_Reading = Callable[[ServerConnection], Event | None]
