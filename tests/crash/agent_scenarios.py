"""Scenarios of what accounts have other than a Maildir: an mbox, a program, nothing; and of a quota.

A program runs at least once: this one writes the same file each time. Its paths, and that of the mbox, begin
where smtpld works, for an installation is copied for each try.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from paperpath.accounts.file import change_settings
from paperpath.accounts.settings import Settings
from paperpath.config.quota import Quota
from paperpath.mail.address import parse_mailbox
from tests.crash.ledger import Message
from tests.crash.points import Plan, parse_point
from tests.crash.programs import LOCAL, OFFICE, RELAY
from tests.crash.site import Site
from tests.crash.steps import ADMIN, JOE, JOE2, LARGE, LATER_S, Scenario, Step, U, to
from tests.support.installation import Installation

_HERE = "/proc/self/cwd"
_AGENTS = f"""
[agents.box]
kind = "mbox"
path = "{_HERE}/data/mailboxes/here.example/joe/mbox"

[agents.copier]
kind = "program"
command = ["/bin/cp", "/dev/stdin", "data/mailboxes/here.example/Joe/cur/{{sender}}"]
cwd = "{_HERE}"

[agents.nowhere]
kind = "discard"
"""
_QUOTA = Quota(3000)
_MORE_THAN_HALF = 1600  # octets of a message, of which two do not go into a mailbox then


def other_agents() -> Scenario:
    """Each agent gets small messages and large ones, of several recipients and of one."""
    messages = (
        to(1, JOE),
        Message(2, (U, JOE, JOE2, ADMIN), dict.fromkeys((U, JOE, JOE2), 1)),
        to(3, JOE, JOE2, octets=LARGE),
        Message(4, (ADMIN, JOE2), {JOE2: 1}, octets=LARGE),
        to(5, JOE),
    )
    steps = [Step(RELAY, messages), Step(OFFICE), Step(LOCAL), Step(OFFICE)]
    return Scenario("other agents", steps, prepare=_name_agents)


def agents_died() -> Scenario:
    """The next smtpld finds what one had claimed that died in the middle, and an mbox that it had locked."""
    messages = (to(1, JOE), to(2, JOE, JOE2), to(3, JOE, octets=LARGE))
    died = Plan(parse_point("deliver / write mailboxes / 3"))
    steps = [
        Step(RELAY, messages),
        Step(OFFICE),
        Step(LOCAL, plan=died),
        Step(OFFICE, ahead_s=LATER_S),
        Step(LOCAL, ahead_s=LATER_S),
        Step(OFFICE, ahead_s=LATER_S),
    ]
    return Scenario("agents died", steps, prepare=_name_agents)


def full() -> Scenario:
    """A mailbox has no room for a second message until somebody makes some."""
    messages = (
        to(1, U, octets=_MORE_THAN_HALF),
        to(2, U, JOE, octets=_MORE_THAN_HALF),
    )

    def prepare(site: Installation) -> None:
        _set(site, U, partial(replace, quota=_QUOTA))

    steps = [
        Step(RELAY, messages),
        Step(OFFICE),
        Step(LOCAL),
        Step(OFFICE),
        Step(LOCAL, ahead_s=LATER_S, before=_throw_away),
        Step(OFFICE, ahead_s=LATER_S),
    ]

    def mend(site: Site) -> None:
        _set(site, U, partial(replace, quota=None))

    return Scenario("full", steps, prepare=prepare, mend=mend)


def _name_agents(site: Installation) -> None:
    site.file.write_text(site.file.read_text() + _AGENTS)
    for address, agent in ((JOE, "box"), (JOE2, "copier"), (ADMIN, "nowhere")):
        _set(site, address, partial(replace, deliver=agent))


def _set(site: Installation, address: str, change: Callable[[Settings], Settings]) -> None:
    change_settings(site.folder / "data" / "accounts", parse_mailbox(address), change)


def _throw_away(site: Site) -> None:
    """Move a mailbox's messages into its trash, as mail programs do that know of quotas."""
    mailbox = site.mailboxes / "here.example" / "u"
    trash = mailbox / ".Trash" / "cur"
    trash.mkdir(parents=True, exist_ok=True)
    for part in ("new", "cur"):
        for file in (mailbox / part).iterdir():
            size = file.stat().st_size
            file.rename(trash / f"{file.name.partition(':')[0]}:2,S")
            if (mailbox / "maildirsize").exists():
                with (mailbox / "maildirsize").open("a") as sums:
                    sums.write(f"-{size} -1\n")
