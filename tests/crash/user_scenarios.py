"""Scenarios of mail for users of the host, whom smtplud delivers to, for smtpld.

Either has its points while the other does its work. smtpld asks for one delivery at a time, so the children
pass their points one after another.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.crash.host import FILED, SERVICE, SUE, TOM, home_of
from tests.crash.ledger import Message
from tests.crash.points import Plan, parse_point
from tests.crash.programs import HELPER, LOCAL, OFFICE, RELAY
from tests.crash.site import Site
from tests.crash.steps import ADMIN, LARGE, LATER_S, Scenario, Step, U
from tests.support.installation import Installation

_RULES = """
[local]
system_users = true
system_deliver = "{place}"
create = true
programs = 1
"""
_LOCAL = Step(LOCAL, beside=HELPER)
_HELPER = Step(HELPER, beside=LOCAL)
_REST = (Step(OFFICE), _LOCAL)


def users() -> Scenario:
    """Maildirs in homes: small and large, one user and several, one whose home is away for a while."""
    sue, tom = (f"{name}@here.example" for name in (SUE, TOM))

    def hide(site: Site) -> None:
        home_of(TOM, site.folder).rename(_away(site))

    steps = [
        Step(RELAY, (_to(1, sue, U), _to(2, sue, tom, octets=LARGE), _to(3, tom))),
        Step(OFFICE),
        replace(_HELPER, before=hide),
        replace(_LOCAL, ahead_s=LATER_S, before=_bring_back),
        Step(OFFICE, ahead_s=LATER_S),
    ]
    prepare = _make_preparation("~/Maildir")
    return Scenario("users", steps, prepare=prepare, mend=_bring_back, rest=_REST)


def users_died() -> Scenario:
    """The next child finds what the one left that died in the middle, in whatever folder that was."""
    sue = f"{SUE}@here.example"
    died = Plan(parse_point("deliver to user / fsync new/ / 1"))
    steps = [
        Step(RELAY, (_to(1, sue), _to(2, sue, octets=LARGE))),
        Step(OFFICE),
        replace(_HELPER, plan=died),
        replace(_HELPER, ahead_s=LATER_S),
        Step(OFFICE, ahead_s=LATER_S),
    ]
    return Scenario("users died", steps, prepare=_make_preparation("~/Maildir"), rest=_REST)


def users_filed() -> Scenario:
    """An mbox of the user's name, which a child had locked that died, and half of an entry in it."""
    filed, copies = f"{FILED}@here.example", {f"{SUE}@here.example": 1}
    died = Plan(parse_point("deliver to user / write mailboxes / 3"))
    steps = [
        Step(RELAY, (Message(1, (filed,), copies), Message(2, (filed, ADMIN), {**copies, ADMIN: 1}))),
        Step(OFFICE),
        replace(_HELPER, plan=died),
        Step(RELAY, (Message(3, (filed,), copies, octets=LARGE),)),
        Step(OFFICE, ahead_s=LATER_S),
        replace(_HELPER, ahead_s=LATER_S),
        Step(OFFICE, ahead_s=LATER_S),
    ]
    spool = f"/proc/self/cwd/data/mailboxes/here.example/{SUE}/{{user}}"
    return Scenario("users filed", steps, prepare=_make_preparation(spool), rest=_REST)


def _make_preparation(place: str) -> Callable[[Installation], None]:
    """Return what makes homes, and has the users' mail go to a place; sue's home has an mbox, too."""

    def prepare(site: Installation) -> None:
        text = f'user = "{SERVICE}"\n{site.file.read_text()}'
        site.file.write_text(text + _RULES.format(place=place))
        for name in (SUE, TOM):
            home_of(name, site.folder).mkdir(mode=0o700)

    return prepare


def _to(number: int, *recipients: str, octets: int = 500) -> Message:
    return Message(number, recipients, dict.fromkeys(recipients, 1), octets=octets)


def _bring_back(site: Site) -> None:
    if (away := _away(site)).exists():
        away.rename(home_of(TOM, site.folder))


def _away(site: Site) -> Path:
    return site.folder / "away"
