"""What the journal can tell: one value for each kind of event (promise P9).

Made by the programs, written by `Journal.tell`, read by the stories. Fields are text, numbers or tuples of
text; what is empty was not known. Addresses are as `show_address` writes them, replies as they went out.
Nothing of a message's content is here but its Message-ID. The values are not frozen, since making a frozen
one costs as much as writing it, and one is made for every recipient.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from paperpath.mail.address import Mailbox, domain_key, format_mailbox

MOST_ADDRESSES = 100  # in one event; of what is more there is a count

Outcome = Literal["delivered", "relayed", "deferred", "failed", "set aside", "discarded", "forwarded"]


@dataclass(slots=True)
class Refused:
    """A command was answered with an error. `argument` is there only where no secret can be in it."""

    NAME: ClassVar[str] = "refused"
    session: str
    client: str
    hello: str
    sender: str
    verb: str
    argument: str
    length: int
    reply: str


@dataclass(slots=True)
class Listed:
    """A list of clients decided about the client of a session that names recipients."""

    NAME: ClassVar[str] = "listed"
    session: str
    client: str
    client_list: str
    found: str


@dataclass(slots=True)
class RefusalsLeftOut:
    """More commands of a session were refused than the journal keeps."""

    NAME: ClassVar[str] = "refusals left out"
    session: str
    client: str
    count: int


@dataclass(slots=True)
class TurnedAway:
    """A client got no session; `count`: how often its network was turned away so since that was last told.

    `network` is empty where it is that client alone, `reply` where access rules deny it any word.
    """

    NAME: ClassVar[str] = "turned away"
    client: str
    network: str
    reply: str
    count: int


@dataclass(slots=True)
class SessionEnded:
    """We ended a session for what the client did in it."""

    NAME: ClassVar[str] = "session ended"
    session: str
    client: str
    reply: str


@dataclass(slots=True)
class BrokenOff:
    """A transaction ended without a message: by our reply, or, where that is empty, since the client left."""

    NAME: ClassVar[str] = "broken off"
    session: str
    client: str
    hello: str
    sender: str
    recipients: tuple[str, ...]
    more_recipients: int
    reply: str


@dataclass(slots=True)
class MessageRefused:
    """A message had come to its end and was refused, or could not be stored."""

    NAME: ClassVar[str] = "message refused"
    queue_id: str
    session: str
    client: str
    hello: str
    message_id: str
    sender: str
    recipients: tuple[str, ...]
    more_recipients: int
    reply: str


@dataclass(slots=True)
class Accepted:
    """A message is ours. `origin`: by which way in; `session` is empty where there was none.

    `submitter`: which account handed it in, or which user of this host.
    """

    NAME: ClassVar[str] = "accepted"
    queue_id: str
    session: str
    origin: str
    client: str
    hello: str
    protocol: str
    tls: str
    submitter: str
    message_id: str
    sender: str
    recipients: tuple[str, ...]
    more_recipients: int
    size: int


@dataclass(slots=True)
class Changed:
    """What was done to the header of a message that somebody submitted: which field, and what."""

    NAME: ClassVar[str] = "changed"
    queue_id: str
    changes: tuple[str, ...]
    more_changes: int


@dataclass(slots=True)
class Sorted:
    """The post office decided where a recipient goes, and by which rule."""

    NAME: ClassVar[str] = "sorted"
    queue_id: str
    recipient: str
    address: str
    transport: str
    destination: str
    rule: str


@dataclass(slots=True)
class Expanded:
    """A recipient became others."""

    NAME: ClassVar[str] = "expanded"
    queue_id: str
    recipient: str
    targets: tuple[str, ...]
    more_targets: int
    rule: str


@dataclass(slots=True)
class Attempted:
    """A recipient has an outcome: of a delivery, or, where `attempt` is 0, of the post office.

    `place`: the folder or host. `due_us`: when a deferred one is tried again.
    """

    NAME: ClassVar[str] = "attempted"
    queue_id: str
    recipient: str
    outcome: Outcome
    attempt: int
    place: str
    reply: str
    due_us: int


@dataclass(slots=True)
class Reported:
    """A report about recipients of a message was made, which is a message itself."""

    NAME: ClassVar[str] = "reported"
    queue_id: str
    report_id: str
    to: str
    recipients: tuple[str, ...]
    more_recipients: int


@dataclass(slots=True)
class Forwarded:
    """A recipient goes on as a message of its own."""

    NAME: ClassVar[str] = "forwarded"
    queue_id: str
    forward_id: str
    to: str


@dataclass(slots=True)
class Released:
    """A worker died and its claims were made ready again; whose they were is not known."""

    NAME: ClassVar[str] = "released"
    recipients: int


@dataclass(slots=True)
class Suspended:
    """A destination could not be reached; nothing is claimed for it before `until_us`, then one message.

    `failures`: contacts that have failed in a row, this one among them.
    """

    NAME: ClassVar[str] = "suspended"
    destination: str
    until_us: int
    failures: int
    reply: str


@dataclass(slots=True)
class Ordered:
    """An operator did something to a message, or to one recipient of it."""

    NAME: ClassVar[str] = "ordered"
    queue_id: str
    recipient: str
    operator: str
    deed: str
    detail: str


Event = (
    Refused
    | Listed
    | RefusalsLeftOut
    | TurnedAway
    | SessionEnded
    | BrokenOff
    | MessageRefused
    | Accepted
    | Changed
    | Sorted
    | Expanded
    | Attempted
    | Reported
    | Forwarded
    | Released
    | Suspended
    | Ordered
)
Tell = Callable[[Event], None]


def show_address(mailbox: Mailbox | None) -> str:
    """Write an address so that it can be looked for: the domain in the form in which domains are compared."""
    if mailbox is None:
        return "<>"
    key = domain_key(mailbox.domain)
    return format_mailbox(mailbox if key == mailbox.domain else Mailbox(mailbox.local, key))


def show_addresses(mailboxes: Sequence[Mailbox]) -> tuple[tuple[str, ...], int]:
    """Write the first addresses; and tell how many more there were."""
    return tuple(map(show_address, mailboxes[:MOST_ADDRESSES])), max(len(mailboxes) - MOST_ADDRESSES, 0)
