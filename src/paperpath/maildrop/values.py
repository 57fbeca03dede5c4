"""The values that go into a maildrop and come out of it: messages, decisions, claims, settlements, books.

Times are microseconds since 1970. A recipient's number is never given twice. What a recipient goes through is
told in docs/maildrop-states.md.
"""

from collections.abc import Mapping
from dataclasses import field
from enum import Enum
from pathlib import Path

from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import NO_CLIENT, Client, Envelope, SenderParameters
from paperpath.mail.outcome import Outcome
from paperpath.mail.reply import Reply
from paperpath.mail.value import value

SMALL_CONTENT_OCTETS = 64 * 1024
# Nothing is scheduled further ahead. What is due later than that is due because the clock was set back, and
# is taken for due now, or it would wait for the clock to come back to where it was.
MOST_PAUSE_US = 24 * 3600 * 1_000_000
UNIT_RECIPIENTS = 100  # what any host takes in one transaction (RFC 5321 section 4.5.3.1.8)
# Among so many recipients those that are late, or overdue, are looked for at once: what costs a fraction of a
# second, however much waits, must not hold up who asks.
MOST_LOOKED_AT = 5_000


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


class State(Enum):
    """Where a recipient stands, and so whose move it is."""

    UNSORTED = "unsorted"
    READY = "ready"
    CLAIMED = "claimed"
    HELD = "held"
    SETTLED = "settled"


class Origin(Enum):
    """By which way in a message came."""

    RELAY = "relay"
    SUBMISSION = "submission"
    DROP = "drop"
    REPORT = "report"
    FORWARD = "forward"


@value
class Content:
    """A message's octets, CRLF line ends: either here, up to 64 KiB, or whole in a flushed file.

    `digest` is the SHA-256 taken at acceptance, checked at each hand-off (promise P1).
    """

    size: int
    digest: bytes
    octets: bytes | None
    file: Path | None


@value
class NewMessage:
    """A message on its way in. `queue_id` comes from this maildrop's `new_queue_id`.

    `unique`, where not empty: a key under which a message is taken only once, whatever was made of the first.
    `deadline_us`: after it a temporary failure is final; 0 leaves that to whoever delivers.
    """

    queue_id: str
    envelope: Envelope
    content: Content
    arrived_us: int
    origin: Origin = Origin.RELAY
    unique: str = ""
    deadline_us: int = 0


@value
class UnsortedRecipient:
    """A recipient that waits for the post office, and what it may decide by.

    `expanded_via` are the keys of the aliases that it came from, the first one first; `route_override` is
    what the operator wants instead of the routes; of both, empty is none. `return_path`: `None` is the null
    sender. `is_report`: of a report that we made.
    """

    id: int
    queue_id: str
    arrived_us: int
    address: Mailbox
    accepted_address: Mailbox
    return_path: Mailbox | None
    notify: str
    orcpt: str
    expanded_via: tuple[str, ...] = ()
    route_override: str = ""
    is_report: bool = False


@value
class Damaged:
    """A recipient whose row, or whose message's, cannot be made sense of; it is to be set aside."""

    recipient_id: int
    queue_id: str
    reason: str


@value
class Unsorted:
    """What waits for the post office, the longest first."""

    recipients: tuple[UnsortedRecipient, ...]
    damaged: tuple[Damaged, ...] = ()


@value
class Sorted:
    """Where a recipient goes, by which way, to which destination.

    Of a message's recipients with equal `key`, other than the empty one, the first gets the copy; a later one
    is settled as if it had been expanded into nobody. It is not due before `not_before_us`.
    """

    recipient_id: int
    address: Mailbox
    transport: Transport
    destination: str
    key: str = ""
    not_before_us: int = 0


@value
class Target:
    """One of those that a recipient is expanded into."""

    address: Mailbox
    return_path: Mailbox | None
    notify: str
    orcpt: str
    expanded_via: tuple[str, ...]


@value
class Expanded:
    """A recipient is replaced by others, unsorted, in one step; a report of it is accepted in that step."""

    recipient_id: int
    targets: tuple[Target, ...]
    report: NewMessage | None = None


@value
class Refused:
    """A recipient fails at sorting; its report, if anybody is to get one, is accepted in the same step."""

    recipient_id: int
    reply: Reply
    report: NewMessage | None = None


@value
class Aside:
    """A recipient is held, for it is damaged; the notice of it is accepted in the same step."""

    recipient_id: int
    reply: Reply
    notice: NewMessage | None = None


Decision = Sorted | Expanded | Refused | Aside


@value
class ClaimedMessage:
    """What a delivery, or an operator, needs to know of a message; `client` is who handed it in."""

    id: int
    queue_id: str
    sender: Mailbox | None
    parameters: SenderParameters
    arrived_us: int
    content: Content
    origin: Origin = Origin.RELAY
    client: Client = NO_CLIENT


@value
class Claim:
    """One recipient that is ours to deliver, until settled or until we die.

    `tried`: an earlier claim ended without an outcome, so a copy may lie there already (promise P4).
    `attempts`: its own, and every failed contact of its destination since it was sorted there. `notify` and
    `orcpt` are what came with RCPT (RFC 3461), empty where absent. `deadline_us`: see `NewMessage`.
    `warned`: its delay was reported. `expanded_via`: see `UnsortedRecipient`.
    """

    recipient_id: int
    message: ClaimedMessage
    address: Mailbox
    accepted_address: Mailbox
    return_path: Mailbox | None
    destination: str
    tried: bool
    attempts: int
    notify: str
    orcpt: str
    deadline_us: int = 0
    warned: bool = False
    expanded_via: tuple[str, ...] = ()


@value
class Claimed:
    """What a claim got; the damaged are claimed too, and wait to be settled."""

    claims: tuple[Claim, ...]
    damaged: tuple[Damaged, ...] = ()


@value
class Rooms:
    """How many units may be claimed for a destination at most; 0 is none.

    A unit is what one SMTP transaction carries: of one message's recipients for a destination those that are
    due and have the same return path, at most `UNIT_RECIPIENTS`. Of local recipients each is one.
    """

    other: int
    named: Mapping[str, int] = field(default_factory=dict)

    def of(self, destination: str) -> int:
        """Return how many units may be claimed for a destination."""
        return self.named.get(destination, self.other)


ANY_ROOM = Rooms(2**31)


@value
class Suspension:
    """A destination that nobody claims for before a time; how many contacts have failed in a row."""

    destination: str
    until_us: int
    reason: str
    failures: int


@value
class Overdue:
    """Whose time is over: past its own deadline or, where it has none, of a message that came before a time.

    Also who was attempted as often as `most_attempts` says; 0 is no such limit.
    """

    arrived_before_us: int
    now_us: int
    most_attempts: int = 0


@value
class Settlement:
    """What became of one recipient; the report or notice of it is accepted in the same transaction.

    One report for several recipients is the same value in each settlement. Of a forwarded one it is no report
    but the message that it goes on as.
    """

    recipient_id: int
    outcome: Outcome
    report: NewMessage | None = None


@value
class Warned:
    """A recipient's delay is reported, or nobody is to hear of it; one report for several is one value."""

    recipient_id: int
    report: NewMessage | None = None


@value
class Books:
    """Message+recipient pairs since the maildrop was made (promise P2), and those still open, by state.

    `reported`: recipients of reports that we made; `made` and `expanded`: by expansion. Delivered is what
    an agent here took, relayed what another host did. What was forwarded is expanded, and accepted anew.
    """

    accepted: int
    reported: int
    made: int
    expanded: int
    delivered: int
    relayed: int
    failed: int
    discarded: int
    removed: int
    unsorted: int
    ready: int
    claimed: int
    held: int

    @property
    def open(self) -> int:
        """Pairs for which we still answer."""
        return self.unsorted + self.ready + self.claimed + self.held

    @property
    def balance(self) -> bool:
        """Whether every pair is accounted for."""
        begun = self.accepted + self.reported + self.made - self.expanded
        ended = self.delivered + self.relayed + self.failed + self.discarded + self.removed
        return begun == ended + self.open


@value
class QueueFilter:
    """Which recipients an operator means: all that match everything that is given.

    `domain` is a recipient's, as `domain_key` has it; `destination` is where it was sorted to last, `error`
    occurs in the last reply; `account` handed the message in.
    """

    queue_id: str = ""
    recipient: str = ""
    domain: str = ""
    sender: str | None = None
    arrived_before_us: int | None = None
    state: State | None = None
    error: str = ""
    destination: str = ""
    account: str = ""


@value
class QueueEntry:
    """One open recipient as an operator sees it; addresses as stored, for they may be damaged.

    `attempts` are counted as in `Claim`. `suspension`: why nobody tries its destination just now, if so.
    """

    recipient_id: int
    queue_id: str
    sender: str
    return_path: str
    address: str
    accepted_address: str
    state: State
    transport: str
    destination: str
    due_us: int
    attempts: int
    last_reply: str
    arrived_us: int
    size: int
    expanded_via: tuple[str, ...]
    route_override: str
    origin: str
    notify: str
    orcpt: str
    account: str
    message_id: int
    suspension: str


@value
class QueueSummary:
    """How many recipients are in one state for one destination, and since when.

    `failures`: how many contacts of the destination have failed in a row.
    """

    state: State
    transport: str
    destination: str
    recipients: int
    oldest_us: int
    suspended_until_us: int
    reason: str
    failures: int = 0


@value
class Hold:
    """Keep what is not claimed where it is, until it is released."""

    reason: str


@value
class Release:
    """Have what is held sorted again."""


@value
class Retry:
    """Make what is ready due now, and its destination no longer suspended."""

    now_us: int


@value
class Remove:
    """Settle what is not claimed without a report."""


@value
class Reroute:
    """Have what is not claimed sorted again by this route; an empty one means by the routes."""

    route: str


Deed = Hold | Release | Retry | Remove | Reroute
