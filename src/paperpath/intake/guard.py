"""What keeps clients from taking more than their part, by one configuration: rates, turn-aways, the tarpit.

Asked by the sessions and their beginnings. A process counts in one `GuardMeans`, whatever the configuration
says from one reload to the next. Whoever is admitted without a login has neither rates nor delays: those
whom the access rules name as privileged, and users of this host.
"""

from dataclasses import dataclass, field

from paperpath.config.intake_tables import IntakeTable
from paperpath.intake.connections import Connections
from paperpath.intake.delay import Delay
from paperpath.intake.guest import Guest
from paperpath.intake.limits import Limit, Networks
from paperpath.intake.rates import Rates
from paperpath.intake.tarpit import Tarpit
from paperpath.intake.turn_aways import TurnAways
from paperpath.mail.reply import Reply
from paperpath.service.metrics import IntakeMetrics


@dataclass(slots=True)
class GuardMeans:
    """What a process counts of all clients."""

    connections: Connections
    metrics: IntakeMetrics
    rates: Rates = field(default_factory=Rates)
    turn_aways: TurnAways = field(default_factory=TurnAways)
    tarpit: Tarpit = field(init=False)

    def __post_init__(self) -> None:
        self.tarpit = Tarpit(self.connections)


class Guard:
    """Says what a client may not do now."""

    def __init__(self, table: IntakeTable, means: GuardMeans) -> None:
        """Take the rules; the bounds of the table are in force from now on."""
        means.connections.most = table.most_connections
        means.connections.most_per_client = table.most_connections_per_client
        means.rates.bound(table.limits)
        self._networks = Networks.of(table.limits)
        self._means = means
        self._delays = table.tarpit

    def find_network(self, client: str) -> str:
        """Return as what a client is counted."""
        return self._networks.find(client)

    def check(self, limit: Limit, guest: Guest, network: str, now_s: float) -> Reply | None:
        """Count what a client does; return why it may not do that now."""
        if guest.is_admitted or self._means.rates.take(limit, network, now_s):
            return None
        return self.reach(limit)

    def reach(self, limit: Limit) -> Reply:
        """Take note of who has reached a limit; return what is said."""
        self._means.metrics.limits.add(limit.value)
        return limit.reply

    def turn_away(self, network: str, reply: Reply | None, now_s: float) -> int:
        """Take note of who is turned away; return how many of the network are to be told of now."""
        self._means.metrics.refused_connections += 1
        return self._means.turn_aways.note(network, reply, now_s)

    def refuse_header(self, network: str, reason: str, now_s: float) -> int:
        """Take note of who is no proxy, or names nobody rightly; return as `turn_away` does."""
        self._means.metrics.refused_headers += 1
        return self._means.turn_aways.note(network, reason, now_s)

    def make_delay(self) -> Delay | None:
        """Make what holds the replies of a session back; `None`, where the configuration has no tarpit."""
        if self._delays is None:
            return None
        return Delay(self._delays, self._means.tarpit, self._means.metrics)
