"""A session on the server core, driven as badly as may be: cut anywhere, refused at will, answered late.

Used by the property tests and by the fuzz target of the server. What comes out is judged in model.py, and
here what can be judged while it happens: events make sense, and the core holds no more than it says.
"""

import base64
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import Recipient
from paperpath.mail.reply import Reply, make_reply
from paperpath.smtp import events
from paperpath.smtp.login import MOST_LINE_OCTETS
from paperpath.smtp.scram import ScramKeys, derive_keys
from paperpath.smtp.server import ServerConnection
from paperpath.smtp.settings import Settings
from paperpath.smtp.states import State

MARK = b"driver"  # stands in every reply that is ours and not the core's
TAKE, DEFER, REFUSE, CLOSE = range(4)
_JUDGEMENTS = (TAKE,) * 12 + (DEFER,) * 2 + (REFUSE, CLOSE)
_REPLIES = (
    make_reply(250, "2.0.0", "driver"),
    make_reply(451, "4.3.0", "driver"),
    make_reply(550, "5.7.1", "driver"),
    make_reply(421, "4.3.2", "driver"),
)
_LOGIN_REPLIES = (
    make_reply(235, "2.7.0", "driver"),
    make_reply(454, "4.7.0", "driver"),
    make_reply(535, "5.7.8", "driver"),
    _REPLIES[CLOSE],
)
_FAILURE_REPLIES = (_LOGIN_REPLIES[REFUSE], *_LOGIN_REPLIES[DEFER:])

# The example of RFC 7677; every name has the keys of "user".
_NONCE = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
_KEYS = derive_keys("pencil", base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096)
_CLIENT_NONCE = b"rOprNGfwEbeRWgbNEkqO"
SCRAM_FIRST = base64.b64encode(b"n,,n=user,r=" + _CLIENT_NONCE)
SCRAM_FINAL = base64.b64encode(
    b"c=biws,r=" + _CLIENT_NONCE + _NONCE.encode() + b",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
)

_TLS_REPLIES = (make_reply(220, "2.0.0", "driver"), make_reply(454, "4.7.0", "driver"), *_REPLIES[2:])


@dataclass(frozen=True)
class Script:
    """What a client sends and how the driver behaves.

    A part begins inside TLS if the one before it ended in a handshake. `judgements`: one octet for each event
    that waits for a reply, over and over; none: all is taken. `late`: replies wait until more octets came.
    """

    settings: Settings
    parts: tuple[bytes, ...]
    encrypted: bool = False
    judgements: bytes = b""
    late: bool = False


@dataclass
class Message:
    """A message, as far as it has come."""

    sender: Mailbox | None
    recipients: list[Recipient] = field(default_factory=list)
    content: bytes | None = None  # until it begins


@dataclass
class Performance:
    """What became of a script."""

    output: bytes = b""
    messages: list[Message] = field(default_factory=list)
    given: list[Reply] = field(default_factory=list)  # the driver's own replies
    open: Message | None = None
    state: State = State.CONNECTED
    logins: list[str] = field(default_factory=list)  # who was let in
    handshakes: list[int] = field(default_factory=list)  # how long the output was at each


def perform(script: Script, cut: int = 0) -> Performance:
    """Play a script; `cut` is for `segments`."""
    driver = Driver(script)
    for part in script.parts:
        for segment in segments(part, cut):
            driver.receive(segment)
        driver.end_part()
    return driver.done


def segments(octets: bytes, cut: int) -> Sequence[bytes]:
    """Cut octets: 0 not at all, 1 one by one, anything else somewhere, the same each time."""
    if cut == 0:
        return [octets]
    if cut == 1:
        return [octets[place : place + 1] for place in range(len(octets))]
    places = random.Random(cut)
    pieces, at = [], 0
    while at < len(octets):
        length = places.choice((1, 2, 3, 5, 20, 100, 600))
        pieces.append(octets[at : at + length])
        at += length
    return pieces


class Driver:
    """What stands between the client and the core."""

    def __init__(self, script: Script) -> None:
        self.core = ServerConnection(script.settings, encrypted=script.encrypted)
        self._script = script
        self._due: Reply | ScramKeys | None = None
        self.done = Performance(self.core.octets_to_send())

    def receive(self, segment: bytes) -> None:
        """Take octets of the client and do what can be done."""
        self.core.receive(segment)
        if self._due is not None:
            self._answer()
        self._advance()

    def end_part(self) -> None:
        """Give the replies that are due, and go into TLS if that was asked for."""
        while self._due is not None:
            self._answer()
            self._advance()
        if self.core.state is State.HANDSHAKE:
            self.core.tls_started()
            self.done.handshakes.append(len(self.done.output))
        self.done.state = self.core.state

    def _advance(self) -> None:
        core = self.core
        while (event := core.next_event()) is not None:
            assert self._due is None
            self._take(event)
            if core.awaits_reply and not self._script.late:
                self._answer()
        self.done.output += core.octets_to_send()
        assert core.octets_waiting == 0
        if not core.awaits_reply:
            self._check_memory()

    def _check_memory(self) -> None:
        core = self.core
        reads_lines = core.state not in (State.CONTENT, State.CLOSED, State.HANDSHAKE)
        assert core.pending_octets <= (self._most_octets() if reads_lines else 0)
        assert len(core._input) == core.pending_octets, "what was dealt with is held on to"

    def _most_octets(self) -> int:
        """How many octets of a line may be held."""
        core, settings = self.core, self._script.settings
        is_auth = core._input[:5].upper() == b"AUTH "
        if core.state is State.LOGIN or (is_auth and settings.mechanisms):
            return MOST_LINE_OCTETS
        return settings.line_octets

    def _take(self, event: events.Event) -> None:
        done, message = self.done, self.done.open
        match event:
            case events.SenderReceived(sender):
                assert message is None
                if self._judge(_REPLIES) == TAKE:
                    done.open = Message(sender)
            case events.RecipientReceived(recipient):
                assert message is not None
                assert message.content is None
                if self._judge(_REPLIES) == TAKE:
                    message.recipients.append(recipient)
            case events.ContentBegun():
                assert message is not None
                assert message.recipients
                assert message.content is None
                message.content = b""
            case events.ContentReceived(octets):
                assert octets
                self._add(octets)
            case events.ContentEnded(octets):
                self._add(octets)
                if self._judge(_REPLIES) == TAKE:
                    assert message is not None
                    done.messages.append(message)
                done.open = None
            case events.TLSRequested():
                if self._judge(_TLS_REPLIES) == TAKE:
                    done.open = None
            case events.HelloReceived() | events.TransactionDropped():
                done.open = None
            case _:
                self._take_login(event)
        assert self.core.awaits_reply is (self._due is not None)

    def _take_login(self, event: events.Event) -> None:
        done = self.done
        match event:
            case events.PasswordReceived(_, name) | events.LoginReceived(_, name):
                assert done.open is None
                if self._judge(_LOGIN_REPLIES) == TAKE:
                    done.logins.append(name)
            case events.KeysWanted():
                if self._judge(_LOGIN_REPLIES) == TAKE:
                    done.given.pop()
                    self._due = _KEYS
            case events.LoginFailed():
                self._judge(_FAILURE_REPLIES)
            case _:
                pass

    def _add(self, octets: bytes) -> None:
        message = self.done.open
        assert message is not None
        assert message.content is not None
        message.content += octets
        assert len(message.content) <= self._script.settings.size

    def _judge(self, replies: Sequence[Reply]) -> int:
        given, judgements = self.done.given, self._script.judgements
        octet = judgements[len(given) % len(judgements)] if judgements else 0
        judgement = _JUDGEMENTS[octet % len(_JUDGEMENTS)]
        self._due = replies[judgement]
        given.append(self._due)
        return judgement

    def _answer(self) -> None:
        due, self._due = self._due, None
        assert due is not None
        if isinstance(due, ScramKeys):
            self.core.give_keys(due, _NONCE)
        else:
            self.core.reply(due)
