"""What a server core tells its driver: one value for each thing that happened.

`SenderReceived`, `RecipientReceived`, `ContentEnded` and `TLSRequested` wait for `ServerConnection.reply`;
everything else was answered by the core already.
"""

from dataclasses import dataclass

from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import Recipient, SenderParameters
from paperpath.mail.reply import Reply


@dataclass(frozen=True, slots=True)
class HelloReceived:
    """The client introduced itself; a transaction that was open is gone.

    `early`: more octets had come before it could know our extensions (RFC 2920 §3.1).
    """

    name: str
    extended: bool
    early: bool = False


@dataclass(slots=True)
class SenderReceived:
    """A transaction begins if the driver says so. `size`: what the client declared, in octets.

    `spaced`: white space stood where the grammar has none, and was passed over.
    """

    sender: Mailbox | None
    size: int | None
    parameters: SenderParameters
    spaced: bool = False


@dataclass(slots=True)
class RecipientReceived:
    """One recipient, taken if the driver says so; `spaced` as for the sender."""

    recipient: Recipient
    spaced: bool = False


@dataclass(frozen=True, slots=True)
class ContentBegun:
    """Content follows: 354 was given, or the first chunk was announced."""


@dataclass(slots=True)
class ContentReceived:
    """Some content, dots taken off."""

    octets: bytes


@dataclass(slots=True)
class ContentEnded:
    """The message is complete and clean with this last content; a positive reply takes responsibility."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class TransactionDropped:
    """The open transaction is gone: RSET, or the content was refused with `reply`."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class CommandRefused:
    """A line was answered with an error.

    Of an unknown verb only the word and the length are kept, for the rest may be a secret (promise P9). Of
    one that we know `argument` is kept, at most 1000 octets.
    """

    verb: str
    length: int
    reply: Reply
    argument: str = ""


@dataclass(frozen=True, slots=True)
class TLSRequested:
    """STARTTLS came; after a positive reply TLS is set up, and `ServerConnection.tls_started` called."""


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
    | TLSRequested
    | QuitReceived
)

CONTENT_BEGUN = ContentBegun()
TLS_REQUESTED = TLSRequested()
QUIT_RECEIVED = QuitReceived()
