"""How each host is to be spoken with: asked before every connection to one (requirements G-36, G-39).

Made where a `Contact` is. What a route says stands: whom it names, whom it verifies, that TLS is never used.
For all other mail exchangers the rules are asked in their order, which is that of their strength. The first
that tells how to recognise the host decides, and one that raises keeps us from that host, whatever those
behind it would have said. One that wants TLS with anybody takes the place of what the route or [remote]
wants, and that is what holds where none decides.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from paperpath.config.tables import RemoteTable
from paperpath.dns.next_hops import Asks
from paperpath.remote.contact import Hop
from paperpath.remote.dane import DaneRule
from paperpath.remote.route import Route, Security

Rule = Callable[[Route, Hop], Awaitable[Security | None]]
"""What somebody published of a mail exchanger; `None`: nothing. Raises: SessionError, to pass it over."""


def make_security_finder(table: RemoteTable, resolver: Asks, mta_sts: Rule | None = None) -> "SecurityFinder":
    """Make what asks everybody whom [remote] has asked; of MTA-STS who has a place to keep policies knows."""
    dane = DaneRule(resolver).find if table.dane else None
    rules = (dane, mta_sts if table.mta_sts else None)
    return SecurityFinder([rule for rule in rules if rule is not None])


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
            if found is not None and _authenticates(found):
                return found
            if found is not None:
                route = replace(route, security=found)
        return route.security


def _authenticates(security: Security) -> bool:
    return security.verifies or (security.pins is not None and bool(security.pins.records))


def _decides(route: Route) -> bool:
    return bool(route.hosts) or route.security.verifies or route.security.policy == "never"
