"""Scenarios of mail that people of this host write with sendmail and mailto while smtpsd is away."""

from dataclasses import replace

from tests.crash.ledger import Message
from tests.crash.programs import LOCAL, MAILTO, OFFICE, SENDMAIL
from tests.crash.site import Site
from tests.crash.steps import ADMIN, DAYS_S, GONE, JOE, JOE2, LARGE, Scenario, Step, U, to, write_aliases


def written() -> Scenario:
    """Both commands leave mail, short and long, also for a list and for somebody who is gone."""
    everybody = dict.fromkeys((U, JOE, JOE2, ADMIN), 1)
    by_sendmail = (
        to(1, U),
        to(2, U, JOE2, octets=LARGE),
        Message(3, ("team@here.example",), everybody),
    )
    by_mailto = (
        to(4, JOE),
        to(5, ADMIN, JOE2, octets=LARGE),
        Message(6, (GONE, U), {U: 1}, reports={GONE: 1}),
    )
    steps = []
    for first, second in zip(by_sendmail, by_mailto, strict=True):
        steps += [
            Step(SENDMAIL, (replace(first, sender=JOE, submitted=True),)),
            Step(OFFICE),  # one at a time: of two it is not known which commit takes which
            Step(MAILTO, (replace(second, sender=JOE, typed=True),)),
            Step(OFFICE, before=_remove_gone),
            Step(LOCAL),
        ]
    steps.append(Step(OFFICE, ahead_s=DAYS_S))  # when what was left half written has no owner any more
    return Scenario("written", steps, prepare=_prepare, mend=_remove_gone)


def _remove_gone(site: Site) -> None:
    site.remove_account(GONE)


def _prepare(site: Site) -> None:
    write_aliases(site)
    site.file.write_text(site.file.read_text() + '\n[submission]\n\n[sendmail]\nwhen_down = "drop"\n')
