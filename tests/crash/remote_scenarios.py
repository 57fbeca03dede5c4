"""Scenarios of mail for other hosts, and of the reports that are not of failures, or come too thick."""

from dataclasses import replace

from tests.crash.ledger import Message
from tests.crash.programs import LOCAL, OFFICE, RELAY, REMOTE
from tests.crash.site import Site
from tests.crash.steps import (
    ADMIN,
    EVERYWHERE,
    FAR,
    JOE,
    JOE2,
    LARGE,
    LATE_S,
    LATER_S,
    LOST,
    STUCK,
    TOO_LATE_S,
    UNREACHABLE,
    Scenario,
    Step,
    U,
    block,
    offer_reports,
    tell_of_delays,
    write_aliases,
)
from tests.support.installation import Installation


def unreachable() -> Scenario:
    """A host that cannot be reached: its destination is suspended, probed twice, and resumed."""
    messages = (Message(1, (U, FAR), {U: 1}), Message(2, (FAR, JOE), {JOE: 1}, octets=LARGE))
    steps = [
        Step(RELAY, messages),
        Step(OFFICE),
        UNREACHABLE,
        replace(UNREACHABLE, ahead_s=LATER_S),
        Step(LOCAL, ahead_s=LATER_S),
        Step(REMOTE, ahead_s=2 * LATER_S),
        Step(OFFICE, ahead_s=2 * LATER_S),
    ]
    return Scenario("unreachable", steps, rest=EVERYWHERE)


def given_up_far() -> Scenario:
    """A host that cannot be reached for days: the attempt after that gives up all that wait for it."""
    messages = (
        Message(1, (FAR,), {}, sender=JOE, reports={FAR: 1}),
        Message(2, (FAR, U), {U: 1}, sender=JOE, reports={FAR: 1}, octets=LARGE),
    )
    steps = [
        Step(RELAY, messages),
        Step(OFFICE),
        UNREACHABLE,
        replace(UNREACHABLE, ahead_s=TOO_LATE_S),
        Step(OFFICE, ahead_s=TOO_LATE_S),
        Step(LOCAL, ahead_s=TOO_LATE_S),
        Step(OFFICE, ahead_s=TOO_LATE_S),
    ]
    rest = (Step(OFFICE), Step(LOCAL), UNREACHABLE)
    return Scenario("given up far", steps, rest=rest)


def late() -> Scenario:
    """A host that cannot be reached for hours: the sender is told once, and then it is there again.

    Nobody else is written to: whom a crash made late would be told of, too.
    """
    messages = (Message(1, (FAR,), {}, sender=JOE, reports={FAR: 1}),)
    steps = [
        Step(RELAY, messages),
        Step(OFFICE),
        Step(LOCAL),
        UNREACHABLE,
        Step(OFFICE, ahead_s=LATE_S),
        Step(REMOTE, ahead_s=LATE_S),
        Step(LOCAL, ahead_s=LATE_S),
        Step(OFFICE, ahead_s=LATE_S),
    ]
    return Scenario("late", steps, prepare=tell_of_delays, rest=EVERYWHERE)


def successes() -> Scenario:
    """Senders want to know of success: of what was relayed, delivered, and handed on to several."""
    team = "team@here.example"
    everybody = dict.fromkeys((U, JOE, JOE2, ADMIN), 1)
    messages = (
        Message(1, (FAR,), {}, sender=JOE, reports={FAR: 1}, notify="SUCCESS"),
        Message(2, (U,), {U: 1}, sender=JOE, reports={U: 1}, notify="SUCCESS", octets=LARGE),
        Message(3, (team,), everybody, sender=JOE, reports={team: 1}, notify="SUCCESS"),
    )

    def prepare(site: Installation) -> None:
        write_aliases(site)
        offer_reports(site)

    steps = [
        Step(RELAY, messages),
        Step(OFFICE),
        Step(REMOTE),
        Step(LOCAL),
        Step(OFFICE),
        Step(LOCAL),
        Step(OFFICE),
    ]
    return Scenario("successes", steps, prepare=prepare, rest=EVERYWHERE)


def over_the_pace() -> Scenario:
    """Two reports to one address, and one a minute is what is allowed: the second waits."""
    messages = (Message(1, (LOST, STUCK, U), {U: 1}, sender=JOE, reports={LOST: 1, STUCK: 1}),)
    steps = [
        Step(RELAY, messages, before=block),
        Step(OFFICE),
        Step(LOCAL, before=lambda site: site.remove_account(LOST)),
        Step(LOCAL, ahead_s=LATER_S, before=lambda site: site.remove_account(STUCK)),
        Step(OFFICE, ahead_s=LATER_S),
        Step(LOCAL, ahead_s=LATER_S),
        Step(LOCAL, ahead_s=LATER_S + 120),
        Step(OFFICE, ahead_s=LATER_S + 120),
    ]

    def mend(site: Site) -> None:
        site.remove_account(LOST)
        site.remove_account(STUCK)

    return Scenario("over the pace", steps, prepare=_limit_reports, mend=mend)


def _limit_reports(site: Installation) -> None:
    site.file.write_text(site.file.read_text() + "most_reports_per_minute = 1\n")
