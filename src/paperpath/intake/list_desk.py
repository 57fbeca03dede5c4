"""Asks the lists about clients while they greet; what comes of it is wanted at the first recipient (C-24).

A program has one `ListMeans`, and a `ListDesk` for each configuration that names lists; without lists nothing
is asked or waited for. Promise: a client's lookup ends within the configured time, whatever the DNS does.
Each list has an equal share of what is left of it, so one that is silent leaves time for those behind it.

The lists are asked in their order, each with a head start: the next one is asked when the one before it has
not decided, or has not answered by then. So a list that answers keeps later ones from being asked (C-18). One
that took longer lately has no head start, so all together take as long as the slowest (docs/decisions/0017).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from paperpath.config.client_list import ClientList, Colour
from paperpath.dns.lists import IpAddress, Standing, parse_client
from paperpath.intake.client_lists import ListRuling, Look, rule_on
from paperpath.intake.list_asking import ListQuestion
from paperpath.intake.list_means import ListMeans
from paperpath.intake.list_strangers import Strangers
from paperpath.intake.lookup import Lookup
from paperpath.service.log import Log

_NO_LIST_HAS_IT = ListRuling()
_SAYS_NO = (Standing.UNLISTED, Standing.IGNORED)


@dataclass(frozen=True, slots=True)
class Patience:
    """For how many seconds all lists together are waited for, and each before the next is asked beside it."""

    whole_s: float
    head_start_s: float


def open_desk(lists: Sequence[ClientList], patience: Patience, means: ListMeans) -> "ListDesk | None":
    """Make a desk for these lists, which are tested from now on, and no others; `None` for no lists."""
    means.tests.watch(client_list.zone for client_list in lists)
    return ListDesk(lists, patience, means) if lists else None


class ListDesk:
    """Asks the lists of one configuration."""

    def __init__(self, lists: Sequence[ClientList], patience: Patience, means: ListMeans) -> None:
        """Take the lists, in the order in which they are asked."""
        self._lists = lists
        self._patience = patience
        self._means = means
        self._strangers = Strangers()

    def look_up(self, address: str, log: Log) -> Lookup | None:
        """Begin to ask about a client; `None` for one without an address, such as a user of this host."""
        means = self._means
        looks = self._strangers.find(address, means.resolver.now_s(), means.tests.epoch)
        if looks is not None:
            self._count(looks)
            return Lookup(log, _NO_LIST_HAS_IT)
        client = parse_client(address)
        if client is None:
            return None
        lookup = Lookup(log, self._rule_at_once(client, address, log))
        if lookup.ruling is None:
            lookup.begin(self.rule(client, log))
        return lookup

    async def rule(self, client: IpAddress, log: Log) -> ListRuling:
        """Ask list after list until one decides; tell the log which did, and which could not be asked."""
        looks, reason = await self.look_in_turn(client)
        return _conclude(client, looks, reason, log)

    async def look_in_turn(self, client: IpAddress) -> tuple[list[Look], str]:
        """Ask list after list until one decides; return what each said, and why the last has the client."""
        end_s = asyncio.get_running_loop().time() + self._patience.whole_s
        return await self._look_from(0, ListQuestion(client, self._means), end_s)

    async def look_at_all(self, client: IpAddress) -> list[tuple[Look, str]]:
        """Ask all lists at once, and for the reason of each that has the client, whatever its colour."""
        question = ListQuestion(client, self._means)
        end_s = asyncio.get_running_loop().time() + self._patience.whole_s
        looks = await asyncio.gather(*(question.look(entry, end_s) for entry in self._lists))
        reasons = await asyncio.gather(*(question.find_reason(look, end_s) for look in looks))
        return list(zip(looks, reasons, strict=True))

    async def _look_from(self, first: int, question: ListQuestion, end_s: float) -> tuple[list[Look], str]:
        """Look at this list and those behind it, up to the one that decides; return its reason, too."""
        now_s = asyncio.get_running_loop().time()
        share_s = max(end_s - now_s, 0) / (len(self._lists) - first)
        head_start_s = self._means.paces.allow(self._lists[first].zone, self._patience.head_start_s)
        looking = asyncio.ensure_future(question.look(self._lists[first], now_s + share_s))
        further: asyncio.Future[tuple[list[Look], str]] | None = None
        try:
            await asyncio.wait({looking}, timeout=head_start_s)
            is_last = first + 1 == len(self._lists)
            if not is_last and not (looking.done() and looking.result().decides):
                further = asyncio.ensure_future(self._look_from(first + 1, question, end_s))
            look = await looking
            if look.decides or further is None:
                return [look], await question.find_reason(look, end_s) if _is_black(look) else ""
            looks, reason = await further
            return [look, *looks], reason
        finally:
            looking.cancel()
            if further is not None:
                further.cancel()

    def _rule_at_once(self, client: IpAddress, address: str, log: Log) -> ListRuling | None:
        """Rule by what is known, for a client that comes often; `None` if something has to be asked."""
        question, looks, reason = ListQuestion(client, self._means), list[Look](), ""
        for client_list in self._lists:
            look = question.recall(client_list)
            if look is None:
                return None
            looks.append(look)
            if look.decides:
                break
        if looks[-1].decides and _is_black(looks[-1]):
            known = question.recall_reason(looks[-1])
            if known is None:
                return None
            reason = known
        self._count(looks)
        if all(look.finding.standing in _SAYS_NO for look in looks):
            self._strangers.note(address, looks, question.until_s, self._means.tests.epoch)
        return _conclude(client, looks, reason, log)

    def _count(self, looks: Sequence[Look]) -> None:
        """Count what lists said without being asked."""
        for look in looks:
            self._means.metrics.note(look.client_list.text, look.finding.standing.value, 0.0)


def _is_black(look: Look) -> bool:
    return look.client_list.colour is Colour.BLACK


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
