"""The names of a client's host, as far as they can be believed: those that lead back to its address (L-16).

Asked for while a session begins, where a rule for hosts could decide about the client. Whoever has an address
may give it any name (PTR); whose name it is says whether that is so (A, AAAA). Promise: it takes `BUDGET_S`
at most, whatever the DNS does, and what is not known then is no name.
"""

import asyncio
from collections.abc import Sequence

from paperpath.dns.answer import Answer
from paperpath.dns.lists import IpAddress, parse_client, reverse_address
from paperpath.dns.next_hops import Asks
from paperpath.dns.records import AAAA, PTR, A
from paperpath.intake.access_file import Access
from paperpath.service.log import Log

BUDGET_S = 5.0
MOST_NAMES = 10  # of an address, that are looked at

_ZONES = {4: "in-addr.arpa", 6: "ip6.arpa"}


class ClientNames:
    """Finds names for the rules of one way in."""

    def __init__(self, access: Access, resolver: Asks, budget_s: float = BUDGET_S) -> None:
        """Take the rules, which say whose names are wanted."""
        self._access = access
        self._resolver = resolver
        self._budget_s = budget_s

    def are_wanted(self, address: str) -> bool:
        """Tell whether it could matter which names a client has."""
        return self._access.read().wants_names(address)

    async def find(self, address: str, log: Log) -> Sequence[str]:
        """Return the names that lead back to an address; none if that is not known in time."""
        client = parse_client(address.partition("%")[0])
        if client is None:
            return ()
        try:
            async with asyncio.timeout(self._budget_s):
                names, trouble = await self._confirm(client)
        except TimeoutError:
            names, trouble = (), f"no answer in {self._budget_s:g} s"
        if trouble:
            log.warning("the names of a client are not known", client=address, reason=trouble)
        return names

    async def _confirm(self, client: IpAddress) -> tuple[Sequence[str], str]:
        """Return the names that lead back, and why there may be more."""
        answer = await self._resolver.resolve(f"{reverse_address(client)}.{_ZONES[client.version]}", PTR)
        names = answer.records[:MOST_NAMES]
        kind = A if client.version == 4 else AAAA
        found = await asyncio.gather(*(self._resolver.resolve(name, kind) for name in names))
        confirmed = [name for name, there in zip(names, found, strict=True) if _has(there, client)]
        return confirmed, next((_say(one) for one in (answer, *found) if one.is_temporary), "")


def _has(answer: Answer[str], client: IpAddress) -> bool:
    return any(parse_client(text) == client for text in answer.records)


def _say(answer: Answer[str]) -> str:
    return answer.detail or answer.status.value
