"""Which lane a claim waits in, and how its place is served there: pure. Asked by smtpld for each claim."""

from collections.abc import Hashable
from dataclasses import dataclass
from enum import Enum

from paperpath.local.agents.discard import DiscardAgent
from paperpath.local.agents.maildir import MaildirAgent
from paperpath.local.agents.mbox import MboxAgent
from paperpath.local.agents.user import UserAgent
from paperpath.local.lanes import Manner
from paperpath.local.places import Depot, Miss, find_agent
from paperpath.maildrop.values import Claim
from paperpath.routing.forwards import is_forward_way

_RUNS_AT_ONCE = 2  # of a program for one recipient


class LaneName(Enum):
    """The lanes: of what goes into folders, of what is forwarded, of what may have to wait for somebody."""

    FOLDERS = "folders"
    FORWARDS = "forwards"
    PROGRAMS = "programs"


@dataclass(frozen=True, slots=True)
class Service:
    """Where a claim waits for its turn, for which place, how that is served, and of which family it is.

    `makes_copy`: what is delivered there has fields of ours on top.
    """

    lane: LaneName
    place: Hashable
    manner: Manner
    family: Hashable = None
    makes_copy: bool = True


def find_service(claim: Claim, depot: Depot, most_for_mailbox: int, most_together: int) -> Service:
    """Return how a claim is served.

    Two jobs at once would fill a mailbox beyond its quota, and wait for each other at an mbox file or for a
    user's turn. A program may hang for one recipient, or for all of them; so may the home of a user, or all
    homes, and mbox files by the folder that they are in.
    """
    if is_forward_way(claim.destination):
        return Service(LaneName.FORWARDS, claim.destination, Manner(1, most_together), makes_copy=False)
    agent = find_agent(claim, depot)
    match agent:
        case MaildirAgent(allotment=allotment):
            most = 1 if allotment.quota.is_limit else most_for_mailbox
            return Service(LaneName.FOLDERS, agent, Manner(most, most_together))
        case Miss() | DiscardAgent():
            return Service(LaneName.FOLDERS, agent, Manner(most_for_mailbox, most_together), makes_copy=False)
        case MboxAgent(file=file):
            return Service(LaneName.PROGRAMS, agent, Manner(1, most_together), file.parent)
        case UserAgent(helper=helper):
            return Service(LaneName.PROGRAMS, agent, Manner(1, most_together), helper)
    return Service(LaneName.PROGRAMS, (agent, claim.address), Manner(_RUNS_AT_ONCE, 1), agent)
