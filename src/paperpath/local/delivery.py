"""A batch of local deliveries: each claim to the agent of its place. Blocking, for smtpld's threads.

Which agent that is follows from the claim's destination, as the router named it (places.py). Return-Path and
Delivered-To stand on top of what any agent delivers, and below them what was found of its authentication, if
anybody looked; then the content as it came, without a Return-Path of its own (requirements F-1 to F-3, I-21).
"""

from collections.abc import Sequence

from paperpath.delivery.schedule import next_due_us
from paperpath.local.agents.attempt import defer
from paperpath.local.agents.interface import Agent, Desk
from paperpath.local.places import Depot, Miss, find_agent
from paperpath.mail.outcome import Deferred, Failed, Outcome
from paperpath.mail.reply import make_reply
from paperpath.maildrop.values import Claim


def deliver_batch(claims: Sequence[Claim], depot: Depot) -> list[Outcome]:
    """Deliver claims; give their outcomes in the same order. What was delivered is flushed then.

    All that go to one place are for its agent to deliver at once.
    """
    desk = Desk(depot.host, depot.now_us, depot.end, depot.findings)
    outcomes: dict[int, Outcome] = {}
    by_agent: dict[Agent, list[Claim]] = {}
    for claim in claims:
        found = find_agent(claim, depot)
        if isinstance(found, Miss):
            outcomes[claim.recipient_id] = _miss(claim, found, desk)
        else:
            by_agent.setdefault(found, []).append(claim)
    for agent, here in by_agent.items():
        delivered = agent.deliver(here, desk)
        outcomes.update(zip((claim.recipient_id for claim in here), delivered, strict=True))
    return [outcomes[claim.recipient_id] for claim in claims]


def defer_batch(claims: Sequence[Claim], now_us: int, error: Exception) -> list[Outcome]:
    """Defer claims whose delivery ended in a way that nobody foresaw; each may have been delivered."""
    reply = make_reply(451, "4.3.0", f"Delivery failed in an unforeseen way: {error!r}")
    return [Deferred(reply, next_due_us(claim, now_us), uncertain=True) for claim in claims]


def _miss(claim: Claim, miss: Miss, desk: Desk) -> Outcome:
    """Say that there is no agent for a claim."""
    return Failed(miss.reply) if miss.reply.code >= 500 else defer(claim, desk, miss.reply)
