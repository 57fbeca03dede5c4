"""What the routing says of one address: values. Made by the router, told to the operator by `explain`."""

from dataclasses import dataclass

from paperpath.mail.address import Mailbox
from paperpath.mail.reply import Reply, make_reply
from paperpath.maildrop.values import Decision, Transport

R550_LOOP = make_reply(550, "5.4.6", "The aliases of this address go in circles or too deep")
R550_TOO_MANY = make_reply(550, "5.5.3", "This address stands for too many recipients")
R450_NO_POSTMASTER = make_reply(450, "4.2.1", "Nobody has the postmaster's mailbox")


@dataclass(frozen=True, slots=True)
class Look:
    """One rule that was looked at: of which kind, what was asked for, what it says.

    An empty `found` is no rule. The last look of a decision is the one that decided.
    """

    kind: str
    asked: str
    found: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """It goes out by a transport to a destination. `identity` is equal for two spellings of one recipient."""

    transport: Transport
    destination: str
    identity: str


@dataclass(frozen=True, slots=True)
class Expansion:
    """It is an alias: its key, whom it stands for, and who answers for it if it is a list."""

    key: str
    targets: tuple[Mailbox, ...]
    owner: Mailbox | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """It is refused."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Vacancy:
    """It is the postmaster's, and nobody gets that: it waits for the operator, for it must not be refused."""


Step = Delivery | Expansion | Refusal | Vacancy


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision on a recipient, and all rules that were looked at for it."""

    decision: Decision
    looks: tuple[Look, ...]
