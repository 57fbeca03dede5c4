"""What a maildrop is to the programs around it: its values, its operations, what each leaves durable.

Every engine (memory, sqlite) keeps this interface and passes the suite in `paperpath.testing.maildrop_suite`.
The life of a recipient, which these operations move along, is told in docs/maildrop-states.md. The engine
stores and answers; it knows no route, no policy and no clock: times are arguments, microseconds since 1970.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import Envelope, SenderParameters
from paperpath.mail.outcome import Outcome

SMALL_CONTENT_OCTETS = 64 * 1024


class Stage(Enum):
    """Who gets work from a commit, and is woken after it."""

    SORTING = "sorting"
    LOCAL = "local"
    REMOTE = "remote"


class Transport(Enum):
    """By which way a sorted recipient leaves."""

    LOCAL = "local"
    REMOTE = "remote"

    @property
    def stage(self) -> Stage:
        """The stage that this transport's recipients wait for."""
        return Stage.LOCAL if self is Transport.LOCAL else Stage.REMOTE


class MaildropError(Exception):
    """The maildrop could not do it; nothing of the operation was kept."""


class StorageError(MaildropError):
    """Writing or flushing failed; `no_space` tells a full disk from a broken one."""

    def __init__(self, message: str, *, no_space: bool) -> None:
        """Keep the reason, and whether space was it."""
        super().__init__(message)
        self.no_space = no_space


class SchemaError(MaildropError):
    """There is no maildrop, or it is of another version; the message names the command to run."""


@dataclass(frozen=True, slots=True)
class Content:
    """A message's octets, CRLF line ends: either here, up to 64 KiB, or whole in a flushed file.

    `digest` is the SHA-256 taken at acceptance, checked at each hand-off (promise P1).
    """

    size: int
    digest: bytes
    octets: bytes | None
    file: Path | None


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message on its way in. `queue_id` comes from this maildrop's `new_queue_id`.

    `origin` says by which way it came: "relay", "drop". `unique`, where not empty, is a key under which one
    message is taken and no second one.
    """

    queue_id: str
    envelope: Envelope
    content: Content
    arrived_us: int
    origin: str = "relay"
    unique: str = ""
    deadline_us: int = 0


@dataclass(frozen=True, slots=True)
class UnsortedRecipient:
    """A recipient that waits for the post office."""

    id: int
    queue_id: str
    address: Mailbox


@dataclass(frozen=True, slots=True)
class Sorted:
    """The post office's word on one recipient: where it goes, by which way, to which destination."""

    recipient_id: int
    address: Mailbox
    transport: Transport
    destination: str


@dataclass(frozen=True, slots=True)
class ClaimedMessage:
    """What a delivery needs to know of a message."""

    id: int
    queue_id: str
    sender: Mailbox | None
    parameters: SenderParameters
    arrived_us: int
    content: Content


@dataclass(frozen=True, slots=True)
class Claim:
    """One recipient that is ours to deliver, until settled or until we die.

    `tried`: an earlier claim ended without an outcome, so a copy may lie there already (promise P4).
    `notify` and `orcpt` are what came with RCPT (RFC 3461), empty where absent.
    """

    recipient_id: int
    message: ClaimedMessage
    address: Mailbox
    tried: bool
    attempts: int
    notify: str
    orcpt: str


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of one claimed recipient."""

    recipient_id: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Books:
    """Message+recipient pairs since the maildrop was made; accepted = delivered + open (promise P2)."""

    accepted: int
    delivered: int
    unsorted: int
    ready: int
    claimed: int

    @property
    def open(self) -> int:
        """Pairs for which we still answer."""
        return self.unsorted + self.ready + self.claimed

    @property
    def balance(self) -> bool:
        """Whether every accepted pair is accounted for."""
        return self.accepted == self.delivered + self.open


class ContentWriter(Protocol):
    """Takes the octets of one message as they come; small ones in memory, large ones in a file."""

    def write(self, octets: bytes) -> None:
        """Append. Raises StorageError."""

    def finish(self) -> asyncio.Future[Content]:
        """Complete the content; when the future is done a file is flushed, its name too."""

    def discard(self) -> None:
        """Give the content up, and whatever file it had; not while `finish` runs, nor once it is accepted."""


class Maildrop(Protocol):
    """One worker's door to the queue. Futures fail with `MaildropError`; then nothing was changed."""

    def new_queue_id(self, arrived_us: int) -> str:
        """Make a public id: sortable by time, never used before, whatever the clock does."""

    def new_content(self, queue_id: str) -> ContentWriter:
        """Begin the content of a message."""

    def accept(self, message: NewMessage) -> asyncio.Future[None]:
        """Take responsibility: when done, message and recipients are flushed, all recipients unsorted.

        A message whose `unique` key was taken before and not forgotten is not taken again; that is no error.
        """

    def forget_unique(self, keys: Sequence[str]) -> asyncio.Future[None]:
        """Forget keys under which messages were taken, for nobody can ask to take them again."""

    def read_unsorted(self, limit: int) -> Sequence[UnsortedRecipient]:
        """Return the oldest recipients that wait for sorting."""

    def sort(self, decisions: Sequence[Sorted], now_us: int) -> asyncio.Future[int]:
        """Make unsorted recipients ready, due at once; pass over others. Gives how many moved."""

    def claim(self, transport: Transport, limit: int, now_us: int) -> asyncio.Future[Sequence[Claim]]:
        """Claim up to `limit` recipients that are due, fairly across destinations, the longest due first.

        The claims are flushed before they are given. One message's recipients share one `ClaimedMessage`.
        """

    def settle(self, settlements: Sequence[Settlement]) -> asyncio.Future[int]:
        """Record outcomes of our own claims; others are passed over. A message with nobody left is removed.

        Gives how many were settled; when done they are flushed.
        """

    def release_dead(self) -> asyncio.Future[int]:
        """Make the claims of dead workers ready again, marked as tried; gives how many."""

    def read_books(self) -> Books:
        """Count, at one moment."""

    async def close(self) -> None:
        """Finish what was begun, then let go; claims that are still open count as a dead worker's."""
