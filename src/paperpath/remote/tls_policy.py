"""How each host is to be spoken with: asked before every connection to one (requirements G-36, G-39).

Made where a `Contact` is. What a route says stands: whom it names, whom it verifies, that TLS is never used.
For all other mail exchangers the rules are asked in their order, which is that of their strength. The first
that has something to say decides, and one that raises keeps us from that host, whatever those behind it would
have said. Where none has, TLS is what the route or [remote] wants.
"""

from collections.abc import Awaitable, Callable, Sequence

from paperpath.config.tables import RemoteTable
from paperpath.dns.next_hops import Asks
from paperpath.remote.contact import Hop
from paperpath.remote.dane import DaneRule
from paperpath.remote.route import Route, Security

Rule = Callable[[Route, Hop], Awaitable[Security | None]]
"""What somebody published of a mail exchanger; `None`: nothing. Raises: SessionError, to pass it over."""


def make_security_finder(table: RemoteTable, resolver: Asks) -> "SecurityFinder":
    """Make what asks everybody whom [remote] has asked."""
    return SecurityFinder([DaneRule(resolver).find] if table.dane else [])


class SecurityFinder:
    """Finds out how to speak with hosts, by what was published of them."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        """Ask nobody yet."""
        self._rules = rules

    async def find(self, route: Route, hop: Hop) -> Security:
        """Return how a host is to be spoken with. Raises: SessionError, where it is to be passed over."""
        if _decides(route):
            return route.security
        for rule in self._rules:
            found = await rule(route, hop)
            if found is not None:
                return found
        return route.security


def _decides(route: Route) -> bool:
    return bool(route.hosts) or route.security.verifies or route.security.policy == "never"
