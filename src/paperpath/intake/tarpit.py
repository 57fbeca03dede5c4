"""Tarpitting: how long the reply to a recipient is held back, and of which sessions: pure (C-25, C-26).

Asked by the sessions, for each recipient. Rules:

1. The first recipients of a transaction are answered at once. Each one behind them is held back longer than
   the one before, up to a bound that is well below what clients wait for (RFC 5321 §4.5.3.2.3).
2. A refused recipient is held back as long as the last one that counts, and counts itself only where the
   configuration says so. A new transaction begins anew.
3. Our own good comes first (attack S-4): nobody is held back while more than half of the connections are
   used that there may be, nor more than a quarter of them at once, nor if what clients have sent ahead is
   more than there is room for. Who was to be held back is answered at once then.
"""

from paperpath.config.limit_tables import TarpitTable
from paperpath.intake.connections import Connections

MOST_OCTETS = 16 * 2**20  # of all that wait, sent ahead and not looked at


def find_delay_s(rule: TarpitTable, count: int) -> float:
    """Return for how long the reply is held back by which a transaction has so many recipients (rule 1)."""
    beyond = count - rule.after
    return min(rule.first_s + rule.step_s * (beyond - 1), rule.most_s) if beyond > 0 else 0.0


class Tarpit:
    """The sessions of a process that are held back (rule 3)."""

    def __init__(self, connections: Connections) -> None:
        """Begin with none; `connections` are all of the process."""
        self._connections = connections
        self._octets = 0
        self.held = 0

    @property
    def is_closed(self) -> bool:
        """Whether nobody is to be held back now, and who is should be let go."""
        return 2 * self._connections.count > self._connections.most

    def enter(self, octets: int) -> bool:
        """Take a session in that has sent so much ahead, unless there is no room; it leaves later."""
        has_place = 4 * (self.held + 1) <= max(self._connections.most, 4)
        if self.is_closed or not has_place or self._octets + octets > MOST_OCTETS:
            return False
        self.held += 1
        self._octets += octets
        return True

    def leave(self, octets: int) -> None:
        """Let a session go, with what it had when it came."""
        self.held -= 1
        self._octets -= octets
