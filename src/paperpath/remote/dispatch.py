"""What smtprcd does, turn by turn: claims within the windows, hands out jobs, settles what came of them.

Each turn settles all that has ended and claims what there is room for, in one commit under load. Whatever
could not be reached is not an attempt of a message but of its destination: the destination is suspended, with
one row written, and what was claimed for it goes back as it was. Recipients whose time was over when that
attempt began fail with it, the waiting ones as well; nobody else fails for it (X-9).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import count

from paperpath.delivery.conclusion import Conclusion
from paperpath.delivery.schedule import make_patience, pause_us
from paperpath.journal.events import Attempted, Suspended, show_address
from paperpath.journal.writer import Journal
from paperpath.mail.outcome import Deferred, Failed, Outcome
from paperpath.mail.reply import Reply, make_reply
from paperpath.maildrop.errors import MaildropError
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.values import Claim, Claimed, Overdue, Rooms, Transport
from paperpath.remote.fleet import Fleet
from paperpath.remote.jobs import Done, FromClient, Hello, Returned, Unreached
from paperpath.remote.limits import LimitTable
from paperpath.remote.outcomes import group_claims, make_job, make_outcome, read_reply, recipient_ids
from paperpath.remote.windows import Feedback, Windows
from paperpath.service.program import Life

MOST_CLAIMED = 200  # recipients in one turn, or in one transaction of those whose time is over
TROUBLE_PAUSE_S = 1.0

R451_CLIENT_DIED = make_reply(451, "4.3.0", "The relay client died with this message on its way")


@dataclass(frozen=True, slots=True)
class _Flight:
    """A job on its way."""

    claims: tuple[Claim, ...]
    begun_us: int
    begun_s: float

    @property
    def destination(self) -> str:
        return self.claims[0].destination


@dataclass(frozen=True, slots=True)
class _Ended:
    """A job that has ended: with what a client said, if it said anything; and whether its destination is away."""

    flight: _Flight
    value: FromClient | None
    is_away: Reply | None


class Dispatch:
    """Everything that is on its way to other hosts."""

    def __init__(self, life: Life, maildrop: Maildrop, journal: Journal, wake: Callable[[], None]) -> None:
        """Begin with nothing on its way; `wake` has the next turn come at once."""
        self._life = life
        self._maildrop = maildrop
        self._journal = journal
        self._wake = wake
        self._conclusion = Conclusion(life, maildrop, journal, _now_us)
        self._numbers = count(1)
        self._flights: dict[int, _Flight] = {}
        self._ended: list[_Ended] = []
        self._windows = Windows(
            LimitTable(life.configuration.remote).find, life.configuration.remote.most_transactions
        )
        self._failures = {
            suspension.destination: suspension.failures
            for suspension in maildrop.read_suspensions(Transport.REMOTE)
        }
        self._suspending: dict[str, float] = {}  # since when; not written yet, or with older jobs on their way
        self._failing: set[asyncio.Task[None]] = set()

    @property
    def in_flight(self) -> int:
        """How many jobs are on their way."""
        return len(self._flights)

    def renew(self) -> None:
        """Have the limits of a new configuration in force."""
        remote = self._life.configuration.remote
        self._windows.renew(LimitTable(remote).find, remote.most_transactions)
