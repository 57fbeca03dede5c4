"""Asks the lists about clients while they greet; what comes of it is wanted at the first recipient (C-24).

A program has one `ListMeans`, and a `ListDesk` for each configuration that names lists; without lists nothing
is asked or waited for. Promise: a client's lookup ends within the configured time, whatever the DNS does.
Each list has an equal share of what is left of it, so one that is silent leaves time for those behind it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from paperpath.config.client_list import ClientList, Colour
from paperpath.config.tables import DnsTable
from paperpath.dns.lists import (
    Finding,
    IpAddress,
    Standing,
    clean_reason,
    judge_entry,
    name_entry,
    parse_client,
)
from paperpath.dns.next_hops import Asks
from paperpath.dns.records import TXT, A
from paperpath.dns.resolver import Resolver
from paperpath.dns.servers import find_servers
from paperpath.intake.client_lists import ListRuling, Look, rule_on
from paperpath.intake.list_tests import ListTests
from paperpath.service.log import Log
from paperpath.service.metrics import ListMetrics


@dataclass(frozen=True, slots=True)
class ListMeans:
    """What a process asks lists with, whatever its configuration says from one reload to the next."""

    resolver: Asks
    tests: ListTests
    metrics: ListMetrics


@asynccontextmanager
async def open_list_means(dns: DnsTable, log: Log) -> AsyncIterator[ListMeans]:
    """Have them for the length of the block; nothing is asked before somebody wants to know."""
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


class Lookup:
    """What the lists say of one client: not known at first, then a ruling."""

    def __init__(self, looking: Coroutine[None, None, ListRuling], log: Log) -> None:
        """Begin to look."""
        self.ruling: ListRuling | None = None
        self._log = log
        self._done: Callable[[], None] | None = None
        self._looking = asyncio.get_running_loop().create_task(looking)
        self._looking.add_done_callback(self._finish)

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits for the ruling."""
        return self._done is not None

    def wait(self, done: Callable[[], None]) -> None:
        """Call `done` as soon as there is a ruling, unless that is given up before."""
        self._done = done

    def give_up(self) -> None:
        """Call nobody; ask no further list."""
        self._done = None
        self._looking.cancel()

    def _finish(self, looking: "asyncio.Task[ListRuling]") -> None:
        if looking.cancelled():
            return
        if (error := looking.exception()) is not None:
            self._log.error("defect", what="the client lists were not asked", error=repr(error))
        self.ruling = ListRuling() if error is not None else looking.result()
        done, self._done = self._done, None
        if done is not None:
            done()


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
        return None if client is None else Lookup(self.rule(client, log), log)

    async def rule(self, client: IpAddress, log: Log) -> ListRuling:
        """Ask list after list until one decides; tell the log which did, and which could not be asked."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + self._timeout_s
        left = len(self._lists)
        for client_list in self._lists:
            now_s = loop.time()
            look = await self._look(client_list, client, now_s + max(end_s - now_s, 0) / left)
            left -= 1
            if look.finding.standing is Standing.FAILED:
                log.warning("client list failed", list=client_list, reason=look.finding.detail)
            if look.decides:
                return await self._conclude(client, look, end_s, log)
        return ListRuling()

    async def look_at_all(self, client: IpAddress) -> list[tuple[Look, str]]:
        """Ask all lists at once, and for the reason of each that has the client, whatever its colour."""
        end_s = asyncio.get_running_loop().time() + self._timeout_s
        looks = await asyncio.gather(*(self._look(entry, client, end_s) for entry in self._lists))
        reasons = await asyncio.gather(*(self._find_reason(client, look, end_s) for look in looks))
        return list(zip(looks, reasons, strict=True))

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

    async def _conclude(self, client: IpAddress, look: Look, end_s: float, log: Log) -> ListRuling:
        is_black = look.client_list.colour is Colour.BLACK
        reason = await self._find_reason(client, look, end_s) if is_black else ""
        what = "blacklisted" if is_black else "whitelisted"
        log.info(what, list=look.client_list, found=look.finding, **({"reason": reason} if reason else {}))
        return rule_on(str(client), look, reason)

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
