"""A scenario of mail that accounts forward, to addresses and agents, and of mail that one discards."""

from tests.crash.ledger import Message
from tests.crash.programs import LOCAL, OFFICE, RELAY
from tests.crash.steps import ADMIN, FAR, GONE, JOE, JOE2, LARGE, LOST, STUCK, Scenario, Step, U
from tests.support.installation import Installation

RULES = {
    JOE: f"forward={JOE2}\tforward=agent:archive\tkeep",
    STUCK: f"forward={U}",
    GONE: f"forward={LOST}\tforward=agent:nowhere\tkeep",
    LOST: f"forward={GONE}",
}
NOWHERE = """
[[post_office.route]]
domain = "backup.example"
via = "agent:nowhere"

[agents.nowhere]
kind = "discard"

[agents.archive]
kind = "maildir"
path = "/proc/self/cwd/data/mailboxes/here.example/admin"
"""


def forwarded() -> Scenario:
    """Kept and forwarded, forwarded only, kept and forwarded in a circle; and sent to nowhere."""
    messages = (
        Message(1, (JOE,), {JOE: 1, JOE2: 1, ADMIN: 1}, forwards=1),
        Message(2, (STUCK, U), {U: 2}, octets=LARGE, forwards=1),
        Message(3, (GONE,), {GONE: 1}, sender=U, reports={GONE: 1}, forwards=2),
        Message(4, (FAR, U), {U: 1}),
    )
    rounds = [Step(OFFICE), Step(LOCAL)] * 4
    alone = Step(RELAY, (Message(5, (FAR,), {}),))
    return Scenario(
        "forwarded",
        [Step(RELAY, messages), *rounds, alone, Step(OFFICE), Step(LOCAL), Step(OFFICE)],
        prepare=_prepare,
    )


def _prepare(site: Installation) -> None:
    site.file.write_text(site.file.read_text() + NOWHERE)
    accounts = site.folder / "data" / "accounts"
    lines = accounts.read_text().splitlines()
    accounts.write_text("".join(f"{_add_rule(line)}\n" for line in lines))


def _add_rule(line: str) -> str:
    rule = RULES.get(line.partition("\t")[0])
    return line if rule is None else f"{line}\t\t{rule}"
