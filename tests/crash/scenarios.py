"""The scenarios: what happens, one program after the other, while points are counted or met.

To add one: write a function that returns a `Scenario` and name it in `SCENARIOS`. A step runs one program
until nothing is left for it to do. After a crash come the steps of `recovery`, then smtppd and smtpld in
turn, with the clock going on by hours, until all has come to rest.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import apsw

from paperpath.service.durable import replace_text
from tests.crash.ledger import Message
from tests.crash.points import Plan, parse_point
from tests.crash.programs import CREATE, LOCAL, OFFICE, RELAY
from tests.crash.site import Site
from tests.support.installation import Installation
from tests.unit.maildrop.test_migrations import FIRST

LARGE = 80_000  # more than what is kept in memory, less than what is taken
U, JOE, JOE2, ADMIN = "u@here.example", "joe@here.example", "Joe@here.example", "admin@here.example"
STUCK, GONE, LOST = "stuck@here.example", "gone@here.example", "lost@here.example"
ACCOUNTS = (U, JOE, JOE2, ADMIN, STUCK, GONE, LOST)
LATER_S = 7200  # beyond the first pauses before another attempt
TOO_LATE_S = 6 * 24 * 3600  # beyond the time when a recipient is given up
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
    plan: Plan = field(default_factory=Plan)
    """What goes wrong as part of the story; such a step has no points of its own."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A story; `mend` takes away, before the recovery, whatever kept mail from its goal."""

    name: str
    steps: Sequence[Step]
    recovery: Sequence[Step] = ()
    mend: Callable[[Site], None] = lambda site: None
    prepare: Callable[[Site], None] = lambda site: None


def to(number: int, *accounts: str, octets: int = 500) -> Message:
    """Make a message that goes to mailboxes, once to each."""
    return Message(number, accounts, dict.fromkeys(accounts, 1), octets=octets)


def everyday() -> Scenario:
    """Small and large, one recipient and many, one mailbox that cannot be written for a while."""
    messages = (
        to(1, U),
        to(2, U, JOE, JOE2, ADMIN),
        to(3, JOE, octets=LARGE),
        to(4, STUCK, U),
        to(5, STUCK, octets=LARGE),
        to(6, JOE2),
    )
    return Scenario(
        "everyday",
        [
            Step(RELAY, messages, before=_block),
            Step(OFFICE),
            Step(LOCAL),
            Step(LOCAL, ahead_s=LATER_S, before=_unblock),
            Step(OFFICE, ahead_s=LATER_S),
        ],
        mend=_unblock,
    )


def widows() -> Scenario:
    """Programs that died before, and what they had claimed and written."""
    messages = (to(1, U), to(2, U, JOE, octets=LARGE), to(3, JOE))
    died = Plan(parse_point("deliver / fsync new/ / 1"))
    return Scenario(
        "widows",
        [
            Step(RELAY, messages),
            Step(OFFICE),
            Step(LOCAL, plan=died),
            Step(OFFICE, ahead_s=LATER_S),
            Step(LOCAL, ahead_s=LATER_S),
            Step(OFFICE, ahead_s=LATER_S),
        ],
    )


def log_moved() -> Scenario:
    """The log is moved into the database at every chance."""
    messages = tuple(to(number, U, JOE) for number in range(1, 4))
    eager = {
        "maildrop.sqlite.writer:GROUPS_BETWEEN_LOOKS": 1,
        "maildrop.sqlite.writer:CHECKPOINT_PAGES": 1,
        "maildrop.sqlite.writer:CHECKPOINT_PAGES_AT_LAST": 1,
    }
    steps = [Step(RELAY, messages), Step(OFFICE), Step(LOCAL), Step(OFFICE)]
    return Scenario("log moved", [replace(step, constants=eager) for step in steps])


def upgraded() -> Scenario:
    """A queue of the first version is brought up to date."""
    return replace(first_start(), name="upgraded", prepare=_make_old)


def lists() -> Scenario:
    """Aliases inside aliases, and one copy where several lead; one leads to a mailbox that is gone."""
    everybody = dict.fromkeys((U, JOE, JOE2, ADMIN), 1)
    messages = (
        Message(1, ("team@here.example",), everybody),
        Message(2, ("team@here.example", U, "inner@here.example"), everybody, octets=LARGE),
        Message(3, ("mixed@here.example", U), {U: 1, JOE: 1}, sender=JOE, reports={"mixed@here.example": 1}),
    )
    steps = [
        Step(RELAY, messages),
        Step(OFFICE, before=lambda site: site.remove_account(GONE)),
        Step(LOCAL),
        Step(OFFICE),
    ]
    return Scenario("lists", steps, prepare=write_aliases)


def failures() -> Scenario:
    """Mailboxes that are gone when a message is sorted, and when it is delivered."""
    messages = (
        Message(1, (GONE, U), {U: 1}, sender=JOE, reports={GONE: 1}),
        Message(2, (LOST,), {}, sender=JOE, octets=LARGE, reports={LOST: 1}),
        Message(3, (LOST, JOE2, ADMIN), {JOE2: 1, ADMIN: 1}, sender=U, reports={LOST: 1}),
        Message(5, (ADMIN, JOE2), {JOE2: 1}, sender=U, been_at=ADMIN, reports={ADMIN: 1}),
        Message(4, (GONE, LOST, U), {U: 1}, sender="", reports={GONE: 1, LOST: 1}),
    )
    steps = [
        Step(RELAY, messages),
        Step(OFFICE, before=lambda site: site.remove_account(GONE)),
        Step(LOCAL, before=lambda site: site.remove_account(LOST)),
        Step(OFFICE),
        Step(LOCAL),
        Step(OFFICE),
    ]

    def mend(site: Site) -> None:
        site.remove_account(GONE)
        site.remove_account(LOST)

    return Scenario("failures", steps, mend=mend)


def given_up() -> Scenario:
    """A mailbox that cannot be written for days."""
    messages = (Message(1, (STUCK, U), {U: 1}, sender=JOE, reports={STUCK: 1}),)
    steps = [
        Step(RELAY, messages, before=_block),
        Step(OFFICE),
        Step(LOCAL),
        Step(LOCAL, ahead_s=TOO_LATE_S),
        Step(OFFICE, ahead_s=TOO_LATE_S),
        Step(LOCAL, ahead_s=TOO_LATE_S),
        Step(OFFICE, ahead_s=TOO_LATE_S),
    ]
    return Scenario("given up", steps)


def new_aliases() -> Scenario:
    """The aliases change while sorted mail waits, so all of it is sorted again."""
    messages = (to(1, U), Message(2, ("team@here.example",), dict.fromkeys((U, JOE, JOE2, ADMIN), 1)))

    def change(site: Site) -> None:
        replace_text(site.folder / "aliases", ALIASES + "another: u\n")

    steps = [Step(RELAY, messages), Step(OFFICE), Step(OFFICE, before=change), Step(LOCAL), Step(OFFICE)]
    return Scenario("new aliases", steps, prepare=write_aliases)


def dropped() -> Scenario:
    """People of this host leave mail in the drop directory."""
    small, large = (
        replace(message, sender=JOE, dropped=True) for message in (to(1, U), to(2, U, JOE2, octets=LARGE))
    )  # one at a time: of two it is not known which commit takes which
    steps = [Step(OFFICE, drop=(small,)), Step(OFFICE, drop=(large,)), Step(LOCAL), Step(OFFICE)]
    return Scenario("dropped", steps)


def orphans() -> Scenario:
    """Content of a message that was never taken."""
    steps = [
        Step(RELAY, (to(1, U, octets=LARGE),), plan=Plan(parse_point("receive / fsync content.partial / 1"))),
        Step(OFFICE, ahead_s=LATER_S),
    ]
    return Scenario("orphans", steps)


def first_start() -> Scenario:
    """The maildrop is made."""
    afterwards = [Step(CREATE), Step(RELAY, (to(1, U),))]
    return Scenario("first start", [Step(CREATE)], recovery=afterwards, prepare=_unmake)


def _blocked(site: Site) -> Path:
    return site.mailboxes / "here.example" / "stuck"


def _block(site: Site) -> None:
    """Put a folder that nobody may be written into where a mailbox should be: a file."""
    folder = _blocked(site)
    folder.rename(folder.with_name("stuck.away"))
    folder.write_text("in the way")


def _unblock(site: Site) -> None:
    folder = _blocked(site)
    if folder.is_file():
        folder.unlink()
        folder.with_name("stuck.away").rename(folder)


def _unmake(site: Site) -> None:
    for entry in site.maildrop.iterdir():
        if entry.is_dir():
            entry.rmdir()
        else:
            entry.unlink()
    site.maildrop.rmdir()


def _make_old(site: Site) -> None:
    """Put an empty queue of the first version in the place of the new one."""
    file = site.maildrop / "queue.db"
    file.unlink()
    connection = apsw.Connection(str(file))
    connection.execute("PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL")
    with connection:
        connection.execute(FIRST)
        for table in ("recipient", "content", "message", "worker"):
            connection.execute(f"DELETE FROM {table}")
        connection.execute("UPDATE meta SET messages = 0, recipients = 0, delivered = 0")
        connection.execute("PRAGMA user_version=1")
    connection.close()


def write_aliases(site: Installation) -> None:
    """Have aliases in force from the next start."""
    (site.folder / "aliases").write_text(ALIASES)
    text = site.file.read_text()
    site.file.write_text(text.replace("[post_office]", '[post_office]\naliases = "aliases"'))


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        everyday(),
        lists(),
        failures(),
        given_up(),
        new_aliases(),
        dropped(),
        widows(),
        orphans(),
        log_moved(),
        first_start(),
        upgraded(),
    )
}
