"""The scenarios: what happens, one program after the other, while points are counted or met.

To add one: write a function that returns a `Scenario` and name it in `SCENARIOS`. A step runs one program
until nothing is left for it to do; see `steps.py`, and `runner.come_to_rest` for what comes after a crash.
"""

from dataclasses import replace

from paperpath.service.durable import replace_text
from tests.crash.agent_scenarios import agents_died, full, other_agents
from tests.crash.forward_scenarios import forwarded
from tests.crash.ledger import Message
from tests.crash.lmtp_scenarios import one_by_one
from tests.crash.operator_scenarios import damaged, operated
from tests.crash.people_scenarios import written
from tests.crash.points import Plan, parse_point
from tests.crash.programs import LOCAL, OFFICE, RELAY, RELAY_STDIO, SUBMISSION, SUBMISSION_STDIO
from tests.crash.reader_scenarios import read, rebuilt
from tests.crash.remote_scenarios import given_up_far, late, over_the_pace, successes, unreachable
from tests.crash.site import Site
from tests.crash.steps import (
    ADMIN,
    ALIASES,
    FRUITLESS,
    GONE,
    JOE,
    JOE2,
    LARGE,
    LATER_S,
    LOST,
    STUCK,
    TOO_LATE_S,
    Scenario,
    Step,
    U,
    batch,
    block,
    prepare_submission,
    to,
    unblock,
    write_aliases,
)
from tests.crash.traffic_scenarios import (
    all_died,
    long_batch,
    mixed,
    operated_on_many,
    reported,
    rerouted,
)
from tests.crash.upgrade_scenarios import (
    first_start,
    upgraded_from_first,
    upgraded_from_fourth,
    upgraded_from_second,
)
from tests.crash.user_scenarios import users, users_died, users_filed


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
            Step(RELAY, messages, before=block),
            Step(OFFICE),
            Step(LOCAL),
            Step(LOCAL, ahead_s=LATER_S, before=unblock),
            Step(OFFICE, ahead_s=LATER_S),
        ],
        mend=unblock,
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
        "paperpath.maildrop.sqlite.writer:GROUPS_BETWEEN_LOOKS": 1,
        "paperpath.maildrop.sqlite.writer:CHECKPOINT_PAGES": 1,
        "paperpath.maildrop.sqlite.writer:CHECKPOINT_PAGES_AT_LAST": 1,
    }
    steps = [Step(RELAY, messages), Step(OFFICE), Step(LOCAL), Step(OFFICE)]
    return Scenario("log moved", [replace(step, constants=eager) for step in steps])


def lists() -> Scenario:
    """Aliases inside aliases, and one copy where several lead; one leads to a mailbox that is gone."""
    everybody = dict.fromkeys((U, JOE, JOE2, ADMIN), 1)
    messages = (
        Message(1, ("team@here.example",), everybody),
        Message(2, ("team@here.example", U, "inner@here.example"), everybody, octets=LARGE),
        Message(3, ("mixed@here.example", U), {U: 1, JOE: 1}, sender=JOE, reports={"mixed@here.example": 1}),
    )

    def mend(site: Site) -> None:
        site.remove_account(GONE)

    steps = [Step(RELAY, messages), Step(OFFICE, before=mend), Step(LOCAL), Step(OFFICE)]
    return Scenario("lists", steps, prepare=write_aliases, mend=mend)


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
        Step(RELAY, messages, before=block),
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


def submitted() -> Scenario:
    """People of this host hand mail in to smtpsd: short, and so long that the body waits in a file."""
    messages = tuple(
        replace(message, submitted=True)
        for message in (to(1, U), to(2, U, JOE, octets=LARGE), to(3, JOE2, ADMIN))
    )
    steps = [Step(SUBMISSION, messages), Step(OFFICE), Step(LOCAL), Step(OFFICE)]
    return Scenario("submitted", steps, prepare=prepare_submission)


def visited() -> Scenario:
    """Programs that were started for one client, one after the other, and end with it."""
    relayed = (to(1, U), to(2, U, JOE2, octets=LARGE))
    handed_in = tuple(
        replace(message, submitted=True) for message in (to(3, JOE), to(4, JOE, ADMIN, octets=LARGE))
    )
    steps = [
        Step(RELAY_STDIO, relayed, arguments=("--stdio",)),
        Step(SUBMISSION_STDIO, handed_in, arguments=("--stdio", "--access", "privileged")),
        Step(OFFICE),
        Step(LOCAL),
        Step(OFFICE),
    ]
    return Scenario("visited", steps, prepare=prepare_submission)


def batched() -> Scenario:
    """A batch with messages to people that nobody knows, too; it is given again after a crash."""
    nobody = "nobody@here.example"
    messages = (
        to(1, U),
        to(2, U, JOE2, octets=LARGE),
        Message(3, (nobody, U), {U: 1}, reports={nobody: 1}, refused=1),
        Message(4, (nobody,), {}, octets=LARGE, reports={nobody: 1}, refused=1),
        to(5, ADMIN),
    )
    step = batch(*(replace(message, sender=JOE, submitted=True) for message in messages))
    return Scenario(
        "batched",
        [step, FRUITLESS, Step(OFFICE), Step(LOCAL), Step(OFFICE)],
        recovery=(step, FRUITLESS),
        prepare=prepare_submission,
    )


def orphans() -> Scenario:
    """Content of a message that was never taken."""
    steps = [
        Step(RELAY, (to(1, U, octets=LARGE),), plan=Plan(parse_point("receive / fsync content / 1"))),
        Step(OFFICE, ahead_s=LATER_S),
    ]
    return Scenario("orphans", steps)


def mended() -> Scenario:
    """Commits that fail: what they may have left in the log is written over before anybody goes on."""
    messages = (to(1, U), to(2, JOE, octets=LARGE))
    steps = [
        Step(RELAY, messages),
        Step(OFFICE, plan=Plan(failing=parse_point("sort / xSync queue.db-wal / 1"))),
        Step(LOCAL, plan=Plan(failing=parse_point("settle delivered / xSync queue.db-wal / 1"))),
        Step(OFFICE),
    ]
    return Scenario("mended", steps)


def drained() -> Scenario:
    """The queue's file and its log shrink after a drain, and the reserve is put back."""
    messages = (to(1, U, octets=40_000), to(2, JOE, octets=40_000))
    soon = {
        "paperpath.maildrop.sqlite.writer:TIDY_AFTER_S": 0,
        "paperpath.maildrop.sqlite.writer:TIDY_PAUSE_S": 0,
        "paperpath.maildrop.sqlite.tidying:STEP_PAGES": 8,
        "paperpath.maildrop.sqlite.tidying:KEPT_PAGES": 0,
        "paperpath.maildrop.sqlite.tidying:KEPT_LOG_OCTETS": 0,
    }
    steps = [Step(RELAY, messages), Step(OFFICE), Step(LOCAL), Step(OFFICE, constants=soon)]
    return Scenario("drained", steps)


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        everyday(),
        lists(),
        failures(),
        given_up(),
        new_aliases(),
        dropped(),
        submitted(),
        visited(),
        batched(),
        widows(),
        orphans(),
        log_moved(),
        mended(),
        drained(),
        operated(),
        unreachable(),
        given_up_far(),
        late(),
        successes(),
        over_the_pace(),
        one_by_one(),
        forwarded(),
        other_agents(),
        agents_died(),
        full(),
        users(),
        users_died(),
        users_filed(),
        read(),
        rebuilt(),
        damaged(),
        written(),
        mixed(),
        rerouted(),
        all_died(),
        operated_on_many(),
        reported(),
        long_batch(),
        first_start(),
        upgraded_from_first(),
        upgraded_from_second(),
        upgraded_from_fourth(),
    )
}
