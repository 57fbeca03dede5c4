"""How many clients are connected, in all and from one network: bounded (promise P6, attack S-2).

Used by the sessions of a process, which share one. Who is too many gets one reply in place of the greeting.
"""

from paperpath.intake.access import ServiceClass
from paperpath.intake.limits import Limit


class Connections:
    """Counts who is connected. The bounds may change at any time; who is in stays."""

    def __init__(self, most: int, most_per_client: int) -> None:
        """Begin with nobody."""
        self.most = most
        self.most_per_client = most_per_client
        self.count = 0
        self._by_network: dict[str, int] = {}

    def take_place(self) -> Limit | None:
        """Have room for a client, whoever it is, that leaves later; or return why there is none."""
        if self.count >= self.most:
            return Limit.CONNECTIONS
        self.count += 1
        return None

    def enter(self, network: str, service: ServiceClass) -> Limit | None:
        """Let in a client that has a place, or return why not; a privileged one may come often."""
        present = self._by_network.get(network, 0)
        if present >= self.most_per_client and service is not ServiceClass.PRIVILEGED:
            return Limit.CONNECTIONS_OF_NETWORK
        self._by_network[network] = present + 1
        return None

    def leave(self, network: str | None) -> None:
        """Let a client go; `None`: one that had a place, and was not let in."""
        self.count -= 1
        if network is None:
            return
        self._by_network[network] -= 1
        if not self._by_network[network]:
            del self._by_network[network]
