"""What a server core tells its driver: one value for each thing that happened.

`SenderReceived`, `RecipientReceived`, `ContentEnded`, `TLSRequested` and those of AUTH wait for
`ServerConnection.reply`; everything else was answered by the core already. No `repr` holds a secret.
"""

from dataclasses import dataclass, field

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

    Of an unknown verb only the word and the length are kept, for the rest may be a secret (promise P9);
    behind AUTH not even the word, which may be a password that came too late. Of a verb that we know
    `argument` is kept, at most 1000 octets, but never that of AUTH. A refused answer to a challenge is told
    as AUTH.
    """

    verb: str
    length: int
    reply: Reply
    argument: str = ""


@dataclass(frozen=True, slots=True)
class TLSRequested:
    """STARTTLS came; after a positive reply TLS is set up, and `ServerConnection.tls_started` called."""


@dataclass(frozen=True, slots=True)
class PasswordReceived:
    """Somebody wants to log in by PLAIN or LOGIN: reply with 235, 535 or 454.

    Name and password have 1 to 255 octets and no NUL, and are as they came: to be prepared before they are
    compared (RFC 4616 §2). `acting_for`: whose mail it is to be, empty where that is the same name; it must
    be refused where nobody may act for others.
    """

    mechanism: str
    name: str
    acting_for: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeysWanted:
    """Somebody begins to log in by SCRAM: give `ServerConnection.give_keys` what is known of that name.

    Who is not known must get keys too, always the same for a name, or a stranger learns who is (attack S-7).
    454 to `ServerConnection.reply` ends it; no reply to this event lets anybody in. The name is prepared
    (RFC 4013).
    """

    mechanism: str
    name: str


@dataclass(frozen=True, slots=True)
class LoginReceived:
    """Somebody has proved to know the password by SCRAM, and seen our proof: reply with 235, 535 or 454."""

    mechanism: str
    name: str


@dataclass(frozen=True, slots=True)
class LoginFailed:
    """The proof of SCRAM was wrong: reply with 535, as soon as you like. 235 is not possible."""

    mechanism: str
    name: str


@dataclass(frozen=True, slots=True)
class ExternalReceived:
    """Somebody wants to be who TLS or the socket says (RFC 4422 appendix A): reply as for a password.

    `acting_for`: as whom in particular, empty for the only one or the usual one.
    """

    mechanism: str
    acting_for: str


LoginEvent = PasswordReceived | KeysWanted | LoginReceived | LoginFailed | ExternalReceived


@dataclass(frozen=True, slots=True)
class QuitReceived:
    """The client is done; close once the reply is out. `behind`: octets that had come and are not read."""

    behind: int = 0


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
    | LoginEvent
    | QuitReceived
)

CONTENT_BEGUN = ContentBegun()
TLS_REQUESTED = TLSRequested()
