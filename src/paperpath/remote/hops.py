"""The hosts to try for a route, in their order."""

from collections.abc import Sequence

from paperpath.config.tables import RemoteTable
from paperpath.mail.reply import Reply, make_reply
from paperpath.remote.contact import Hop
from paperpath.remote.route import Route


class HopFinder:
    """Finds hosts by one configuration."""

    def __init__(self, remote: RemoteTable) -> None:
        """Take it."""

    async def find(self, route: Route) -> Sequence[Hop] | Reply:
        """Find."""
        if route.hosts:
            return [Hop(host.host, host.host, host.port, host.is_encrypted) for host in route.hosts]
        return make_reply(451, "4.4.3", "no DNS yet")
