"""Which policy is in force, whatever the DNS and the policy's host do (G-39)."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from paperpath.config.endpoint import parse_endpoint
from paperpath.dns.resolver import Resolver
from paperpath.remote.mta_sts.fetching import FetchError
from paperpath.remote.mta_sts.policies import REFRESH_S, RETRY_S, Policies
from paperpath.remote.mta_sts.policy import MOST_AGE_S, Mode, StsPolicy
from paperpath.remote.mta_sts.store import PolicyStore
from paperpath.service.log import open_log
from paperpath.testing.nameserver import Nameserver
from tests.support.lane import play, until

NAME = "_mta-sts.x.example"
RECORD = f'{NAME} TXT "v=STSv1; id=1;"'
FIRST = StsPolicy(Mode.ENFORCE, MOST_AGE_S, ("mx.x.example",))
SECOND = StsPolicy(Mode.ENFORCE, MOST_AGE_S, ("other.x.example",))
_S = 10**6


class Host:
    """Instead of a fetcher: has a policy or a failure, and waits until it may give it."""

    def __init__(self) -> None:
        self.has: StsPolicy | str = FIRST
        self.asked: list[str] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def fetch(self, domain: str) -> StsPolicy:
        self.asked.append(domain)
        await self.may_answer.wait()
        if isinstance(self.has, str):
            raise FetchError(self.has)
        return self.has


class Bench:
    """Policies over a real resolver that keeps nothing, a clock that is moved by hand, and a host."""

    def __init__(self, folder: Path, nameserver: Nameserver) -> None:
        self.folder = folder
        self.nameserver = nameserver
        self.host = Host()
        self.now_us = 1_700_000_000 * _S
        self.dns_s = 0.0
        self.open()

    def open(self) -> None:
        endpoint = parse_endpoint(self.nameserver.endpoint)
        self.resolver = Resolver(lambda: (endpoint,), 0.3, clock=lambda: self.dns_s)
        store = PolicyStore(self.folder / "mta-sts", open_log("smtprc"))
        self.policies = Policies(self.resolver, self.host, store, open_log("smtprc"), lambda: self.now_us)

    async def close(self) -> None:
        await self.policies.close()
        await self.resolver.close()

    async def restart(self) -> None:
        await self.close()
        self.open()

    async def find(self, domain: str = "x.example") -> StsPolicy | None:
        self.dns_s += 10_000  # what the resolver knew is forgotten
        return await self.policies.find(domain)

    def wait(self, seconds: float) -> None:
        self.now_us += round(seconds * _S)

    async def settle(self) -> None:
        await until(lambda: not self.policies._flights)

    @property
    def fetched(self) -> int:
        return len(self.host.asked)


@pytest.fixture
def with_bench(tmp_path):
    def run_with(script: str, use: Callable[[Bench], Awaitable[None]]) -> None:
        with Nameserver(script) as nameserver:

            async def run() -> None:
                bench = Bench(tmp_path, nameserver)
                await use(bench)
                await bench.close()

            play(run)

    return run_with


def test_G39_a_policy_is_fetched_once_and_holds_after_a_restart(with_bench):
    async def use(bench: Bench) -> None:
        assert await bench.find() == FIRST
        assert await bench.find("X.Example.") == FIRST
        await bench.restart()
        assert await bench.find() == FIRST
        assert bench.host.asked == ["x.example"]

    with_bench(RECORD, use)


@pytest.mark.parametrize(
    "script",
    [
        "x.example A 192.0.2.1",
        f"{NAME} !nodata",
        f'{NAME} TXT "v=spf1 -all"',
        f'{RECORD}\n{NAME} TXT "v=STSv1; id=2;"',
        f'{NAME} TXT "v=STSv1; id=+;"',
        f"{NAME} !servfail",
        f"{NAME} !timeout",
    ],
)
def test_G39_without_a_record_nobody_is_asked_for_a_policy(with_bench, script):
    async def use(bench: Bench) -> None:
        assert await bench.find() is None
        assert bench.fetched == 0

    with_bench(script, use)


def test_G39_neither_subdomains_nor_literals_have_the_policy_of_a_domain(with_bench):
    async def use(bench: Bench) -> None:
        assert await bench.find("sub.x.example") is None
        assert await bench.find("example") is None
        assert bench.nameserver.count(NAME, "TXT") == 0
        assert await bench.find("[127.0.0.1]") is None
        assert len(bench.nameserver.queries) == 2
        assert bench.fetched == 0

    with_bench(RECORD, use)


def test_G39_a_domain_with_U_labels_is_asked_for_by_its_A_labels(with_bench):
    async def use(bench: Bench) -> None:
        assert await bench.find("b\u00fccher.example") == FIRST
        assert bench.host.asked == ["xn--bcher-kva.example"]

    with_bench('_mta-sts.xn--bcher-kva.example TXT "v=STSv1; " "id=1"', use)


def test_G39_an_alias_of_the_record_is_followed(with_bench):
    async def use(bench: Bench) -> None:
        assert await bench.find("y.example") == FIRST
        assert bench.host.asked == ["y.example"]

    with_bench(f"{RECORD}\n_mta-sts.y.example CNAME {NAME}.", use)


@pytest.mark.parametrize("behaviour", ["!servfail", "!timeout", "!nxdomain", "!nodata", 'TXT "v=STSv1; id="'])
def test_M18_G39_a_policy_stays_in_force_whatever_the_dns_says(with_bench, behaviour):
    async def use(bench: Bench) -> None:
        assert await bench.find() == FIRST
        bench.nameserver.play(f"{NAME} {behaviour}")
        bench.wait(REFRESH_S - 1)
        assert await bench.find() == FIRST
        await bench.restart()
        assert await bench.find() == FIRST
        assert bench.fetched == 1

    with_bench(RECORD, use)


def test_G39_another_id_has_the_policy_fetched_anew(with_bench):
    async def use(bench: Bench) -> None:
        assert await bench.find() == FIRST
        bench.nameserver.play(RECORD.replace("=1", "=2"))
        bench.host.has = SECOND
        assert await bench.find() == SECOND
        assert await bench.find() == SECOND
        assert bench.fetched == 2

    with_bench(RECORD, use)


def test_G39_the_policy_stays_where_another_one_cannot_be_fetched(with_bench, capfd):
    async def use(bench: Bench) -> None:
        assert await bench.find() == FIRST
        bench.nameserver.play(RECORD.replace("=1", "=2"))
        bench.host.has = "broken"
        assert await bench.find() == FIRST
        assert await bench.find() == FIRST
        assert bench.fetched == 2
        bench.wait(MOST_AGE_S)
        assert await bench.find() is None

    with_bench(RECORD, use)
    told = "warning an MTA-STS policy cannot be fetched domain=x.example id=2 in_force=True reason=broken"
    assert told in capfd.readouterr().err


def test_G39_what_failed_is_tried_again_after_five_minutes_or_with_another_id(with_bench, capfd):
    async def use(bench: Bench) -> None:
        bench.host.has = "broken"
        assert await bench.find() is None
        bench.wait(RETRY_S - 1)
        assert await bench.find() is None
        assert bench.fetched == 1
        bench.wait(1)
        assert await bench.find() is None
        assert bench.fetched == 2
        bench.nameserver.play(RECORD.replace("=1", "=2"))
        assert await bench.find() is None
        assert bench.fetched == 3
        bench.wait(RETRY_S)
        bench.host.has = FIRST
        assert await bench.find() == FIRST

    with_bench(RECORD, use)
    assert "reason=broken" in capfd.readouterr().err


def test_G39_who_wants_the_same_waits_for_the_same(with_bench):
    async def use(bench: Bench) -> None:
        bench.host.may_answer.clear()
        finding = [asyncio.ensure_future(bench.find()) for _ in range(5)]
        await until(lambda: bench.fetched)
        finding.append(asyncio.ensure_future(bench.find()))
        finding[0].cancel()
        bench.host.may_answer.set()
        found = await asyncio.gather(*finding, return_exceptions=True)
        assert found[1:] == [FIRST] * 5
        assert bench.fetched == 1

    with_bench(RECORD, use)


@pytest.mark.parametrize("rest", [RECORD, f"{NAME} !timeout", "x.example A 192.0.2.1"])
def test_G39_a_policy_in_use_is_fetched_anew_each_day_and_nobody_waits_for_that(with_bench, rest):
    async def use(bench: Bench) -> None:
        assert await bench.find() == FIRST
        bench.nameserver.play(rest)
        bench.wait(REFRESH_S)
        bench.host.may_answer.clear()
        bench.host.has = SECOND
        assert await bench.find() == FIRST
        await until(lambda: bench.fetched == 2)
        bench.host.may_answer.set()
        await bench.settle()
        assert await bench.find() == SECOND
        bench.wait(MOST_AGE_S - 1)
        assert await bench.find() == SECOND

    with_bench(RECORD, use)


def test_G39_a_policy_for_a_short_time_is_fetched_anew_before_that_is_over(with_bench):
    async def use(bench: Bench) -> None:
        bench.host.has = StsPolicy(Mode.ENFORCE, 60, ("mx.x.example",))
        assert await bench.find() == bench.host.has
        bench.wait(30)
        assert await bench.find() == bench.host.has
        await bench.settle()
        bench.wait(45)
        assert await bench.find() == bench.host.has
        await bench.settle()
        assert bench.fetched == 3

    with_bench(RECORD, use)


def test_G39_a_policy_that_expired_is_none_and_another_is_fetched(with_bench):
    async def use(bench: Bench) -> None:
        assert await bench.find() == FIRST
        bench.wait(MOST_AGE_S)
        bench.host.has = SECOND
        assert await bench.find() == SECOND
        bench.nameserver.play("")
        bench.wait(MOST_AGE_S)
        assert await bench.find() is None

    with_bench(RECORD, use)


def test_G39_a_failure_is_no_news_where_the_policy_says_none(with_bench, capfd):
    async def use(bench: Bench) -> None:
        bench.host.has = StsPolicy(Mode.NONE, MOST_AGE_S, ())
        assert await bench.find() == bench.host.has
        bench.nameserver.play("")
        bench.wait(REFRESH_S)
        bench.host.has = "gone"
        await bench.find()
        await bench.settle()
        assert bench.fetched == 2

    with_bench(RECORD, use)
    assert "cannot be fetched" not in capfd.readouterr().err
