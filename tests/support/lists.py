"""Lists of clients in one event loop: a DNS of a test's own, a desk over it, time that passes at once."""

import asyncio
from collections import Counter
from selectors import DefaultSelector, SelectorKey
from typing import Any

from paperpath.config.client_list import parse_client_list
from paperpath.dns.answer import Answer, Status
from paperpath.dns.lists import POINTS, name_entry, parse_client
from paperpath.dns.records import RecordType
from paperpath.intake.client_lists import ListRuling
from paperpath.intake.list_desk import ListDesk, Patience, open_desk
from paperpath.intake.list_means import ListMeans
from paperpath.intake.list_tests import ListTests
from paperpath.service.log import open_log
from paperpath.service.metrics import ListMetrics
from tests.support.lane import until

CLIENT = "192.0.2.99"
MISSING: Answer[Any] = Answer(Status.NXDOMAIN)


def entry(zone: str, client: str = CLIENT) -> str:
    address = parse_client(client)
    assert address is not None
    return name_entry(address, zone)


class Dns:
    """Answers at once from what a test has put there; what is `silent` waits."""

    def __init__(self, *zones: str) -> None:
        self.answers: dict[tuple[str, str], Answer[Any]] = {}
        self.silent: set[str] = set()
        self.silent_kinds: set[str] = set()
        self.delays_s: dict[str, float] = {}
        """How long the servers of zones take."""
        self._speaking = asyncio.Event()
        self.asked: Counter[tuple[str, str]] = Counter()
        self.known: set[tuple[str, str]] = set()
        for zone in zones:
            for points in POINTS.values():
                self.put(name_entry(points.listed, zone), "127.0.0.2")

    def put(self, name: str, *values: str) -> None:
        self.answers[name, "A"] = Answer(Status.FOUND, values)

    def list(self, zone: str, client: str = CLIENT, reason: bytes | None = None) -> None:
        name = entry(zone, client)
        self.put(name, "127.0.0.2")
        if reason is not None:
            self.answers[name, "TXT"] = Answer(Status.FOUND, (reason,))

    def wild(self, zone: str) -> None:
        for points in POINTS.values():
            self.put(name_entry(points.unlisted, zone), "127.0.0.2")
        self.list(zone)

    def clients_asked(self, zone: str) -> int:
        return self.asked[entry(zone), "A"]

    def find_known(self, name: str, kind: RecordType[Any]) -> Answer[Any] | None:
        return self.answers.get((name, kind.name), MISSING) if (name, kind.name) in self.known else None

    def now_s(self) -> float:
        return asyncio.get_running_loop().time()

    def speak(self) -> None:
        """Answer what was left unanswered, and all that is asked from now on."""
        self.silent = set()
        self._speaking.set()

    async def tested_again(self, zone: str) -> None:
        """Wait for a whole test that begins from now on."""
        question = name_entry(POINTS[4].listed, zone), "A"
        before = self.asked[question]
        await until(lambda: self.asked[question] > before)
        await settle()

    async def resolve(self, name: str, kind: RecordType[Any]) -> Answer[Any]:
        self.asked[name, kind.name] += 1
        await asyncio.sleep(next((s for zone, s in self.delays_s.items() if name.endswith(zone)), 0))
        if kind.name in self.silent_kinds or any(name.endswith(zone) for zone in self.silent):
            await self._speaking.wait()
        self.known.add((name, kind.name))
        return self.answers.get((name, kind.name), MISSING)


class Site:
    """A desk, and all that it is made of."""

    def __init__(
        self, dns: Dns, *lists: str, timeout_s: float = 10, head_start_s: float = 3600, again_s: float = 60
    ) -> None:
        self.dns = dns
        self.log = open_log("test")
        self.metrics = ListMetrics()
        self.tests = ListTests(dns, self.log, again_s=again_s)
        self.means = ListMeans(dns, self.tests, self.metrics)
        patience = Patience(timeout_s, head_start_s)
        desk = open_desk([parse_client_list(text) for text in lists], patience, self.means)
        assert desk is not None
        self.desk: ListDesk = desk

    async def rule(self, client: str = CLIENT) -> ListRuling:
        address = parse_client(client)
        assert address is not None
        return await self.desk.rule(address, self.log)


class Skipping(asyncio.SelectorEventLoop):
    """A loop in which time passes at once."""

    def __init__(self) -> None:
        self._skipped_s = 0.0
        super().__init__(_SkippingSelector(self))

    def time(self) -> float:
        return self._skipped_s

    def skip(self, seconds: float) -> None:
        self._skipped_s += seconds


class _SkippingSelector(DefaultSelector):
    def __init__(self, loop: Skipping) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        self._loop.skip(timeout or 0)
        return super().select(0)


async def settle() -> None:
    """Let all tasks do what they can."""
    for _ in range(20):
        await asyncio.sleep(0)
