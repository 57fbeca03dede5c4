"""The replies of one session that the tarpit holds back: one at a time, by one timer (C-25, C-26).

The session reads nothing meanwhile, and gives the reply when it is told to; one that ends gives it up.
"""

import asyncio
from collections.abc import Callable

from paperpath.config.limit_tables import TarpitTable
from paperpath.intake.tarpit import Tarpit, find_delay_s
from paperpath.intake.transaction import MailTransaction
from paperpath.mail.reply import Reply
from paperpath.service.metrics import IntakeMetrics


class Delay:
    """Whether a reply is being held back, and until when."""

    def __init__(self, rule: TarpitTable, tarpit: Tarpit, metrics: IntakeMetrics) -> None:
        """Begin with nothing to hold back."""
        self._rule = rule
        self._tarpit = tarpit
        self._metrics = metrics
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether a reply is being held back."""
        return self._timer is not None

    def hold_back(
        self, reply: Reply, transaction: MailTransaction, octets: int, done: Callable[[Reply], None]
    ) -> bool:
        """Count a recipient; tell whether its reply is held back, and `done` called with it later.

        What the client waits is not of its transaction's time. `octets`: what it has sent ahead.
        """
        transaction.counted += reply.is_positive or self._rule.count_refused
        delay_s = find_delay_s(self._rule, transaction.counted)
        if not delay_s or not self._tarpit.enter(octets):
            return False
        loop = asyncio.get_running_loop()
        began_s = loop.time()

        def finish() -> None:
            transaction.overdue_s += loop.time() - began_s
            done(reply)

        self._metrics.delays += 1
        self._octets = octets
        self._finish = finish
        self._timer = loop.call_later(delay_s, self._end)
        return True

    def check(self) -> None:
        """Answer before the time if nobody is to be held back any more; called every now and then."""
        if self.is_waiting and self._tarpit.is_closed:
            self._end()

    def give_up(self) -> None:
        """Give no reply."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._tarpit.leave(self._octets)
            del self._finish  # which knows the session

    def _end(self) -> None:
        finish = self._finish
        self.give_up()
        finish()
