"""The agent of a user of this host: has the helper deliver, which becomes the user (smtplud.py).

A delivery keeps its name however often it is tried, and the helper looks for it where an earlier attempt may
have left it (promise P4).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from paperpath.folders.maildir import to_stored_lines
from paperpath.local.agents.attempt import attempt, defer
from paperpath.local.agents.interface import Desk
from paperpath.local.agents.maildir import delivery_name
from paperpath.local.content import read_marked
from paperpath.local.users.asking import ask_helper
from paperpath.local.users.deliveries import TURN_S
from paperpath.local.users.packets import Request
from paperpath.mail.outcome import Delivered, Outcome
from paperpath.mail.reply import Reply
from paperpath.maildrop.values import Claim

_MARGIN_S = 2 * TURN_S  # more than the helper takes until it begins, and to end what takes too long


@dataclass(frozen=True, slots=True)
class UserAgent:
    """Delivers to one user by the helper behind a socket in a folder, which gives up after a limit."""

    user: str
    helper: Path
    limit_s: float

    @property
    def place(self) -> str:
        """See `Agent`."""
        return f"user {self.user}"

    def deliver(self, claims: Sequence[Claim], desk: Desk) -> list[Outcome]:
        """Deliver claims one after another, until something is in the way of all."""
        in_the_way: Reply | None = None

        def deliver(claim: Claim) -> Outcome:
            nonlocal in_the_way
            name = delivery_name(claim, desk.host)
            request = Request(self.user, name, claim.tried, claim.return_path, claim.message.arrived_us)
            content = to_stored_lines(read_marked(claim, desk.findings))
            answer = ask_helper(self.helper, request, content, self.limit_s + _MARGIN_S)
            if answer.reply.is_positive:
                return Delivered(answer.reply)
            in_the_way = answer.reply if answer.is_stuck else None
            return defer(claim, desk, answer.reply, uncertain=answer.uncertain)

        return [
            attempt(claim, desk, deliver) if in_the_way is None else defer(claim, desk, in_the_way)
            for claim in claims
        ]
