"""The hosts to try for a route, in their order: asked of the DNS at every attempt (requirement G-9)."""

import ipaddress
import time
from collections.abc import Sequence
from itertools import chain

from paperpath.config.tables import RemoteTable
from paperpath.config.via import NextHost, NextSocket
from paperpath.dns.exchangers import Family, NextHops, Policy
from paperpath.dns.next_hops import Asks, find_host_hops, find_named_hops, find_next_hops
from paperpath.mail.domain import domain_key
from paperpath.mail.reply import Reply
from paperpath.remote.contact import AnyHop, Hop, SocketHop
from paperpath.remote.route import Route
from paperpath.service.interfaces import read_own_addresses

OWN_ADDRESSES_S = 5.0  # for how long the addresses of this host are believed to stay what they are


class HopFinder:
    """Finds hosts by one configuration."""

    def __init__(self, hostname: str, remote: RemoteTable, resolver: Asks) -> None:
        """Ask nothing yet; `hostname` is ours."""
        self._remote = remote
        self._own_names = frozenset(domain_key(name) for name in (hostname, remote.hello or hostname))
        self._resolver = resolver
        self._policy = self._make_policy()
        self._policy_until_s = time.monotonic() + OWN_ADDRESSES_S

    async def find(self, route: Route) -> Sequence[AnyHop] | Reply:
        """Return where to try; or why nowhere."""
        policy = self._find_policy()
        if route.hosts:
            return await self._find_hosts(route.hosts, policy)
        found = await find_next_hops(route.domain, self._resolver, policy)
        return found if isinstance(found, Reply) else _make_hops(found, self._remote.port)

    async def find_addresses(self, host: str) -> Sequence[str] | Reply:
        """Return the addresses of a host that a domain names for something else than mail; or why none."""
        found = await find_named_hops(host, self._resolver, self._find_policy())
        return found if isinstance(found, Reply) else [hop.address for hop in found]

    async def _find_hosts(
        self, hosts: Sequence[NextHost | NextSocket], policy: Policy
    ) -> Sequence[AnyHop] | Reply:
        """Return the addresses of all hosts that have some; if none has, why, preferably for now only."""
        found = [await self._find_host(host, policy) for host in hosts]
        hops = [hops for hops in found if not isinstance(hops, Reply)]
        if hops:
            return list(chain(*hops))
        replies = [reply for reply in found if isinstance(reply, Reply)]
        return min(replies, key=lambda reply: reply.code)

    async def _find_host(self, host: NextHost | NextSocket, policy: Policy) -> Sequence[AnyHop] | Reply:
        if isinstance(host, NextSocket):
            return [SocketHop(host.path)]
        found = await find_host_hops(host.host, self._resolver, policy)
        if isinstance(found, Reply):
            return found
        return _make_hops(found, host.port, is_encrypted=host.is_encrypted, is_lmtp=host.is_lmtp)

    def _find_policy(self) -> Policy:
        now_s = time.monotonic()
        if now_s >= self._policy_until_s:
            self._policy = self._make_policy()
            self._policy_until_s = now_s + OWN_ADDRESSES_S
        return self._policy

    def _make_policy(self) -> Policy:
        remote = self._remote
        own = [
            address
            for address in read_own_addresses()
            if not (remote.loopback and ipaddress.ip_address(address).is_loopback)
        ]
        return Policy(
            self._own_names,
            frozenset([*own, *remote.own_addresses]),
            tuple(Family(family) for family in remote.families),
            remote.loopback,
        )


def _make_hops(hops: NextHops, port: int, *, is_encrypted: bool = False, is_lmtp: bool = False) -> list[Hop]:
    return [Hop(hop.host, hop.address, port, is_encrypted, is_lmtp, hop.identity) for hop in hops]
