"""Lists asked in their order, each with a head start; and who was silent is remembered (C-18, C-21, P6)."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.dns.answer import Answer, Status
from paperpath.dns.lists import Standing, parse_client
from paperpath.dns.records import A as RECORD_A
from paperpath.intake.client_lists import find_deciding
from paperpath.intake.list_silences import REMEMBERED_S, Silences
from tests.support.lists import CLIENT, Dns, Site, Skipping, entry, settle

HEAD_START_S = 0.02
A, B, C = "a.example", "b.example", "c.example"
LISTS = (f"black:{A}", f"white:{B}", f"black:{C}")
TESTED_S = 100  # after so many seconds, which pass at once, all lists are tested


def run(work: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=Skipping) as runner:
        runner.run(work)


def now_s() -> float:
    return asyncio.get_running_loop().time()


async def make_tested(dns: Dns, *lists: str, head_start_s: float = HEAD_START_S) -> Site:
    """Return a site that has tested its lists."""
    site = Site(dns, *lists, head_start_s=head_start_s)
    await asyncio.sleep(TESTED_S)
    return site


@pytest.mark.parametrize("took_s", [0, HEAD_START_S * 0.9])
def test_C18_a_list_that_decides_within_its_head_start_keeps_the_next_from_being_asked(took_s):
    async def work() -> None:
        dns = Dns(A, B, C)
        dns.delays_s = {A: took_s}
        dns.list(A)
        site = await make_tested(dns, *LISTS)
        assert (await site.rule()).refusal is not None
        await asyncio.sleep(TESTED_S)
        assert dns.clients_asked(A) == 1
        assert dns.clients_asked(B) == dns.clients_asked(C) == 0

    run(work())


def test_C18_one_after_another_however_long_the_head_start_says():
    async def work() -> None:
        dns = Dns(A, B, C)
        dns.delays_s = {A: 2, B: 2}
        dns.list(B)
        site = await make_tested(dns, *LISTS, head_start_s=100)
        assert (await site.rule()).refusal is None
        assert dns.clients_asked(B) == 1
        assert dns.clients_asked(C) == 0

    run(work())


@pytest.mark.parametrize(("head_start_s", "whole_s"), [(0, 0.3), (HEAD_START_S, 0.32)])
def test_C24_all_lists_take_as_long_as_the_slowest_and_the_head_starts_before_it(head_start_s, whole_s):
    async def work() -> None:
        dns = Dns(A, B, C)
        dns.delays_s = {A: 0.25, B: 0.3, C: 0.2}
        site = await make_tested(dns, *LISTS, head_start_s=head_start_s)
        began_s = now_s()
        assert (await site.rule()).look is None
        assert now_s() - began_s == pytest.approx(whole_s)

    run(work())


def test_C24_cold_lists_take_no_longer_than_the_slowest_once_it_is_known_that_they_are_slow():
    async def work() -> None:
        dns = Dns(A, B, C)
        dns.delays_s = {A: 0.25, B: 0.3, C: 0.2}
        site = await make_tested(dns, *LISTS)
        await site.rule()
        for number in range(100):
            began_s = now_s()
            assert (await site.rule(f"198.51.100.{number}")).look is None
            assert now_s() - began_s == pytest.approx(0.3)

    run(work())


def test_C18_a_list_that_became_quick_again_keeps_the_next_from_being_asked():
    async def work() -> None:
        dns = Dns(A, B)
        site = await make_tested(dns, f"white:{A}", f"black:{B}")
        dns.delays_s = {A: 2 * HEAD_START_S}
        await site.rule("198.51.100.0")
        dns.delays_s = {A: HEAD_START_S / 2}
        for number in range(1, 9):
            dns.list(A, f"198.51.100.{number}")
            await site.rule(f"198.51.100.{number}")
        asked = [dns.asked[entry(B, f"198.51.100.{number}"), "A"] for number in range(9)]
        assert asked[:2] == [1, 1]
        assert asked[-1] == 0
        assert asked == sorted(asked, reverse=True)

    run(work())


def test_C18_who_decides_later_in_the_order_waits_for_those_before_and_for_none_behind():
    async def work() -> None:
        dns = Dns(A, B, C)
        dns.delays_s = {A: 0.3, B: 0.01, C: 5}
        dns.list(B)
        site = await make_tested(dns, *LISTS)
        began_s = now_s()
        ruling = await site.rule()
        assert now_s() - began_s == pytest.approx(0.3)
        assert ruling.look is not None
        assert ruling.look.client_list.zone == B
        assert dns.clients_asked(C) == 0

    run(work())


def test_C24_who_leaves_leaves_all_that_was_asked_for_him():
    async def work() -> None:
        dns = Dns(A, B, C)
        site = await make_tested(dns, *LISTS)
        dns.silent = {"example"}
        lookup = site.desk.look_up(CLIENT, site.log)
        assert lookup is not None
        await asyncio.sleep(HEAD_START_S * 1.5)
        assert dns.clients_asked(B) == 1
        lookup.give_up()
        await settle()
        await asyncio.sleep(TESTED_S)
        assert dns.clients_asked(C) == 0
        assert asyncio.all_tasks() == {asyncio.current_task(), *site.tests._tasks.values()}

    run(work())


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["black", "white"]),
            st.sampled_from([Standing.LISTED, Standing.UNLISTED, Standing.FAILED]),
            st.integers(0, 100),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_C18_C21_whatever_they_take_the_order_decides_within_the_bound(lists):
    async def work() -> None:
        zones = [f"{number}.example" for number in range(len(lists))]
        dns = Dns(*zones)
        for zone, (_, standing, took_ms) in zip(zones, lists, strict=True):
            dns.delays_s[zone] = took_ms / 1000
            if standing is Standing.LISTED:
                dns.list(zone)
            elif standing is Standing.FAILED:
                dns.answers[entry(zone), "A"] = Answer(Status.FAILED, detail="SERVFAIL")
        site = await make_tested(
            dns, *(f"{colour}:{zone}" for zone, (colour, *_) in zip(zones, lists, strict=True))
        )
        began_s = now_s()
        ruling = await site.rule()
        took_s = now_s() - began_s
        address = parse_client(CLIENT)
        assert address is not None
        expected = find_deciding([look for look, _ in await site.desk.look_at_all(address)])
        assert ruling.look == expected
        last = next(
            (n for n, zone in enumerate(zones) if expected and expected.client_list.zone == zone),
            len(zones) - 1,
        )
        asked = lists[: last + 1]
        reason_s = asked[-1][2] / 1000 if ruling.refusal is not None else 0
        bound_s = max(number * HEAD_START_S + took_ms / 1000 for number, (*_, took_ms) in enumerate(asked))
        assert took_s <= bound_s + reason_s + 1e-6

    run(work())


def test_P6_C21_a_silent_list_costs_a_client_once_and_others_too():
    async def work() -> None:
        dns = Dns(A, B)
        site = await make_tested(dns, f"black:{A}", f"black:{B}")
        dns.silent = {A}
        began_s = now_s()
        assert (await site.rule()).refusal is None
        assert now_s() - began_s == pytest.approx(5)
        again_s = now_s()
        lookup = site.desk.look_up(CLIENT, site.log)
        assert lookup is not None
        assert lookup.ruling is not None
        assert lookup.ruling.refusal is None
        assert (await site.rule()).refusal is None
        assert now_s() == again_s
        assert dns.clients_asked(A) == 1
        await site.rule("192.0.2.1")
        assert now_s() - again_s == pytest.approx(5)

    run(work())


def test_P6_C21_a_resolver_that_never_answers_costs_the_whole_time_once():
    async def work() -> None:
        dns = Dns(A, B, C)
        site = await make_tested(dns, f"black:{A}", f"black:{B}", f"black:{C}")
        dns.silent = {"example"}
        began_s = now_s()
        for _ in range(3):
            assert (await site.rule()).look is None
            assert now_s() - began_s == pytest.approx(10)

    run(work())


def test_P6_C20_a_reason_that_never_comes_costs_a_client_once():
    async def work() -> None:
        dns = Dns(A)
        dns.list(A)
        site = await make_tested(dns, f"black:{A}")
        dns.silent_kinds = {"TXT"}
        began_s = now_s()
        for _ in range(3):
            assert "postmaster" in str((await site.rule()).refusal)
            assert now_s() - began_s == pytest.approx(10)

    run(work())


def test_C21_what_a_silent_list_says_in_the_end_is_believed():
    async def work() -> None:
        dns = Dns(A)
        dns.list(A)
        site = await make_tested(dns, f"black:{A}")
        dns.silent = {A}
        assert (await site.rule()).refusal is None
        dns.speak()
        await dns.resolve(entry(A), RECORD_A)  # as the resolver goes on to do when nobody waits any more
        assert (await site.rule()).refusal is not None

    run(work())


def test_C21_what_was_silent_is_asked_again_after_a_while():
    async def work() -> None:
        dns = Dns(A)
        dns.list(A)
        site = await make_tested(dns, f"black:{A}")
        dns.silent = {A}
        assert (await site.rule()).refusal is None
        dns.speak()
        await asyncio.sleep(REMEMBERED_S - 1)
        assert (await site.rule()).refusal is None
        await asyncio.sleep(1)
        assert (await site.rule()).refusal is not None

    run(work())


def test_C22_a_list_that_is_not_tested_yet_is_not_taken_for_silent():
    async def work() -> None:
        dns = Dns(A)
        dns.list(A)
        dns.silent = {A}
        site = Site(dns, f"black:{A}")
        assert (await site.rule()).refusal is None
        dns.speak()
        await settle()
        assert (await site.rule()).refusal is not None

    run(work())


def test_P6_only_so_many_silences_are_remembered():
    silences = Silences(most=2)
    for name in ("a", "b", "a", "c"):
        silences.note((name, "A"), 0)
    assert [silences.has((name, "A"), 1) for name in "abc"] == [True, False, True]
    assert not silences.has(("a", "TXT"), 1)
    assert not silences.has(("a", "A"), REMEMBERED_S)
