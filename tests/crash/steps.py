"""What scenarios are made of: steps, people and messages in them, and what several of them do to a site."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash.ledger import Message
from tests.crash.mail_program import Work
from tests.crash.points import Plan
from tests.crash.programs import COMMAND, LOCAL, OFFICE, REMOTE, SUBMISSION
from tests.crash.site import Site
from tests.support.installation import Installation

LARGE = 80_000  # more than what is kept in memory, less than what is taken
U, JOE, JOE2, ADMIN = "u@here.example", "joe@here.example", "Joe@here.example", "admin@here.example"
STUCK, GONE, LOST = "stuck@here.example", "gone@here.example", "lost@here.example"
FAR = "x@backup.example"  # taken for another host
ACCOUNTS = (U, JOE, JOE2, ADMIN, STUCK, GONE, LOST)
LATER_S = 7200  # beyond the first pauses before another attempt
LATE_S = 5 * 3600  # beyond the time when a sender is told of a delay
DAYS_S = 2 * 24 * 3600  # beyond the time when a file that is half written is removed
TOO_LATE_S = 6 * 24 * 3600  # beyond the time when a recipient is given up
# The clock is hours ahead after a crash: who is told of delays then depends on when it happened.
DELIVERY = "\n[delivery]\nwarn_after_s = 0\n"
ALIASES = """\
team: u, joe, inner
owner-team: admin
inner: Joe@here.example, u@here.example, admin
mixed: joe, gone
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One program, run until nothing is left to do: what it is sent, and what is done before it begins."""

    program: str
    send: tuple[Message, ...] = ()
    ahead_s: int = 0
    before: Callable[[Site], None] | None = None
    constants: Mapping[str, int] = field(default_factory=dict)
    drop: tuple[Message, ...] = ()
    """What is left in the drop directory before it begins."""
    batch: tuple[Message, ...] = ()
    """What stands in the batch that it processes."""
    works: tuple[Work, ...] = ()
    """What a mail program does meanwhile, by IMAP."""
    plan: Plan = field(default_factory=Plan)
    """What goes wrong as part of the story; a step that ends by it has no points of its own."""
    arguments: tuple[str, ...] = ()
    beside: str = ""
    """A program that does its work at the same time, without which this one cannot: of smtpld and smtplud."""
    is_wanted: Callable[[Site], bool] = lambda site: True
    """Whether it is to be done, as a step of recovery."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A story, and how it ends well.

    After a crash come the steps of `recovery`, what an operator does anew that the crash may have undone;
    where it did not, there is nothing to do. `mend` takes away whatever kept mail from its goal, then the
    programs of `rest` run in turn. What is held then is released, after `repair`.
    """

    name: str
    steps: Sequence[Step]
    recovery: Sequence[Step] = ()
    mend: Callable[[Site], None] = lambda site: None
    prepare: Callable[[Site], None] = lambda site: None
    repair: Callable[[Site], None] = lambda site: None
    rest: Sequence[Step] = (Step(OFFICE), Step(LOCAL))


# The next batch to begin clears up behind those that ended and could not do so themselves.
FRUITLESS = Step(SUBMISSION, arguments=("--batch", "fruitless"))
EVERYWHERE = (Step(OFFICE), Step(LOCAL), Step(REMOTE))
UNREACHABLE = Step(REMOTE, constants={"tests.crash.carrier:REACHABLE": 0})


def to(number: int, *accounts: str, octets: int = 500) -> Message:
    """Make a message that goes to mailboxes, once to each."""
    return Message(number, accounts, dict.fromkeys(accounts, 1), octets=octets)


def queue(*arguments: str) -> Step:
    """Make the step of an operator who does something to the queue."""
    return Step(COMMAND, arguments=("queue", *arguments))


def batch(*messages: Message) -> Step:
    """Make the step of processing a batch, all of which must come: it is given again until it ends."""
    return Step(SUBMISSION, batch=messages, arguments=("--batch", "batch"), is_wanted=Site.may_batch_go_on)


def block(site: Site) -> None:
    """Put a file where a mailbox should be, so that nobody can write into it."""
    folder = _blocked(site)
    folder.rename(folder.with_name("stuck.away"))
    folder.write_text("in the way")


def unblock(site: Site) -> None:
    """Take it away again, if it is there."""
    folder = _blocked(site)
    if folder.is_file():
        folder.unlink()
        folder.with_name("stuck.away").rename(folder)


def write_aliases(site: Installation) -> None:
    """Have aliases in force from the next start."""
    (site.folder / "aliases").write_text(ALIASES)
    text = site.file.read_text()
    site.file.write_text(text.replace("[post_office]", '[post_office]\naliases = "aliases"'))


def offer_reports(site: Installation) -> None:
    """Have reports of success offered to whoever hands mail in by relay."""
    site.file.write_text(site.file.read_text().replace("[relay]", "[relay]\ndsn_success = true"))


def tell_of_delays(site: Installation) -> None:
    """Have senders told when mail is late by hours."""
    site.file.write_text(site.file.read_text().replace("warn_after_s = 0", "warn_after_s = 14400"))


def prepare_submission(site: Site) -> None:
    """Have a table of submission, and a batch of which nothing comes."""
    site.file.write_text(site.file.read_text() + "\n[submission]\n")
    lines = (
        "EHLO c",
        "MAIL FROM:<joe@here.example>",
        "RCPT TO:<nobody@here.example> NOTIFY=NEVER",
        "DATA",
        "x",
        ".",
    )
    (site.folder / "fruitless").write_text("".join(f"{line}\n" for line in lines))


def _blocked(site: Site) -> Path:
    return site.mailboxes / "here.example" / "stuck"
