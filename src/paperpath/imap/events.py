"""What the server core tells its driver: one value for each thing that happened.

These wait for the driver, and until then no further one comes:

- `CommandReceived`, for `ServerConnection.complete`; IDLE for `go_ahead` first;
- `MessageAnnounced`, for `go_ahead`, or for `complete` where the message is not wanted;
- `TLSRequested` and those of a login, for `complete`; `KeysWanted` for `give_keys`.

Everything else was answered by the core already. No `repr` holds a secret.
"""

from dataclasses import dataclass

from paperpath.imap.commands import Command
from paperpath.imap.completion import Completion
from paperpath.smtp.events import LoginEvent


@dataclass(frozen=True, slots=True)
class CommandReceived:
    """A command to carry out. `tag` is for responses that name it, such as ESEARCH."""

    tag: str
    command: Command


@dataclass(frozen=True, slots=True)
class MessageAnnounced:
    """APPEND has a message; `go_ahead` has its octets come: chunks, and `MessageEnded`.

    `number`: 1 for the first of a command. `size`: in octets, never over `Settings.message_octets`.
    `date_us`: the internal date, `None` for now. `binary`: NUL may be among the octets (literal8).
    """

    mailbox: str
    number: int
    size: int
    flags: tuple[str, ...]
    date_us: int | None
    binary: bool = False


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """Some octets of the message, as they came."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class MessageEnded:
    """The message is whole. More may follow; `Append` says when there are no more."""


@dataclass(frozen=True, slots=True)
class AppendDropped:
    """APPEND was answered with an error behind a message: none of its messages may be kept.

    So too when a message that the driver refused has been read over, where it came unasked.
    """

    completion: Completion


@dataclass(frozen=True, slots=True)
class IdleEnded:
    """The client does not idle any more; the core has answered."""


@dataclass(frozen=True, slots=True)
class TLSRequested:
    """STARTTLS came; behind an OK TLS is set up, and `ServerConnection.tls_started` called."""


@dataclass(frozen=True, slots=True)
class CapabilitiesTold:
    """The client asked what there is. The answer is much longer, so it goes out before another is made."""


@dataclass(frozen=True, slots=True)
class ClientIdentified:
    """The client said by ID what it is: for the log, and nothing else (RFC 2971 §3)."""

    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CommandRefused:
    """A command was answered with an error: which, where its name is known, and not within a login."""

    command: str
    completion: Completion


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """The session is over; close once the output is out. `by_client`: it said LOGOUT."""

    by_client: bool


Event = (
    CommandReceived
    | MessageAnnounced
    | MessageReceived
    | MessageEnded
    | AppendDropped
    | IdleEnded
    | TLSRequested
    | CapabilitiesTold
    | ClientIdentified
    | CommandRefused
    | LoggedOut
    | LoginEvent
)

CAPABILITIES_TOLD = CapabilitiesTold()
IDLE_ENDED = IdleEnded()
TLS_REQUESTED = TLSRequested()
