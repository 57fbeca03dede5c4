"""Scenarios of much mail at once: by all ways in, of all sizes, while programs die and the routes change."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from paperpath.service.durable import replace_text
from tests.crash.ledger import Message
from tests.crash.points import Plan, parse_point
from tests.crash.programs import LOCAL, OFFICE, RELAY, REMOTE, SUBMISSION
from tests.crash.site import Site
from tests.crash.steps import (
    ADMIN,
    ALIASES,
    EVERYWHERE,
    FAR,
    FRUITLESS,
    GONE,
    JOE,
    JOE2,
    LARGE,
    LATE_S,
    LATER_S,
    LOST,
    STUCK,
    UNREACHABLE,
    Scenario,
    Step,
    U,
    batch,
    block,
    offer_reports,
    prepare_submission,
    queue,
    to,
    unblock,
    write_aliases,
)

PEOPLE = (U, JOE, JOE2, ADMIN)
EVERYBODY: Mapping[str, int] = dict.fromkeys(PEOPLE, 1)
_SIZES = (0, 900, 5_000, 20_000, 50_000, LARGE)  # in memory, in rows of the queue, in files of their own


def mixed() -> Scenario:
    """By relay and submission, to here and elsewhere; the next mail comes while the last is being carried."""
    steps = []
    for number, octets in enumerate(_SIZES):
        relayed = (
            Message(10 * number + 1, (*PEOPLE, FAR), EVERYBODY, octets=octets),
            to(10 * number + 2, *PEOPLE[: number % 4 + 1], octets=octets // 2),
        )
        handed_in = (
            replace(to(10 * number + 3, JOE, ADMIN, octets=octets), sender=U, submitted=True),
            Message(10 * number + 4, (FAR, U), {U: 1}, sender=JOE, octets=octets // 3, submitted=True),
        )
        steps += [Step(RELAY, relayed), Step(SUBMISSION, handed_in), Step(OFFICE)]
        steps += [Step((LOCAL, REMOTE)[number % 2])]
    steps += [Step(REMOTE), Step(LOCAL), Step(OFFICE)]
    return Scenario("mixed", steps, prepare=prepare_submission, rest=EVERYWHERE)


def rerouted() -> Scenario:
    """The aliases change again and again: over mail that is unsorted, sorted, put off, and being carried."""
    team = "team@here.example"
    first = tuple(Message(number, (team, JOE), EVERYBODY, octets=3_000 * number) for number in range(1, 5))
    second = tuple(Message(number, (STUCK, team), {STUCK: 1, **EVERYBODY}) for number in range(5, 8))
    steps = [
        Step(RELAY, first),
        Step(OFFICE, before=_change_aliases(1)),
        Step(OFFICE, before=_change_aliases(2)),
        Step(RELAY, second, before=block),
        Step(OFFICE),
        Step(LOCAL),
        Step(OFFICE, before=_change_aliases(3)),
        Step(LOCAL, ahead_s=LATER_S),
        Step(OFFICE, ahead_s=LATER_S, before=_change_aliases(4)),
        Step(LOCAL, ahead_s=2 * LATER_S, before=unblock),
        Step(OFFICE, ahead_s=2 * LATER_S),
    ]
    return Scenario("rerouted", steps, prepare=write_aliases, mend=unblock)


def all_died() -> Scenario:
    """Each program has died once, in the middle of the work of another, before the next one goes on."""
    messages = tuple(to(number, *PEOPLE, octets=20_000 * number) for number in range(1, 5))
    far = tuple(Message(number, (FAR, U), {U: 1}) for number in range(5, 8))
    steps = [
        Step(RELAY, messages),
        _dying(OFFICE, "release + sort / COMMIT / 1"),
        Step(RELAY, far),
        Step(OFFICE),
        _dying(LOCAL, "deliver / rename new / 2"),
        _dying(REMOTE, "settle delivered / COMMIT / 1"),
        Step(OFFICE, ahead_s=LATER_S),
        replace(_dying(LOCAL, "settle delivered / xSync queue.db-wal / 1"), ahead_s=LATER_S),
        Step(OFFICE, ahead_s=2 * LATER_S),
        Step(LOCAL, ahead_s=2 * LATER_S),
        Step(REMOTE, ahead_s=2 * LATER_S),
        Step(OFFICE, ahead_s=2 * LATER_S),
    ]
    return Scenario("all died", steps, rest=EVERYWHERE)


def operated_on_many() -> Scenario:
    """An operator's deeds on many recipients at once: unsorted, sorted, held, suspended and put off."""
    messages = tuple(
        Message(number, (*PEOPLE, STUCK, FAR), EVERYBODY, sender=JOE, reports={STUCK: 1}, octets=300 * number)
        for number in range(1, 13)
    )
    far = ("--domain", "backup.example")
    bounce = queue("bounce", "--recipient", STUCK)
    remove = queue("remove", *far)
    steps = [
        Step(RELAY, messages, before=block),
        queue("hold", "--all"),
        queue("release", "--all"),
        Step(OFFICE),
        queue("hold", *far),
        Step(LOCAL),
        queue("release", *far),
        queue("reroute", "smtp://other.example:25", *far),
        Step(OFFICE),
        UNREACHABLE,
        queue("retry", *far),
        UNREACHABLE,
        queue("reroute", "routes", *far),
        bounce,
        Step(OFFICE),
        remove,
        Step(LOCAL, ahead_s=LATER_S, before=unblock),
        Step(OFFICE, ahead_s=LATER_S),
    ]
    return Scenario("operated on many", steps, [Step(OFFICE), bounce, remove], mend=unblock, rest=EVERYWHERE)


def reported() -> Scenario:
    """Reports of all kinds together: of failure, of success, of a list, and of nobody's mail.

    None of delays: whom a crash made late would be told too (see `DELIVERY`).
    """
    team = "team@here.example"
    messages = (
        Message(1, (U, LOST), {U: 1}, sender=JOE, reports={U: 1, LOST: 1}, notify="SUCCESS,FAILURE"),
        Message(2, (team,), EVERYBODY, sender=JOE, reports={team: 1}, notify="SUCCESS", octets=LARGE),
        Message(3, (GONE, LOST, JOE), {JOE: 1}, sender=U, reports={GONE: 1, LOST: 1}, octets=LARGE),
        Message(4, (GONE, U), {U: 1}, sender="", reports={GONE: 1}),
        Message(5, (FAR, ADMIN), {ADMIN: 1}, sender=JOE, octets=20_000),
        Message(6, (GONE, LOST), {}, sender=U, notify="NEVER"),
    )
    steps = [
        Step(RELAY, messages),
        Step(OFFICE, before=_remove(GONE)),
        Step(LOCAL, before=_remove(LOST)),
        UNREACHABLE,
        Step(OFFICE, ahead_s=LATE_S),
        Step(LOCAL, ahead_s=LATE_S),
        Step(REMOTE, ahead_s=LATE_S),
        Step(OFFICE, ahead_s=LATE_S),
    ]
    return Scenario("reported", steps, prepare=_prepare_reports, mend=_remove(GONE, LOST), rest=EVERYWHERE)


def long_batch() -> Scenario:
    """A batch of many messages, with those that nobody is there for among them."""
    nobody = "nobody@here.example"
    messages = tuple(
        Message(number, (nobody, JOE), {JOE: 1}, reports={nobody: 1}, refused=1, octets=octets)
        if number % 4 == 0
        else to(number, *PEOPLE[: number % 4], octets=octets)
        for number, octets in enumerate((*_SIZES, *_SIZES), 1)
    )
    step = batch(*(replace(message, sender=JOE, submitted=True) for message in messages))
    return Scenario(
        "long batch",
        [step, FRUITLESS, Step(OFFICE), Step(LOCAL), Step(OFFICE)],
        recovery=(step, FRUITLESS),
        prepare=prepare_submission,
    )


def _change_aliases(number: int) -> Callable[[Site], None]:
    """Make what adds an alias that nobody uses: all is sorted again, with the same outcome."""

    def change(site: Site) -> None:
        replace_text(site.folder / "aliases", f"{ALIASES}another{number}: u\n")

    return change


def _dying(program: str, point: str) -> Step:
    return Step(program, plan=Plan(parse_point(point)))


def _remove(*accounts: str) -> Callable[[Site], None]:
    def remove(site: Site) -> None:
        for account in accounts:
            site.remove_account(account)

    return remove


def _prepare_reports(site: Site) -> None:
    write_aliases(site)
    offer_reports(site)
