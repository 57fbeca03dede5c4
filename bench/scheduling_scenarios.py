"""What the scheduler is tried on: each scenario is made to break something."""

from collections.abc import Callable, Iterable

from bench.scheduling_daemon import Scenario
from bench.scheduling_sites import Site
from paperpath.remote.windows import Limits, LimitTable

_NEVER_S = 1e9


def _many(name: str, count: int, make: Callable[[str], Site]) -> Iterable[Site]:
    return (make(f"{name}.{number}") for number in range(count))


def _backlog() -> Scenario:
    return Scenario(
        "10,000 messages for one destination, single ones for 20 others",
        [
            Site("big", backlog=10_000),
            *_many("small", 20, lambda name: Site(name, per_s=0.2, from_s=5, until_s=55)),
        ],
    )


def _stalled() -> Scenario:
    return Scenario(
        "20 destinations that never say a word, and a 21st",
        [
            *_many("stalled", 20, lambda name: Site(name, backlog=100, stalled_until_s=600)),
            Site("fast", per_s=1, from_s=1, until_s=600),
        ],
        most_s=1200,
    )


def _half_dead() -> Scenario:
    return Scenario(
        "1,000 destinations with 100 messages each, half of them dead",
        [
            *_many("dead", 500, lambda name: Site(name, backlog=100, dead_until_s=_NEVER_S)),
            *_many("alive", 500, lambda name: Site(name, backlog=100)),
        ],
        most_s=120,
    )


def _all_alive() -> Scenario:
    return Scenario(
        "the same without the dead ones",
        list(_many("alive", 500, lambda name: Site(name, backlog=100))),
        most_s=120,
    )


def _outage() -> Scenario:
    return Scenario(
        "1,000 destinations stall all at once, where 5 are known, and 20 more come; 300 at once in all",
        [
            *_many("stalled", 1000, lambda name: Site(name, backlog=2, from_s=60, stalled_until_s=_NEVER_S)),
            *_many("known", 5, lambda name: Site(name, per_s=1, until_s=600)),
            *_many("new", 20, lambda name: Site(name, per_s=0.05, from_s=120, until_s=600)),
        ],
        most_transactions=300,
        most_s=3600,
    )


def _slow_crowd() -> Scenario:
    return Scenario(
        "100 slow destinations that could take everything, and newcomers",
        [
            *_many("slow", 100, lambda name: Site(name, backlog=200, latency_s=60)),
            *_many("new", 20, lambda name: Site(name, per_s=0.01, from_s=120, until_s=600)),
        ],
        most_s=3600,
    )


def _alternating() -> Scenario:
    return Scenario(
        "one that breaks off every other transaction",
        [Site("alternating", backlog=1000, alternates=True)],
    )


def _noisy() -> Scenario:
    rates = (0.05, 0.1, 0.2, 0.3, 0.5)
    return Scenario(
        "destinations that break off some of their transactions, at random",
        [Site(f"noisy-{rate:.0%}", backlog=1000, failure_rate=rate) for rate in rates],
    )


def _limiters() -> Scenario:
    return Scenario(
        "destinations that break off what is more than they take at once",
        [Site(f"takes-{takes}", backlog=2000, takes=takes) for takes in (1, 2, 5, 10)],
    )


def _refusing() -> Scenario:
    return Scenario(
        "one that talks, and breaks off every transaction, for six hours",
        [Site("refusing", backlog=1000, failure_rate=1.0)],
        most_s=21_600,
    )


def _full() -> Scenario:
    return Scenario(
        "destinations that refuse connections beyond some",
        [Site(f"greets-{greets}", backlog=2000, greets=greets) for greets in (1, 2, 5, 10)],
    )


def _edge() -> Scenario:
    return Scenario(
        "transactions that take about as long as the policy calls slow",
        [Site(f"{ms}-ms", backlog=2000, latency_s=ms / 1000) for ms in (500, 900, 1000, 1100, 2000)],
    )


def _crowd() -> Scenario:
    return Scenario(
        "2,000 destinations at once",
        list(_many("one", 2000, lambda name: Site(name, backlog=10, latency_s=0.5))),
    )


def _paced() -> Scenario:
    return Scenario(
        "60 a minute for one, and as many as it takes for another",
        [Site("paced", backlog=300), Site("other", backlog=300)],
        LimitTable(Limits(20), {"paced": Limits(20, 60)}),
    )


def _recovery() -> Scenario:
    return Scenario(
        "a destination that comes back after two hours, with a backlog",
        [Site("back", backlog=5000, dead_until_s=7200), Site("other", per_s=0.1, until_s=15_000)],
        most_s=40_000,
    )


SCENARIOS: dict[str, Callable[[], Scenario]] = {
    "backlog": _backlog,
    "stalled": _stalled,
    "half-dead": _half_dead,
    "all-alive": _all_alive,
    "outage": _outage,
    "slow-crowd": _slow_crowd,
    "crowd": _crowd,
    "alternating": _alternating,
    "noisy": _noisy,
    "limiters": _limiters,
    "refusing": _refusing,
    "full": _full,
    "edge": _edge,
    "paced": _paced,
    "recovery": _recovery,
}
