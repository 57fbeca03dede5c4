"""What an alias may stand for beside addresses: a place of this host, or an agent of the configuration; pure.

Only the administrator may name them (attack L-4). A place is a recipient itself. An agent gets the mail of
whoever named it: such a recipient keeps its address, and remembers the agent's way behind the alias, or the
account, that led there.
"""

from paperpath.config.agent_name import is_agent_way, make_agent_way
from paperpath.mail.address import Mailbox
from paperpath.mail.place import is_place


def make_agent_target(name: str) -> Mailbox:
    """Return how an alias holds an agent."""
    return Mailbox(make_agent_way(name), "")


def find_agent_way(target: Mailbox) -> str:
    """Return the way to the agent that a target is, empty for all others."""
    return target.local if not target.domain and is_agent_way(target.local) else ""


def is_own_target(target: Mailbox) -> bool:
    """Tell whether a target is a place or an agent, which strangers may not name."""
    return is_place(target) or find_agent_way(target) != ""
