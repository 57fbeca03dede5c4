"""Reports of delay: once for each recipient that waits for longer than senders expect (requirement H-8).

Called by smtppd now and then, for all ways out: it does not matter why a message waits, or whether it was
attempted at all. Numbers of recipients rise with the time of arrival, so each look begins where the one
before ended, and costs nothing where nobody is late. Now and then it begins at the first number again, for
those that were just being attempted when their turn came.
"""

from collections.abc import Callable

from paperpath.config.tables import Configuration
from paperpath.delivery.reports import make_clerk, make_warnings
from paperpath.delivery.telling import tell_reports
from paperpath.journal.events import Tell
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.values import Warned

BATCH = 100
ROUND_US = 3_600_000_000


class Lateness:
    """Looks for the late, and has their senders told."""

    def __init__(self, maildrop: Maildrop, tell: Tell, now_us: Callable[[], int]) -> None:
        """Begin with the oldest."""
        self._maildrop = maildrop
        self._tell = tell
        self._now_us = now_us
        self._after = 0
        self._begin_anew_us = 0

    async def warn_some(self, configuration: Configuration) -> int:
        """Report what is late, up to a batch; return how many were looked at. Raises: MaildropError."""
        warn_after_us = round(configuration.delivery.warn_after_s * 1_000_000)
        if not warn_after_us:
            return 0
        now_us = self._now_us()
        if now_us >= self._begin_anew_us:
            self._after, self._begin_anew_us = 0, now_us + ROUND_US
        late = self._maildrop.find_late(now_us - warn_after_us, self._after, BATCH)
        if not late:
            return 0
        claims = self._maildrop.examine(late).claims
        reports = await make_warnings(claims, self._maildrop, make_clerk(configuration), now_us)
        await self._maildrop.warn([Warned(number, report) for number, report in reports.items()])
        made = ((claim, reports[claim.recipient_id]) for claim in claims)
        tell_reports([(claim, report) for claim, report in made if report is not None], self._tell)
        self._after = late[-1]
        return len(late)
