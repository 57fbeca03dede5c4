"""How the agents are served: at whose pace they work, and how many jobs each place may have at once: pure."""

from collections.abc import Hashable
from dataclasses import dataclass

from paperpath.local.agents.discard import DiscardAgent
from paperpath.local.agents.interface import Agent
from paperpath.local.agents.maildir import MaildirAgent
from paperpath.local.lanes import Manner
from paperpath.local.places import Miss
from paperpath.maildrop.values import Claim

_RUNS_AT_ONCE = 2  # of a program for one recipient
_ONE_BY_ONE = Manner(_RUNS_AT_ONCE, 1)


@dataclass(frozen=True, slots=True)
class Service:
    """Where a claim waits for its turn and how it is served then; `is_slow`: by somebody who may make us wait."""

    place: Hashable
    is_slow: bool
    manner: Manner


def find_service(claim: Claim, agent: Agent | Miss, most_for_mailbox: int, most_together: int) -> Service:
    """Return how a claim is served.

    Two at once would fill a mailbox beyond its quota, and wait for each other at an mbox file. A program may
    hang for one recipient and not for another.
    """
    match agent:
        case MaildirAgent(allotment=allotment):
            most = 1 if allotment.quota.is_limit else most_for_mailbox
            return Service(agent, is_slow=False, manner=Manner(most, most_together))
        case Miss() | DiscardAgent():
            return Service(agent, is_slow=False, manner=Manner(most_for_mailbox, most_together))
    return Service((agent, claim.address), is_slow=True, manner=_ONE_BY_ONE)
