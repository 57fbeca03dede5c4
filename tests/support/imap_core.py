"""Driving the IMAP server core without a socket: octets in, answers and events out."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from paperpath.imap import commands, events
from paperpath.imap.completion import Completion, no, ok
from paperpath.imap.extensions import Extension
from paperpath.imap.responses import write_enabled
from paperpath.imap.server import ServerConnection
from paperpath.imap.settings import Settings
from paperpath.imap.states import State
from paperpath.smtp import events as logins
from tests.support.core import KEYS, PASSWORDS, SERVER_NONCE

ALL = frozenset(Extension) - {Extension.LITERAL_MINUS}
SETTINGS = Settings(
    "imap.here.example",
    message_octets=1000,
    extensions=ALL,
    command_octets=600,
    stranger_octets=400,
    errors=6,
    tls=True,
    mechanisms=("SCRAM-SHA-256", "PLAIN", "LOGIN"),
    failed_logins=3,
)
BARE = replace(SETTINGS, extensions=frozenset())
MINUS = replace(SETTINGS, extensions=ALL - {Extension.LITERAL_PLUS} | {Extension.LITERAL_MINUS})
DONE = ok("Done")
REFUSED = no("Refused by the driver")
_WRONG = no("Wrong name or password", "AUTHENTICATIONFAILED")


@dataclass
class Heard:
    """What a core made of the octets it was given; chunks of a message are put together."""

    output: bytes = b""
    told: list[events.Event] = field(default_factory=list)
    state: State = State.GREETED

    @property
    def lines(self) -> list[bytes]:
        """What the server said, line by line."""
        return self.output.split(b"\r\n")[:-1]


def converse(segments: Iterable[bytes], settings: Settings = SETTINGS, *, encrypted: bool = True) -> Heard:
    """Feed a core segment by segment; all is carried out, but for mailboxes named `refused`."""
    core = ServerConnection(settings, encrypted=encrypted)
    heard = Heard(core.octets_to_send())
    for segment in segments:
        core.receive(segment)
        advance(core, heard)
    heard.state = core.state
    return heard


def advance(core: ServerConnection, heard: Heard) -> None:
    """Do what can be done with what the core has."""
    while (event := core.next_event()) is not None:
        _note(event, heard.told)
        if core.awaits_driver:
            _answer(core, event)
        if core.state is State.HANDSHAKE:
            core.tls_started()
        elif core.state is State.COMPRESSING:
            core.compression_started()
    heard.output += core.octets_to_send()


def _note(event: events.Event, told: list[events.Event]) -> None:
    if isinstance(event, events.MessageReceived) and told and isinstance(told[-1], events.MessageReceived):
        event = events.MessageReceived(told.pop().octets + event.octets)  # type: ignore[union-attr]
    told.append(event)


def _answer(core: ServerConnection, event: events.Event) -> None:
    match event:
        case logins.KeysWanted(_, name):
            core.give_keys(KEYS[name], SERVER_NONCE) if name in KEYS else core.complete(_WRONG)
        case logins.PasswordReceived(_, name, "", password) if PASSWORDS.get(name) == password:
            core.complete(DONE)
        case logins.LoginReceived():
            core.complete(DONE)
        case logins.PasswordReceived() | logins.LoginFailed():
            core.complete(_WRONG)
        case events.MessageAnnounced(mailbox) if mailbox != "refused":
            core.go_ahead()
        case events.CommandReceived(_, commands.Idle()):
            core.go_ahead()
        case events.CommandReceived(_, commands.Enable(extensions)):
            core.send(write_enabled(extensions))
            core.complete(DONE)
        case events.CommandReceived(_, command):
            core.complete(judge(command))
        case events.MessageAnnounced():
            core.complete(REFUSED)
        case _:
            core.complete(DONE)


def judge(command: commands.Command) -> Completion:
    """Carry a command out, or not."""
    return REFUSED if getattr(command, "mailbox", "") == "refused" else DONE
