"""Clients that no list has are not looked up anew while that is known (C-23)."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from paperpath.dns.answer import Answer, Status
from paperpath.dns.lists import POINTS, name_entry
from paperpath.intake.client_lists import ListRuling
from paperpath.intake.list_strangers import Strangers
from tests.support.lists import CLIENT, Dns, Site, Skipping, entry

BLACK, WHITE = "black:bad.example", "white:good.example"
TESTED_S = 100


def run(work: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=Skipping) as runner:
        runner.run(work)


async def make_known(dns: Dns, ages_s: tuple[float, float]) -> tuple[Site, float]:
    """Return a site that has asked about the client, who is on no list for so long; and the time."""
    site = Site(dns, WHITE, BLACK)
    await asyncio.sleep(TESTED_S)
    for zone, age_s in zip(("good.example", "bad.example"), ages_s, strict=True):
        dns.answers[entry(zone), "A"] = Answer(Status.NXDOMAIN, expires_s=dns.now_s() + age_s)
    await site.rule()
    return site, dns.now_s()


def look_up(site: Site) -> ListRuling | None:
    lookup = site.desk.look_up(CLIENT, site.log)
    assert lookup is not None
    ruling = lookup.ruling
    lookup.give_up()
    return ruling


def test_C23_what_is_known_of_a_stranger_holds_as_long_as_the_first_answer_to_expire():
    async def work() -> None:
        dns = Dns("bad.example", "good.example")
        site, _ = await make_known(dns, (60, 2))
        assert look_up(site) == ListRuling()
        dns.known.clear()  # so nothing but what the desk keeps can say it
        await asyncio.sleep(1.9)
        assert look_up(site) == ListRuling()
        await asyncio.sleep(0.2)
        assert look_up(site) is None

    run(work())


def test_P9_whoever_is_not_looked_up_anew_is_counted_all_the_same():
    async def work() -> None:
        dns = Dns("bad.example", "good.example")
        site, _ = await make_known(dns, (60, 60))
        for _ in range(3):
            assert look_up(site) == ListRuling()
        assert [sample.value for sample in site.metrics.families()[0].samples] == [4, 4]

    run(work())


def test_C22_a_list_that_fails_a_test_or_passes_one_again_changes_what_is_known():
    async def work() -> None:
        dns = Dns("bad.example", "good.example")
        site, _ = await make_known(dns, (10_000, 10_000))
        assert look_up(site) == ListRuling()
        dns.list("bad.example")
        dns.known.clear()
        assert look_up(site) == ListRuling()
        dns.put(name_entry(POINTS[4].unlisted, "bad.example"), "127.0.0.2")
        await asyncio.sleep(2000)  # it fails a test
        dns.known.clear()
        assert look_up(site) is None

    run(work())


def test_C21_a_failure_is_told_each_time():
    async def work() -> None:
        dns = Dns("bad.example", "good.example")
        site, _ = await make_known(dns, (60, 60))
        dns.answers[entry("bad.example"), "A"] = Answer(Status.FAILED, detail="SERVFAIL", expires_s=1e9)
        assert look_up(site) == ListRuling()
        assert site.desk._strangers.find(CLIENT, dns.now_s(), site.tests.epoch) is None

    run(work())


def test_P6_only_so_many_strangers_are_known():
    strangers = Strangers(most=2)
    for address in ("a", "b", "c"):
        strangers.note(address, (), 10, 0)
    assert [strangers.find(address, 9, 0) for address in "abc"] == [None, (), ()]
    assert strangers.find("b", 10, 0) is None
    assert strangers.find("c", 9, 1) is None
