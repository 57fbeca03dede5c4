"""Whether lists of clients are lists at all: tested at the start, and every now and then (RFC 5782 §5, C-22).

Used by the list desk, one for each process. A list whose domain was sold, or that lists everything to be rid
of those who ask, is not asked about anybody until it passes again. One that does not answer just now is taken
for what it was before, and at first for good: what its silence means for a client is not decided here.
"""

import asyncio
from collections.abc import Collection, Iterable

from paperpath.dns.lists import POINTS, judge_test, name_entry
from paperpath.dns.next_hops import Asks
from paperpath.dns.records import A
from paperpath.service.log import Log
from paperpath.service.metrics import Family, Sample

TEST_EVERY_S = 1800.0
TEST_AGAIN_S = 60.0
"""Seconds after which one that failed or did not answer is tested anew; its records may be cached longer."""

_GOOD = "good"
_UNKNOWN = "no answer"


class _State:
    """What is known of one list: what is wrong with it, by the version of IP; nothing before it is tested."""

    def __init__(self) -> None:
        self.is_tested = asyncio.Event()
        self.troubles = dict.fromkeys(POINTS, "")
        self.told: dict[str, str] = {}


class ListTests:
    """Tests lists by their zones, each in a task of its own."""

    def __init__(
        self,
        resolver: Asks,
        log: Log | None,
        every_s: float = TEST_EVERY_S,
        again_s: float = TEST_AGAIN_S,
    ) -> None:
        """Test nothing yet."""
        self._resolver = resolver
        self._log = log
        self._every_s = every_s
        self._again_s = again_s
        self.epoch = 0
        """Another one whenever a list passes a test that it failed before, or the other way round."""
        self._states: dict[str, _State] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def watch(self, zones: Iterable[str]) -> None:
        """Test these lists from now on, and no others; what is known of one that stays is kept."""
        wanted = set(zones)
        for zone in self._tasks.keys() - wanted:
            self._tasks.pop(zone).cancel()
        for zone in wanted - self._tasks.keys():
            self._states[zone] = _State()
            self._tasks[zone] = asyncio.get_running_loop().create_task(self._test_for_ever(zone))

    def find_known_trouble(self, zone: str, version: int) -> str | None:
        """Return what `find_trouble` would; `None` if that would have to wait."""
        state = self._states[zone]
        return state.troubles[version] if state.is_tested.is_set() else None

    async def find_trouble(self, zone: str, version: int) -> str:
        """Return why a list is not asked about clients of a family; empty if it is. Waits for one test."""
        state = self._states[zone]
        await state.is_tested.wait()
        return state.troubles[version]

    def families(self) -> list[Family]:
        """Return the families of samples of this moment: how lists do; none before one was tested."""
        samples = [
            Sample("", {"list": zone, "family": f"ipv{version}"}, float(not trouble))
            for zone, state in self._states.items()
            if state.told and zone in self._tasks
            for version, trouble in state.troubles.items()
        ]
        text = "Whether a list passed its last test, and is asked about clients."
        return [Family("paperpath_client_list_good", "gauge", text, samples)] if samples else []

    async def close(self) -> None:
        """Test nothing more."""
        tasks = list(self._tasks.values())
        self.watch(())
        if tasks:
            await asyncio.wait(tasks)

    async def _test_for_ever(self, zone: str) -> None:
        state = self._states[zone]
        while True:
            try:
                await self._test(zone, state)
            finally:
                state.is_tested.set()  # also where the list is configured no more: whoever waits goes on
            await asyncio.sleep(self._every_s if _is_settled(state.told.values()) else self._again_s)

    async def _test(self, zone: str, state: _State) -> None:
        found = await asyncio.gather(*(self._test_family(zone, version) for version in POINTS))
        told = {}
        for version, trouble in zip(POINTS, found, strict=True):
            if trouble is not None and trouble != state.troubles[version]:
                state.troubles[version] = trouble
                self.epoch += 1
            told[f"ipv{version}"] = _UNKNOWN if trouble is None else trouble or _GOOD
        if told != state.told:
            state.told = told
            self._tell(zone, told)

    def _tell(self, zone: str, told: dict[str, str]) -> None:
        if self._log is not None:
            tell = self._log.info if _GOOD in told.values() else self._log.warning
            tell("client list tested", list=zone, **told)

    async def _test_family(self, zone: str, version: int) -> str | None:
        points = POINTS[version]
        listed, unlisted = await asyncio.gather(
            *(
                self._resolver.resolve(name_entry(point, zone), A)
                for point in (points.listed, points.unlisted)
            )
        )
        return judge_test(listed, unlisted)


def _is_settled(told: Collection[str]) -> bool:
    """Tell whether a list is good for a family, which many are for one only, and nothing is unknown."""
    return _GOOD in told and _UNKNOWN not in told
