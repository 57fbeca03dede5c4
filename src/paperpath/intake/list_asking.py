"""One list asked about one client: what it says, or that it failed; and why it has the client (C-19 to C-23).

Used by the list desk. Whatever the DNS does, asking ends when it must, and nobody waits twice for a list that
was silent about him.
"""

import asyncio
import math
from typing import TypeVar

from paperpath.config.client_list import ClientList
from paperpath.dns.answer import Answer, Status
from paperpath.dns.lists import Finding, IpAddress, Standing, clean_reason, judge_entry, reverse_address
from paperpath.dns.records import TXT, A, RecordType
from paperpath.intake.client_lists import Look
from paperpath.intake.list_means import ListMeans

_Value = TypeVar("_Value")
_SILENT = "no answer a while ago"


class ListQuestion:
    """A client, and the lists that are asked about it."""

    def __init__(self, client: IpAddress, means: ListMeans) -> None:
        """Ask nothing yet."""
        self.client = client
        self.until_s = math.inf
        """Until when what was recalled is true, by the resolver's clock."""
        self._begin = reverse_address(client)
        self._means = means

    def recall(self, client_list: ClientList) -> Look | None:
        """Return what is known, without asking; `None` if that is nothing."""
        trouble = self._means.tests.find_known_trouble(client_list.zone, self.client.version)
        if trouble is None:
            return None
        if trouble:
            return Look(client_list, Finding(Standing.IGNORED, trouble))
        answer = self._recall(client_list, A)
        if answer is None:
            return None
        self.until_s = min(self.until_s, answer.expires_s)
        return Look(client_list, judge_entry(answer, client_list.selection))

    def recall_reason(self, look: Look) -> str | None:
        """Return why a list has the client, if that is known."""
        answer = self._recall(look.client_list, TXT)
        return None if answer is None else clean_reason(answer.records)

    async def look(self, client_list: ClientList, until_s: float) -> Look:
        """Ask a list, if it has not failed its tests."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        trouble = ""
        try:
            async with asyncio.timeout_at(until_s):
                trouble = await self._means.tests.find_trouble(client_list.zone, self.client.version)
        except TimeoutError:
            finding = Finding(Standing.FAILED, "no answer to its first test yet")
        else:
            finding = Finding(Standing.IGNORED, trouble) if trouble else await self._ask(client_list, until_s)
        self._means.metrics.note(client_list.text, finding.standing.value, loop.time() - began_s)
        return Look(client_list, finding)

    async def find_reason(self, look: Look, until_s: float) -> str:
        """Return why a list has the client; empty if it has not, or does not say so in time."""
        if look.finding.standing is not Standing.LISTED:
            return ""
        return clean_reason((await self._resolve(look.client_list, TXT, until_s)).records)

    async def _ask(self, client_list: ClientList, until_s: float) -> Finding:
        return judge_entry(await self._resolve(client_list, A, until_s), client_list.selection)

    async def _resolve(
        self, client_list: ClientList, kind: RecordType[_Value], until_s: float
    ) -> Answer[_Value]:
        """Ask, as long as there is time; what was silent lately is not asked."""
        known = self._recall(client_list, kind)
        if known is not None:
            return known
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        try:
            async with asyncio.timeout_at(until_s):
                answer = await self._means.resolver.resolve(self._name(client_list), kind)
        except TimeoutError:
            answer = Answer(Status.TIMED_OUT, detail=f"no answer in {loop.time() - began_s:.1f} s")
        self._means.paces.note(client_list.zone, loop.time() - began_s)
        if answer.status is Status.TIMED_OUT:
            self._means.silences.note((self._name(client_list), kind.name), loop.time())
        return answer

    def _recall(self, client_list: ClientList, kind: RecordType[_Value]) -> Answer[_Value] | None:
        name = self._name(client_list)
        answer = self._means.resolver.find_known(name, kind)
        if answer is not None and answer.status is not Status.TIMED_OUT:
            return answer
        if self._means.silences.has((name, kind.name), asyncio.get_running_loop().time()):
            return Answer(Status.TIMED_OUT, detail=_SILENT)
        return answer

    def _name(self, client_list: ClientList) -> str:
        return f"{self._begin}.{client_list.zone}"
