"""What lists of clients decide: pure (requirements C-11, C-12, C-18, C-20, C-21; X-10).

Called by whoever has asked the lists, and by the sessions, for each recipient. Rules:

1. The lists are asked in their order. The first that has the client decides, and no later one is asked.
2. A black list that cannot be asked has nobody. A white one that cannot be asked has everybody: who would
   have been let through is not to be refused for a failure (C-21).
3. Whoever is blacklisted may write to postmasters, so as to complain; whatever service he gets. Whoever is
   whitelisted is as if there were no lists.

A reply tells the list's reason and not its domain, in which some lists have the key of who pays for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from paperpath.config.client_list import ClientList, Colour
from paperpath.dns.lists import Finding, Standing
from paperpath.mail.address import Mailbox
from paperpath.mail.reply import Reply, make_reply


@dataclass(frozen=True, slots=True)
class Look:
    """One list that was looked at, and what it said."""

    client_list: ClientList
    finding: Finding

    @property
    def decides(self) -> bool:
        """Whether no later list is asked."""
        standing = self.finding.standing
        if self.client_list.colour is Colour.WHITE and standing is Standing.FAILED:  # rule 2
            return True
        return standing is Standing.LISTED


@dataclass(frozen=True, slots=True)
class ListRuling:
    """What was decided about a client, and by what.

    `look` decided, `None` if no list did. `refusal` is the reply to all recipients but postmasters; `None`
    for who is not blacklisted.
    """

    look: Look | None = None
    refusal: Reply | None = None

    def judge(self, recipient: Mailbox) -> Reply | None:
        """Return why a recipient is refused; `None` if the lists have nothing against it."""
        return None if self.refusal is None or recipient.is_postmaster else self.refusal


def find_deciding(looks: Sequence[Look]) -> Look | None:
    """Return the first list that decides (rule 1)."""
    return next((look for look in looks if look.decides), None)


def rule_on(client: str, look: Look | None, reason: str = "") -> ListRuling:
    """Rule on a client by the list that decided; `reason` is why, as `clean_reason` has it."""
    if look is None or look.client_list.colour is Colour.WHITE:
        return ListRuling(look)
    said = reason or "it is on a list of clients that may write to postmaster only"
    return ListRuling(look, make_reply(550, "5.7.1", f"Mail from {client} is refused: {said}"))
