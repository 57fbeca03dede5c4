"""What a process asks lists of clients with: one for all configurations, from one reload to the next.

Opened by the ways in, and by the command that asks lists for an operator.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from paperpath.config.tables import DnsTable
from paperpath.dns.answer import Answer
from paperpath.dns.next_hops import Asks
from paperpath.dns.records import RecordType
from paperpath.dns.resolver import Resolver
from paperpath.dns.servers import find_servers
from paperpath.intake.list_paces import Paces
from paperpath.intake.list_silences import Silences
from paperpath.intake.list_tests import ListTests
from paperpath.service.log import Log
from paperpath.service.metrics import Family, ListMetrics

_Value = TypeVar("_Value")


class Remembers(Asks, Protocol):
    """A resolver with a memory."""

    def find_known(self, name: str, kind: RecordType[_Value]) -> Answer[_Value] | None:
        """Return the answer if it is known."""


class RemembersForATime(Remembers, Protocol):
    """A resolver with a memory, and the clock that it forgets by."""

    def now_s(self) -> float:
        """Return the time by the clock of `Answer.expires_s`."""


@dataclass(frozen=True, slots=True)
class ListMeans:
    """The resolver, and what is known of lists: how they do in their tests, what they say, who is slow."""

    resolver: RemembersForATime
    tests: ListTests
    metrics: ListMetrics
    silences: Silences = field(default_factory=Silences)
    paces: Paces = field(default_factory=Paces)

    def families(self) -> list[Family]:
        """Return the families of samples of this moment."""
        return self.metrics.families() + self.tests.families()


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
