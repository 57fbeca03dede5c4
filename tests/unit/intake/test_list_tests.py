"""When lists are tested, and how that is told in numbers (C-22, P9)."""

import asyncio

from paperpath.config.client_list import parse_client_list
from paperpath.dns.lists import POINTS, name_entry
from paperpath.intake.list_desk import Patience, open_desk
from paperpath.intake.list_tests import TEST_AGAIN_S, TEST_EVERY_S
from tests.support.lists import Dns, Site, Skipping

BLACK, WHITE = "black:bad.example", "white:good.example"
PATIENCE = Patience(10, 0.02)


def test_C22_lists_are_tested_as_long_as_they_are_configured():
    async def work() -> None:
        dns = Dns("bad.example", "good.example")
        site = Site(dns, BLACK)
        await asyncio.sleep(2 * TEST_EVERY_S + 1)
        assert dns.asked[name_entry(POINTS[4].listed, "bad.example"), "A"] == 3
        assert open_desk([parse_client_list(WHITE)], PATIENCE, site.means) is not None
        await asyncio.sleep(2 * TEST_EVERY_S + 1)
        assert dns.asked[name_entry(POINTS[4].listed, "bad.example"), "A"] == 3
        assert dns.asked[name_entry(POINTS[4].listed, "good.example"), "A"] == 3
        assert open_desk([], PATIENCE, site.means) is None
        await asyncio.sleep(TEST_EVERY_S)
        assert dns.asked[name_entry(POINTS[4].listed, "good.example"), "A"] == 3

    with asyncio.Runner(loop_factory=Skipping) as runner:
        runner.run(work())


def test_C22_a_list_that_failed_is_tested_again_sooner():
    async def work() -> None:
        dns = Dns("bad.example")
        dns.wild("bad.example")
        Site(dns, BLACK)
        await asyncio.sleep(TEST_AGAIN_S + 1)
        assert dns.asked[name_entry(POINTS[4].listed, "bad.example"), "A"] == 2

    with asyncio.Runner(loop_factory=Skipping) as runner:
        runner.run(work())


def test_P9_C22_whether_a_list_is_asked_is_a_number():
    async def work() -> None:
        dns = Dns("bad.example", "good.example")
        dns.wild("good.example")
        site = Site(dns, BLACK, WHITE)
        assert site.tests.families() == []
        await site.rule()
        (family,) = site.tests.families()
        assert family.name == "paperpath_client_list_good"
        assert {(each.labels["list"], each.labels["family"]): each.value for each in family.samples} == {
            ("bad.example", "ipv4"): 1,
            ("bad.example", "ipv6"): 1,
            ("good.example", "ipv4"): 0,
            ("good.example", "ipv6"): 0,
        }
        assert family in site.means.families()
        assert open_desk([parse_client_list(BLACK)], PATIENCE, site.means) is not None
        assert {each.labels["list"] for each in site.tests.families()[0].samples} == {"bad.example"}

    with asyncio.Runner(loop_factory=Skipping) as runner:
        runner.run(work())
