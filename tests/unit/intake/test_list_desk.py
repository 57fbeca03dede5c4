"""Lists asked about clients, and tested before they are believed (C-18, C-20 to C-24)."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from paperpath.dns.answer import Answer, Status
from paperpath.dns.lists import POINTS, Standing, name_entry, parse_client
from paperpath.intake.client_lists import ListRuling
from paperpath.intake.list_desk import Patience
from paperpath.intake.lookup import Lookup
from paperpath.service.log import Log, open_log
from tests.support.lists import CLIENT, Dns, Site, Skipping, entry, settle

BLACK, WHITE = "black:bad.example", "white:good.example"
PATIENCE = Patience(10, 0.02)
Run = Callable[[Coroutine[Any, Any, None]], None]
SILENCE: Answer[Any] = Answer(Status.TIMED_OUT, detail="no answer from anybody")
SERVFAIL: Answer[Any] = Answer(Status.FAILED, detail="SERVFAIL")
NODATA: Answer[Any] = Answer(Status.NODATA)


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    factory = uvloop.new_event_loop if request.param == "uvloop" else None

    def run(work: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(work)

    return run


def test_C18_the_first_list_that_has_a_client_decides(run):
    async def work() -> None:
        dns = Dns("bad.example", "good.example")
        dns.list("bad.example")
        dns.list("good.example")
        site = Site(dns, WHITE, BLACK)
        assert (await site.rule()).refusal is None
        assert dns.clients_asked("bad.example") == 0
        other = Site(dns, BLACK, WHITE)
        assert (await other.rule()).refusal is not None
        assert dns.clients_asked("good.example") == 1  # by the first site

    run(work())


def test_C18_a_client_on_no_list_is_nobody(run):
    async def work() -> None:
        dns = Dns("bad.example", "good.example")
        site = Site(dns, WHITE, BLACK)
        assert await site.rule() == ListRuling()
        assert dns.clients_asked("good.example") == dns.clients_asked("bad.example") == 1

    run(work())


@pytest.mark.parametrize("failure", [SILENCE, SERVFAIL])
def test_C21_a_black_list_that_fails_has_nobody(run, capfd, failure):
    async def work() -> None:
        dns = Dns("bad.example", "worse.example")
        dns.answers[entry("bad.example"), "A"] = failure
        dns.list("worse.example")
        site = Site(dns, BLACK, "black:worse.example")
        ruling = await site.rule()
        assert ruling.look is not None
        assert ruling.look.client_list.zone == "worse.example"

    run(work())
    assert "client list failed list=black:bad.example" in capfd.readouterr().err


@pytest.mark.parametrize("failure", [SILENCE, SERVFAIL])
def test_C21_a_white_list_that_fails_has_everybody(run, capfd, failure):
    async def work() -> None:
        dns = Dns("bad.example", "good.example")
        dns.answers[entry("good.example"), "A"] = failure
        dns.list("bad.example")
        site = Site(dns, WHITE, BLACK)
        ruling = await site.rule()
        assert ruling.refusal is None
        assert ruling.look is not None
        assert ruling.look.finding.standing is Standing.FAILED
        assert dns.clients_asked("bad.example") == 0

    run(work())
    assert "client list failed list=white:good.example" in capfd.readouterr().err


@pytest.mark.parametrize("failing", ["203.0.113.1", "127.255.255.254"])
def test_C19_an_answer_that_lists_nothing_is_a_failure_and_logged(run, capfd, failing):
    async def work() -> None:
        dns = Dns("bad.example")
        dns.put(entry("bad.example"), failing)
        site = Site(dns, BLACK)
        assert await site.rule() == ListRuling()

    run(work())
    assert failing in capfd.readouterr().err


def test_C21_all_lists_together_take_no_longer_than_was_configured():
    async def work() -> None:
        dns = Dns("a.example", "b.example", "c.example")
        dns.silent = {"a.example", "b.example"}
        dns.list("c.example", reason=b"still asked")
        site = Site(dns, "black:a.example", "black:b.example", "black:c.example")
        began_s = asyncio.get_running_loop().time()
        ruling = await site.rule()
        assert asyncio.get_running_loop().time() - began_s <= 10
        assert ruling.look is not None
        assert ruling.look.client_list.zone == "c.example"
        assert "still asked" in str(ruling.refusal)

    with asyncio.Runner(loop_factory=Skipping) as runner:
        runner.run(work())


def test_C21_the_whole_time_is_enough_where_no_list_answers():
    async def work() -> None:
        dns = Dns("a.example", "b.example", "good.example")
        dns.silent = {"example"}
        site = Site(dns, "black:a.example", "black:b.example", WHITE)
        began_s = asyncio.get_running_loop().time()
        ruling = await site.rule()
        assert asyncio.get_running_loop().time() - began_s == pytest.approx(10)
        assert ruling.look is not None
        assert ruling.look.client_list.zone == "good.example"

    with asyncio.Runner(loop_factory=Skipping) as runner:
        runner.run(work())


def test_C20_a_reason_is_asked_for_only_where_there_is_an_entry(run):
    async def work() -> None:
        dns = Dns("bad.example", "good.example")
        dns.list("bad.example", reason=b"Dynamic address,\r\nsee http://bad.example")
        site = Site(dns, WHITE, BLACK)
        told = str((await site.rule()).refusal)
        assert told == "550 5.7.1 Mail from 192.0.2.99 is refused: Dynamic address, see http://bad.example"
        assert dns.asked[entry("good.example"), "TXT"] == 0
        assert (await site.rule("192.0.2.1")).refusal is None
        assert dns.asked[entry("bad.example", "192.0.2.1"), "TXT"] == 0

    run(work())


@pytest.mark.parametrize("reason", [SILENCE, SERVFAIL, NODATA])
def test_C20_without_a_reason_there_is_a_general_one(run, reason):
    async def work() -> None:
        dns = Dns("bad.example")
        dns.list("bad.example")
        dns.answers[entry("bad.example"), "TXT"] = reason
        site = Site(dns, BLACK)
        assert "postmaster" in str((await site.rule()).refusal)

    run(work())


def test_C22_a_list_that_has_everybody_is_not_asked(run, capfd):
    async def work() -> None:
        dns = Dns("bad.example", "good.example")
        dns.wild("bad.example")
        dns.wild("good.example")
        site = Site(dns, WHITE, BLACK)
        assert await site.rule() == ListRuling()
        assert dns.clients_asked("bad.example") == dns.clients_asked("good.example") == 0

    run(work())
    said = capfd.readouterr().err
    assert "warning client list tested list=bad.example" in said
    assert "most likely everything" in said


def test_C22_a_list_is_tested_for_each_family(run, capfd):
    async def work() -> None:
        dns = Dns("bad.example")
        del dns.answers[name_entry(POINTS[6].listed, "bad.example"), "A"]
        for client in (CLIENT, "2001:db8::1"):
            dns.list("bad.example", client)
        site = Site(dns, BLACK)
        assert (await site.rule()).refusal is not None
        assert (await site.rule("::ffff:192.0.2.99")).refusal is not None
        assert (await site.rule("2001:db8::1")).refusal is None

    run(work())
    assert "info client list tested list=bad.example ipv4=good ipv6=" in capfd.readouterr().err


def test_C22_a_list_is_tested_again_and_recovers(run, capfd):
    async def work() -> None:
        dns = Dns("bad.example")
        dns.wild("bad.example")
        site = Site(dns, BLACK, again_s=0.001)
        assert (await site.rule()).refusal is None
        for points in POINTS.values():
            del dns.answers[name_entry(points.unlisted, "bad.example"), "A"]
        await dns.tested_again("bad.example")
        assert (await site.rule()).refusal is not None

    run(work())
    assert "info client list tested list=bad.example ipv4=good ipv6=good" in capfd.readouterr().err


def test_C22_a_list_that_does_not_answer_stays_what_it_was(run, capfd):
    async def work() -> None:
        dns = Dns("bad.example")
        dns.wild("bad.example")
        site = Site(dns, BLACK, again_s=0.001)
        assert (await site.rule()).refusal is None
        point = name_entry(POINTS[4].unlisted, "bad.example")
        dns.answers[point, "A"] = SILENCE
        await dns.tested_again("bad.example")
        assert (await site.rule()).refusal is None

    run(work())
    assert 'ipv4="no answer"' in capfd.readouterr().err.replace("'", '"')


def test_C22_nobody_is_judged_by_a_list_before_its_first_test(run):
    async def work() -> None:
        dns = Dns("bad.example")
        dns.wild("bad.example")
        dns.silent = {name_entry(POINTS[4].unlisted, "bad.example")}
        site = Site(dns, BLACK, timeout_s=0.1)
        assert await site.rule() == ListRuling()
        assert dns.clients_asked("bad.example") == 0

    run(work())


def test_C24_the_result_is_there_when_somebody_wants_it(run):
    async def work() -> None:
        dns = Dns("bad.example")
        dns.list("bad.example")
        site = Site(dns, BLACK)
        lookup = site.desk.look_up(CLIENT, site.log)
        assert lookup is not None
        called = asyncio.Event()
        lookup.wait(called.set)
        await called.wait()
        assert lookup.ruling is not None
        assert lookup.ruling.refusal is not None
        assert not lookup.is_awaited

    run(work())


@pytest.mark.parametrize("lists", [(WHITE, BLACK), (BLACK,), (WHITE,)])
def test_C23_who_comes_again_is_ruled_on_by_what_is_known(run, capfd, lists):
    async def work() -> None:
        dns = Dns("bad.example", "good.example")
        dns.list("bad.example", reason=b"spam")
        site = Site(dns, *lists)
        first = await site.rule()
        asked = dns.asked.total()
        lookup = site.desk.look_up(CLIENT, site.log)
        assert lookup is not None
        assert lookup.ruling == first
        assert dns.asked.total() == asked
        counts = [sample.value for sample in site.metrics.families()[0].samples]
        assert counts == [2] * len(lists)

    run(work())
    assert capfd.readouterr().err.count("blacklisted") == 2 * (BLACK in lists)


@pytest.mark.parametrize(("lists", "is_refused"), [((WHITE, BLACK), False), ((BLACK, WHITE), True)])
def test_C18_the_first_of_two_lists_decides_by_what_is_known_too(run, lists, is_refused):
    async def work() -> None:
        dns = Dns("bad.example", "good.example")
        for zone, other in (("bad.example", BLACK), ("good.example", WHITE)):
            dns.list(zone)
            await Site(dns, other).rule()
        site = Site(dns, *lists)
        await settle()
        lookup = site.desk.look_up(CLIENT, site.log)
        assert lookup is not None
        assert lookup.ruling is not None
        assert (lookup.ruling.refusal is not None) is is_refused

    run(work())


def test_C24_who_leaves_is_not_looked_up_any_further(run):
    async def work() -> None:
        dns = Dns("bad.example", "worse.example")
        site = Site(dns, BLACK, "black:worse.example")
        await settle()
        dns.silent = {"bad.example"}
        lookup = site.desk.look_up(CLIENT, site.log)
        assert lookup is not None
        lookup.wait(lambda: pytest.fail("nobody is there"))
        await settle()
        assert dns.clients_asked("bad.example") == 1
        lookup.give_up()
        await settle()
        assert lookup.ruling is None
        assert dns.clients_asked("worse.example") == 0

    run(work())


def test_who_has_no_address_is_not_looked_up(run):
    async def work() -> None:
        site = Site(Dns("bad.example"), BLACK)
        assert site.desk.look_up("", site.log) is None

    run(work())


def test_a_defect_of_ours_lets_the_client_in_and_is_told(run, capfd):
    async def break_down() -> ListRuling:
        raise RuntimeError("broken")

    async def work() -> None:
        log: Log = open_log("test")
        lookup = Lookup(log)
        lookup.begin(break_down())
        called = asyncio.Event()
        lookup.wait(called.set)
        await called.wait()
        assert lookup.ruling == ListRuling()

    run(work())
    assert "broken" in capfd.readouterr().err


def test_all_lists_are_looked_at_for_an_operator(run):
    async def work() -> None:
        dns = Dns("bad.example", "good.example", "worse.example")
        dns.list("bad.example", reason=b"spam")
        dns.list("good.example", reason=b"a friend")
        site = Site(dns, WHITE, BLACK, "black:worse.example")
        address = parse_client(CLIENT)
        assert address is not None
        looks = await site.desk.look_at_all(address)
        assert [reason for _, reason in looks] == ["a friend", "spam", ""]
        assert dns.asked[entry("worse.example"), "TXT"] == 0

    run(work())


def test_what_lists_say_is_counted_and_timed(run):
    async def work() -> None:
        dns = Dns("bad.example", "good.example")
        dns.list("bad.example")
        site = Site(dns, WHITE, BLACK)
        assert site.metrics.families() == []
        await site.rule()
        await site.rule()
        said, times = site.metrics.families()
        assert [(sample.labels, sample.value) for sample in said.samples] == [
            ({"list": WHITE, "said": "not listed"}, 2),
            ({"list": BLACK, "said": "listed"}, 2),
        ]
        counts = {
            sample.labels["list"]: sample.value for sample in times.samples if sample.suffix == "_count"
        }
        assert counts == {WHITE: 2, BLACK: 2}

    run(work())
