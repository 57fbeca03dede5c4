"""What the model's workers share: messages, recipients, destinations and the books, and how they change."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from paperpath.mail.address import Mailbox
from paperpath.maildrop.values import MOST_PAUSE_US, ClaimedMessage, Stage, State, Transport


@dataclass(frozen=True, slots=True)
class StoredRecipient:
    """One recipient, through its whole life; `contacts` of its destination had failed when it was sorted."""

    message_id: int
    accepted_address: Mailbox
    address: Mailbox
    return_path: Mailbox | None
    notify: str
    orcpt: str
    deadline_us: int
    expanded_via: tuple[str, ...] = ()
    route_override: str = ""
    state: State = State.UNSORTED
    epoch: int = 0
    key: str = ""
    transport: Transport | None = None
    destination: str = ""
    due_us: int = 0
    worker: int | None = None
    tried: bool = False
    attempts: int = 0
    last_reply: str = ""
    warned: bool = False
    contacts: int = 0


@dataclass(frozen=True, slots=True)
class StoredDestination:
    """Where recipients were sorted to, by number; not suspended while it has no `until_us`."""

    number: int = 0
    until_us: int | None = None
    reason: str = ""
    probe: int | None = None
    failures: int = 0
    contacts: int = 0

    def suspended(self, until_us: int, reason: str) -> "StoredDestination":
        """Return it after one more failed contact."""
        return StoredDestination(self.number, until_us, reason, None, self.failures + 1, self.contacts + 1)

    def resumed(self) -> "StoredDestination":
        """Return it as any other."""
        return StoredDestination(self.number, contacts=self.contacts)


@dataclass(slots=True)
class Counts:
    """The books, but for what is still open."""

    accepted: int = 0
    reported: int = 0
    made: int = 0
    expanded: int = 0
    delivered: int = 0
    relayed: int = 0
    failed: int = 0
    discarded: int = 0
    removed: int = 0


@dataclass(slots=True)
class MemoryStore:
    """The queue."""

    on_work: Callable[[Stage], None] = lambda stage: None
    messages: dict[int, ClaimedMessage] = field(default_factory=dict)
    recipients: dict[int, StoredRecipient] = field(default_factory=dict)
    destinations: dict[tuple[Transport, str], StoredDestination] = field(default_factory=dict)
    living: set[int] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)
    counts: Counts = field(default_factory=Counts)
    epoch: int = 1
    last: dict[str, int] = field(default_factory=lambda: {"worker": 0, "message": 0, "recipient": 0})

    def number(self, what: str) -> int:
        """Give a number that was never given before."""
        self.last[what] += 1
        return self.last[what]

    def know(self, transport: Transport, name: str) -> StoredDestination:
        """Return a destination; one that is new has a number behind all others."""
        last = max((known.number for known in self.destinations.values()), default=0)
        return self.destinations.setdefault((transport, name), StoredDestination(last + 1))

    def in_state(self, state: State) -> list[tuple[int, StoredRecipient]]:
        """List recipients in one state, by number."""
        return [found for found in sorted(self.recipients.items()) if found[1].state is state]

    def destination_of(self, recipient: StoredRecipient) -> StoredDestination:
        """Return where a recipient was sorted to; of one that never was, a destination like any."""
        if recipient.transport is None:
            return StoredDestination()
        return self.destinations[recipient.transport, recipient.destination]

    def attempts_for(self, recipient: StoredRecipient) -> int:
        """Count a recipient's own attempts and the failed contacts since it was sorted."""
        return recipient.attempts + self.destination_of(recipient).contacts - recipient.contacts

    def change(self, number: int, **changes: object) -> None:
        """Change a recipient."""
        self.recipients[number] = replace(self.recipients[number], **changes)  # type: ignore[arg-type]

    def reopen(self, number: int) -> None:
        """Have a recipient sorted again."""
        self.change(number, state=State.UNSORTED, key="")
        self.on_work(Stage.SORTING)

    def close(self, number: int, recipient: StoredRecipient, how: str) -> None:
        """Settle a recipient; it stays as a tombstone while its message has an open one."""
        self.recipients[number] = replace(recipient, state=State.SETTLED, worker=None)
        setattr(self.counts, how, getattr(self.counts, how) + 1)
        siblings = [
            other for other, found in self.recipients.items() if found.message_id == recipient.message_id
        ]
        if all(self.recipients[other].state is State.SETTLED for other in siblings):
            for other in siblings:
                del self.recipients[other]
            del self.messages[recipient.message_id]


def is_over(until_us: int, now_us: int) -> bool:
    """Tell whether a time has come, or lies where only a clock set back can have put it."""
    return not now_us < until_us <= now_us + MOST_PAUSE_US


def is_unclaimed(state: State) -> bool:
    """Tell whether an operator may change a recipient in this state."""
    return state in (State.UNSORTED, State.READY, State.HELD)
