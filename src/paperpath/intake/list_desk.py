"""Asks the lists about clients while they greet; what comes of it is wanted at the first recipient (C-24).

A program has one `ListMeans`, and a `ListDesk` for each configuration that names lists; without lists nothing
is asked or waited for. Promise: a client's lookup ends within the configured time, whatever the DNS does.
Each list has an equal share of what is left of it, so one that is silent leaves time for those behind it.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from paperpath.config.client_list import ClientList, Colour
from paperpath.config.tables import DnsTable
from paperpath.dns.answer import Answer
from paperpath.dns.lists import (
    Finding,
    IpAddress,
    Standing,
    clean_reason,
    judge_entry,
    name_entry,
    parse_client,
    reverse_address,
)
from paperpath.dns.next_hops import Asks
from paperpath.dns.records import TXT, A, RecordType
from paperpath.dns.resolver import Resolver
from paperpath.dns.servers import find_servers
from paperpath.intake.client_lists import ListRuling, Look, rule_on
from paperpath.intake.list_tests import ListTests
from paperpath.intake.lookup import Lookup
from paperpath.service.log import Log
from paperpath.service.metrics import ListMetrics

_NO_LIST_HAS_IT = ListRuling()
_Value = TypeVar("_Value")


class Remembers(Asks, Protocol):
    """What is wanted of the resolver."""

    def find_known(self, name: str, kind: RecordType[_Value]) -> Answer[_Value] | None:
        """Return the answer if it is known."""


@dataclass(frozen=True, slots=True)
class ListMeans:
    """What a process asks lists with, whatever its configuration says from one reload to the next."""

    resolver: Remembers
    tests: ListTests
    metrics: ListMetrics


@asynccontextmanager
async def open_list_means(dns: DnsTable, log: Log | None = None) -> AsyncIterator[ListMeans]:
    """Have them for the length of the block. `log` is told how lists do in their tests."""
    resolver = Resolver(find_servers(dns), dns.timeout_s)
    tests = ListTests(resolver, log)
    try:
        yield ListMeans(resolver, tests, ListMetrics())
    finally:
        await tests.close()
        await resolver.close()


def open_desk(lists: Sequence[ClientList], timeout_s: float, means: ListMeans) -> "ListDesk | None":
    """Make a desk for these lists, which are tested from now on, and no others; `None` for no lists."""
    means.tests.watch(client_list.zone for client_list in lists)
    return ListDesk(lists, timeout_s, means) if lists else None


class ListDesk:
    """Asks the lists of one configuration."""

    def __init__(self, lists: Sequence[ClientList], timeout_s: float, means: ListMeans) -> None:
        """Take the lists, in the order in which they are asked."""
        self._lists = lists
        self._timeout_s = timeout_s
        self._means = means

    def look_up(self, address: str, log: Log) -> Lookup | None:
        """Begin to ask about a client; `None` for one without an address, such as a user of this host."""
        client = parse_client(address)
        if client is None:
            return None
        lookup = Lookup(log, self._rule_at_once(client, log))
        if lookup.ruling is None:
            lookup.begin(self.rule(client, log))
        return lookup

    async def rule(self, client: IpAddress, log: Log) -> ListRuling:
        """Ask list after list until one decides; tell the log which did, and which could not be asked."""
        looks, reason = await self.look_in_turn(client)
        return _conclude(client, looks, reason, log)

    async def look_in_turn(self, client: IpAddress) -> tuple[list[Look], str]:
        """Ask list after list until one decides; return what each said, and why the last has the client."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + self._timeout_s
        looks: list[Look] = []
        for client_list in self._lists:
            now_s = loop.time()
            share_s = max(end_s - now_s, 0) / (len(self._lists) - len(looks))
            looks.append(await self._look(client_list, client, now_s + share_s))
            if looks[-1].decides:
                break
        return looks, await self._find_reason(client, looks[-1], end_s) if _is_blacklisted(looks) else ""

    async def look_at_all(self, client: IpAddress) -> list[tuple[Look, str]]:
        """Ask all lists at once, and for the reason of each that has the client, whatever its colour."""
        end_s = asyncio.get_running_loop().time() + self._timeout_s
        looks = await asyncio.gather(*(self._look(entry, client, end_s) for entry in self._lists))
        reasons = await asyncio.gather(*(self._find_reason(client, look, end_s) for look in looks))
        return list(zip(looks, reasons, strict=True))

    def _rule_at_once(self, client: IpAddress, log: Log) -> ListRuling | None:
        """Rule by what is known, for a client that comes often; `None` if something has to be asked."""
        means, begin, looks, reason = self._means, reverse_address(client), list[Look](), ""
        for client_list in self._lists:
            look = self._recall(client_list, f"{begin}.{client_list.zone}", client.version)
            if look is None:
                return None
            looks.append(look)
            if look.decides:
                break
        if _is_blacklisted(looks):
            answer = means.resolver.find_known(f"{begin}.{looks[-1].client_list.zone}", TXT)
            if answer is None:
                return None
            reason = clean_reason(answer.records)
        for look in looks:
            means.metrics.note(look.client_list.text, look.finding.standing.value, 0.0)
        return _conclude(client, looks, reason, log)

    def _recall(self, client_list: ClientList, name: str, version: int) -> Look | None:
        trouble = self._means.tests.find_known_trouble(client_list.zone, version)
        if trouble is None:
            return None
        if trouble:
            return Look(client_list, Finding(Standing.IGNORED, trouble))
        answer = self._means.resolver.find_known(name, A)
        return None if answer is None else Look(client_list, judge_entry(answer, client_list.selection))

    async def _look(self, client_list: ClientList, client: IpAddress, until_s: float) -> Look:
        loop, metrics = asyncio.get_running_loop(), self._means.metrics
        began_s = loop.time()
        try:
            async with asyncio.timeout_at(until_s):
                finding = await self._ask(client_list, client)
        except TimeoutError:
            finding = Finding(Standing.FAILED, f"no answer in {loop.time() - began_s:.1f} s")
        metrics.note(client_list.text, finding.standing.value, loop.time() - began_s)
        return Look(client_list, finding)

    async def _ask(self, client_list: ClientList, client: IpAddress) -> Finding:
        trouble = await self._means.tests.find_trouble(client_list.zone, client.version)
        if trouble:
            return Finding(Standing.IGNORED, trouble)
        answer = await self._means.resolver.resolve(name_entry(client, client_list.zone), A)
        return judge_entry(answer, client_list.selection)

    async def _find_reason(self, client: IpAddress, look: Look, end_s: float) -> str:
        """Return why a list has a client; empty if it does not say so in time, or has not got it."""
        if look.finding.standing is not Standing.LISTED:
            return ""
        try:
            async with asyncio.timeout_at(end_s):
                answer = await self._means.resolver.resolve(name_entry(client, look.client_list.zone), TXT)
        except TimeoutError:
            return ""
        return clean_reason(answer.records)


def _is_blacklisted(looks: Sequence[Look]) -> bool:
    return looks[-1].decides and looks[-1].client_list.colour is Colour.BLACK


def _conclude(client: IpAddress, looks: Sequence[Look], reason: str, log: Log) -> ListRuling:
    """Rule on a client by the looks up to the one that decides, and tell the log."""
    for look in looks:
        if look.finding.standing is Standing.FAILED:
            log.warning("client list failed", list=look.client_list, reason=look.finding.detail)
    last = looks[-1]
    if not last.decides:
        return _NO_LIST_HAS_IT
    what = "blacklisted" if last.client_list.colour is Colour.BLACK else "whitelisted"
    log.info(what, list=last.client_list, found=last.finding, **({"reason": reason} if reason else {}))
    return rule_on(str(client), last, reason)
