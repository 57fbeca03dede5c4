"""The discard agent: the message ends here, and the journal says so."""

from collections.abc import Sequence
from dataclasses import dataclass

from paperpath.local.agents.interface import Desk
from paperpath.mail.outcome import Discarded, Outcome
from paperpath.mail.reply import make_reply
from paperpath.maildrop.values import Claim

R250_DISCARDED = make_reply(250, "2.1.5", "Discarded")


@dataclass(frozen=True, slots=True)
class DiscardAgent:
    """Delivers nothing to nobody."""

    place: str

    def deliver(self, claims: Sequence[Claim], _: Desk) -> list[Outcome]:
        """Say of each claim that this is its end."""
        return [Discarded(R250_DISCARDED)] * len(claims)
