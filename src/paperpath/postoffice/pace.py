"""How fast reports go to one address: no more than so many in any minute (requirement H-24).

Called by the sorter, which every report passes. What is over the limit is due later, and that is durable; how
many went is not: after a restart the count begins anew.
"""

from collections import OrderedDict, deque

from paperpath.mail.address import Mailbox
from paperpath.mail.domain import domain_key
from paperpath.mail.local_part import fold_local
from paperpath.maildrop.values import MOST_PAUSE_US

MINUTE_US = 60_000_000
MOST_ADDRESSES = 1000  # those that had the last reports are remembered


class Pace:
    """Gives each report its time. `most_per_minute` may change at any time."""

    def __init__(self, most_per_minute: int) -> None:
        """Begin with no report."""
        self.most_per_minute = most_per_minute
        self._times: OrderedDict[tuple[str, str], deque[int]] = OrderedDict()

    def find_time(self, to: Mailbox, now_us: int) -> int:
        """Return when a report may go to an address: now, or a minute after one that went long enough before.

        Nobody waits for more than a day, for that is the most that the maildrop puts anything off.
        """
        times = self._find_times(to)
        if times and times[-1] > now_us + MOST_PAUSE_US:  # the clock was set back
            times.clear()
        time_us = now_us
        if len(times) >= self.most_per_minute:
            time_us = max(now_us, times[-self.most_per_minute] + MINUTE_US)
        times.append(min(time_us, now_us + MOST_PAUSE_US))
        while len(times) > self.most_per_minute:
            times.popleft()
        return times[-1]

    def forget(self) -> None:
        """Begin anew, for those that wait are given their times again."""
        self._times.clear()

    def _find_times(self, to: Mailbox) -> deque[int]:
        key = fold_local(to.local), domain_key(to.domain)
        times = self._times.setdefault(key, deque())
        self._times.move_to_end(key)
        if len(self._times) > MOST_ADDRESSES:
            self._times.popitem(last=False)
        return times
