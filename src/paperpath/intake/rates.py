"""How often each network connects, sends a message, names a recipient: bounded; pure, times are seconds.

Asked by the sessions of a process, which share one. Each network may do a thing so many times at once, and
what it did is forgotten little by little: so many in a minute. What it may not do is not counted, so that who
goes on trying gets in at that pace. Memory is bounded: of more than `MOST_NETWORKS` the one that was seen
longest ago is forgotten.
"""

from collections import OrderedDict

from paperpath.config.limit_tables import LimitsTable
from paperpath.intake.limits import Limit

MOST_NETWORKS = 10_000
_MINUTE_S = 60.0


class Rate:
    """How often each network does one thing."""

    def __init__(self, per_minute: int | None = None) -> None:
        """Begin with nothing counted. `per_minute` may change at any time; `None`: as often as it likes."""
        self.per_minute = per_minute
        self._counts: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._counts)

    def take(self, network: str, now_s: float) -> bool:
        """Tell whether a network may do it once more, and count it then."""
        most = self.per_minute
        if most is None:
            return True
        count = self._read(network, most, now_s)
        if count > most - 1:
            return False
        self._counts[network] = count + 1, now_s
        self._counts.move_to_end(network)
        self._forget(most, now_s)
        return True

    def _read(self, network: str, most: int, now_s: float) -> float:
        """Return how often it was done and is remembered; the parts of one that is being forgotten count."""
        count, since_s = self._counts.get(network, (0.0, now_s))
        return max(0.0, count - (now_s - since_s) * most / _MINUTE_S)

    def _forget(self, most: int, now_s: float) -> None:
        """Let the oldest go, if nothing of it is remembered any more or there are too many."""
        oldest = next(iter(self._counts))
        if len(self._counts) > MOST_NETWORKS or not self._read(oldest, most, now_s):
            del self._counts[oldest]


class Rates:
    """All that is counted of each network."""

    def __init__(self) -> None:
        """Begin with nothing bounded."""
        self._rates = {
            Limit.CONNECTION_RATE: Rate(),
            Limit.MESSAGE_RATE: Rate(),
            Limit.RECIPIENT_RATE: Rate(),
        }

    def bound(self, table: LimitsTable) -> None:
        """Have these bounds from now on."""
        self._rates[Limit.CONNECTION_RATE].per_minute = table.connections_per_minute
        self._rates[Limit.MESSAGE_RATE].per_minute = table.messages_per_minute
        self._rates[Limit.RECIPIENT_RATE].per_minute = table.recipients_per_minute

    def take(self, limit: Limit, network: str, now_s: float) -> bool:
        """Tell whether a network may do this once more, and count it then."""
        return self._rates[limit].take(network, now_s)
