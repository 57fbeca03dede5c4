"""The names of a client's host, as far as they can be believed: those that lead back to its address (L-16).

Asked for while a session begins, where a rule for hosts could decide about the client. Whoever has an address
may give it any name (PTR); whose name it is says whether that is so (A, AAAA). Promise: it takes `BUDGET_S`
at most, whatever the DNS does, and what is not known then is no name.
"""

import asyncio
from collections.abc import Sequence

from paperpath.dns.answer import Answer
from paperpath.dns.lists import IpAddress, parse_client, reverse_address
from paperpath.dns.records import AAAA, PTR, A, RecordType
from paperpath.intake.access_file import Access
from paperpath.intake.list_means import Remembers
from paperpath.service.log import Log

BUDGET_S = 5.0
MOST_NAMES = 10  # of an address, that are looked at

_ZONES = {4: "in-addr.arpa", 6: "ip6.arpa"}


class ClientNames:
    """Finds names for the rules of one way in."""

    def __init__(self, access: Access, resolver: Remembers, budget_s: float = BUDGET_S) -> None:
        """Take the rules, which say whose names are wanted."""
        self._access = access
        self._resolver = resolver
        self._budget_s = budget_s

    def are_wanted(self, address: str) -> bool:
        """Tell whether it could matter which names a client has."""
        return self._access.read().wants_names(address)

    def recall(self, address: str) -> Sequence[str] | None:
        """Return what `find` would, if that is known without asking; `None` if it is not."""
        client = parse_client(address.partition("%")[0])
        if client is None:
            return ()
        answer = self._resolver.find_known(_name_client(client), PTR)
        if answer is None:
            return None
        names, found = _list_names(answer), list[Answer[str]]()
        for name in names:
            known = self._resolver.find_known(name, _kind(client))
            if known is None:
                return None
            found.append(known)
        return _confirm(client, names, found)

    async def find(self, address: str, log: Log) -> Sequence[str]:
        """Return the names that lead back to an address; none if that is not known in time."""
        client = parse_client(address.partition("%")[0])
        if client is None:
            return ()
        try:
            async with asyncio.timeout(self._budget_s):
                names, trouble = await self._ask(client)
        except TimeoutError:
            names, trouble = (), f"no answer in {self._budget_s:g} s"
        if trouble:
            log.warning("the names of a client are not known", client=address, reason=trouble)
        return names

    async def _ask(self, client: IpAddress) -> tuple[Sequence[str], str]:
        """Return the names that lead back, and why there may be more."""
        answer = await self._resolver.resolve(_name_client(client), PTR)
        names = _list_names(answer)
        found = await asyncio.gather(*(self._resolver.resolve(name, _kind(client)) for name in names))
        trouble = next((_say(one) for one in (answer, *found) if one.is_temporary), "")
        return _confirm(client, names, found), trouble


def _name_client(client: IpAddress) -> str:
    return f"{reverse_address(client)}.{_ZONES[client.version]}"


def _list_names(answer: Answer[str]) -> Sequence[str]:
    """Return the names to look at; none with an octet that is escaped, as a dot in a label is."""
    return [name for name in answer.records[:MOST_NAMES] if "\\" not in name]


def _kind(client: IpAddress) -> RecordType[str]:
    return A if client.version == 4 else AAAA


def _confirm(client: IpAddress, names: Sequence[str], found: Sequence[Answer[str]]) -> Sequence[str]:
    return [name for name, there in zip(names, found, strict=True) if _has(there, client)]


def _has(answer: Answer[str], client: IpAddress) -> bool:
    return any(parse_client(text) == client for text in answer.records)


def _say(answer: Answer[str]) -> str:
    return answer.detail or answer.status.value
