"""A scenario of mail that goes into mailboxes by LMTP: recipients of one message are settled one by one."""

from tests.crash.ledger import Message
from tests.crash.programs import LOCAL, OFFICE, RELAY, REMOTE
from tests.crash.steps import EVERYWHERE, FAR, JOE, LARGE, Scenario, Step, U, offer_reports
from tests.support.installation import Installation

FAR2, FAR3 = "y@backup.example", "z@backup.example"
ROUTE = """
[[post_office.route]]
domain = "backup.example"
via = "lmtp://unix:/nowhere/lmtp"
"""


def one_by_one() -> Scenario:
    """A server takes messages for one recipient after the other; senders want to know of each."""
    messages = (
        Message(1, (FAR, FAR2, FAR3), {}, sender=JOE, reports=_one_each(FAR, FAR2, FAR3), notify="SUCCESS"),
        Message(2, (FAR2, U, FAR), {U: 1}, sender=JOE, reports=_one_each(FAR2, U, FAR), notify="SUCCESS"),
        Message(3, (FAR, FAR2), {}, sender=U, reports=_one_each(FAR, FAR2), notify="SUCCESS", octets=LARGE),
    )
    steps = [
        Step(RELAY, messages),
        Step(OFFICE),
        Step(REMOTE),
        Step(LOCAL),
        Step(OFFICE),
        Step(LOCAL),
        Step(OFFICE),
    ]
    return Scenario("one by one", steps, prepare=_prepare, rest=EVERYWHERE)


def _one_each(*recipients: str) -> dict[str, int]:
    return dict.fromkeys(recipients, 1)


def _prepare(site: Installation) -> None:
    offer_reports(site)
    site.file.write_text(site.file.read_text() + ROUTE)
