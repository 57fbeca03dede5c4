"""What the routing says of one address: values. Made by the router, told to the operator by `explain`."""

from dataclasses import dataclass

from paperpath.mail.address import Mailbox, format_mailbox
from paperpath.mail.domain import domain_key
from paperpath.mail.local_part import local_key
from paperpath.mail.notification import Fate
from paperpath.mail.reply import Reply, make_reply
from paperpath.mail.value import value
from paperpath.maildrop.values import Decision, Transport

R550_LOOP = make_reply(550, "5.4.6", "The aliases of this address go in circles or too deep")
R550_TOO_MANY = make_reply(550, "5.5.3", "This address stands for too many recipients")
R451_BROKEN_LIST = make_reply(451, "4.3.5", "A list that this address stands for cannot be read now")
R451_USERS_UNKNOWN = make_reply(451, "4.3.0", "This host cannot look its users up now")
R450_NO_POSTMASTER = make_reply(450, "4.2.1", "Nobody has the postmaster's mailbox")


@dataclass(slots=True)
class Look:
    """One rule that was looked at: of which kind, what was asked for, what it says.

    An empty `found` is no rule. The last look of a decision is the one that decided. Text is made only when
    it is read, and the value is not frozen, for every RCPT makes some and few are ever shown.
    """

    kind: str
    asked_for: object
    what_was_found: object = ""

    @property
    def asked(self) -> str:
        """What was asked for, as text."""
        return str(self.asked_for)

    @property
    def found(self) -> str:
        """What the rule says, as text."""
        return str(self.what_was_found)


@value
class Delivery:
    """It goes out by a transport to a destination: to an address, and for a local one a detail of it.

    `by`: the account that forwards it, or the agent that a rule hands it to; empty for what nobody does.
    """

    transport: Transport
    destination: str
    address: Mailbox
    detail: str = ""
    by: str = ""

    @property
    def identity(self) -> str:
        """What is equal for two spellings of one recipient."""
        domain = domain_key(self.address.domain)
        by = f" by {self.by}" if self.by else ""
        if self.transport is Transport.REMOTE:
            return "remote " + format_mailbox(Mailbox(self.address.local, domain)) + by
        mailbox = format_mailbox(Mailbox(local_key(self.address.local), domain))
        return f"local {mailbox} {self.detail}{by}"


@dataclass(frozen=True, slots=True)
class Successor:
    """Somebody who comes in the place of a recipient, and what he remembers beside what that did."""

    address: Mailbox
    keys: tuple[str, ...]


@value
class Expansion:
    """It is an alias: its key, whom it stands for, and who answers for it if it is a list."""

    key: str
    targets: tuple[Successor, ...]
    owner: Mailbox | None = None


@value
class Refusal:
    """It is refused."""

    reply: Reply


@value
class Vacancy:
    """It is the postmaster's, and nobody gets that: it waits for the operator, for it must not be refused."""


@value
class Obstacle:
    """What is to decide on it cannot be asked now.

    What was taken before goes the way that `meanwhile` names, where it is tried until that can be told; else
    it waits for the operator.
    """

    reply: Reply
    meanwhile: Delivery | None = None


Step = Delivery | Expansion | Refusal | Vacancy | Obstacle


@value
class Verdict:
    """The decision on a recipient, and all rules that were looked at for it, the last of which decided.

    Of an alias's targets those that decide on them are not among these, but in the verdicts on them.
    `success`: what an expansion is to somebody who asked to be told of success, `None` where it is not the
    end of that (RFC 3461 §5.2.7).
    """

    decision: Decision
    looks: tuple[Look, ...]
    success: Fate | None = None
