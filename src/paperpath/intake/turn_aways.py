"""Whom we turn away before a session begins, as far as that is told: pure (promise P9, attack S-2).

Asked by whoever turns clients away, all in a process the same one. A flood of connections would else be a
flood in log and journal. So a network is told of at once, and then once a minute at most, with how often it
was turned away since; and so that many networks are no flood either, there are 60 such lines a minute at
most. Of more than `MOST_NETWORKS` the one that was seen longest ago is forgotten; the metrics have them all.
"""

import math
from collections import OrderedDict

from paperpath.intake.rates import Rate
from paperpath.mail.reply import Reply

MOST_NETWORKS = 1000
TOLD_EVERY_S = 60.0
_LINES_PER_MINUTE = 60


class TurnAways:
    """Counts who was turned away and why."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._untold: OrderedDict[tuple[str, Reply | str | None], tuple[int, float]] = OrderedDict()
        self._lines = Rate(_LINES_PER_MINUTE)

    def note(self, network: str, why: Reply | str | None, now_s: float) -> int:
        """Count one; return how many of that network are to be told now, 0 if it is not its time.

        `why`: what is said, or a reason that is not said; `None` for who is denied any word.
        """
        count, told_s = self._untold.pop((network, why), (0, -math.inf))
        count += 1
        is_due = now_s - told_s >= TOLD_EVERY_S and self._lines.take("", now_s)
        self._untold[network, why] = (0, now_s) if is_due else (count, told_s)
        if len(self._untold) > MOST_NETWORKS:
            self._untold.popitem(last=False)
        return count if is_due else 0
