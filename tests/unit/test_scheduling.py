"""The scheduling of remote delivery, simulated: properties of the policy as a whole (P6, G-13, G-15)."""

from xml.etree import ElementTree as ET

import pytest
from bench.scheduling import Row, find_fairness, main, show, simulate
from bench.scheduling_daemon import Scenario
from bench.scheduling_plot import draw
from bench.scheduling_sites import Site
from hypothesis import given, settings
from hypothesis import strategies as st

from paperpath.remote.windows import Limits, LimitTable

_NEVER_S = 1e9


def rows(
    *sites: Site, most_transactions: int = 1000, most_s: float = 3600.0, **limits: Limits
) -> dict[str, Row]:
    table = LimitTable(Limits(20), limits)
    result, _ = simulate(Scenario("test", sites, table, most_transactions, most_s))
    return {row.kind: row for row in result.rows}


def test_G15_twenty_stalled_destinations_do_not_keep_the_next_waiting():
    stalled = [Site(f"stalled.{number}", backlog=20, stalled_until_s=_NEVER_S) for number in range(20)]
    found = rows(*stalled, Site("fast", per_s=1, from_s=1, until_s=30), most_s=40)
    assert found["stalled"].delivered == 0
    assert found["fast"].delivered == found["fast"].messages > 10
    assert found["fast"].most_s is not None
    assert found["fast"].most_s < 2


def test_G15_a_great_backlog_for_one_does_not_delay_one_message_for_another():
    found = rows(Site("big", backlog=10_000), Site("single", per_s=0.5, from_s=2, until_s=10), most_s=10)
    assert found["big"].delivered < 10_000
    assert found["single"].most_s is not None
    assert found["single"].most_s < 0.5


def test_P6_many_silent_destinations_do_not_slow_what_is_known():
    stalled = [
        Site(f"stalled.{number}", backlog=2, from_s=5, stalled_until_s=_NEVER_S) for number in range(200)
    ]
    found = rows(*stalled, Site("known", per_s=2, until_s=40), most_transactions=60, most_s=50)
    assert found["known"].most_s is not None
    assert found["known"].most_s < 1


def test_P6_many_slow_destinations_do_not_keep_out_the_next():
    slow = [Site(f"slow.{number}", backlog=60, latency_s=30) for number in range(20)]
    found = rows(*slow, Site("new", backlog=1, from_s=100), most_transactions=100, most_s=110)
    assert found["new"].delivered == 1


def test_G13_a_dead_destination_costs_one_probe_in_an_interval():
    found = rows(Site("dead", backlog=500, dead_until_s=_NEVER_S), most_s=300 + 600 + 1200 + 200)
    assert found["dead"].connections == 5 + 3  # the first window, then a probe after each pause
    assert found["dead"].suspensions == 4


@pytest.mark.parametrize("takes", [1, 2, 5])
def test_one_that_takes_only_so_many_at_once_is_neither_suspended_nor_offered_much_more(takes: int):
    found = rows(Site("moody", backlog=300, takes=takes), most_s=20_000)["moody"]
    assert found.delivered == 300
    assert found.suspensions == 0
    assert found.attempts < 300 * 2


def test_one_that_breaks_off_every_other_transaction_is_not_suspended():
    found = rows(Site("moody", backlog=100, alternates=True), most_s=100_000)["moody"]
    assert found.delivered == 100
    assert found.suspensions == 0


def test_G13_one_that_breaks_off_everything_is_tried_seldom():
    found = rows(Site("refusing", backlog=1000, failure_rate=1.0), most_s=3600)["refusing"]
    assert found.delivered == 0
    assert found.attempts < 50


def test_no_more_than_so_many_begin_in_a_minute():
    found = rows(Site("paced", backlog=100), paced=Limits(20, 30))["paced"]
    assert found.most_s is not None
    assert 180 < found.most_s < 185


def test_around_what_is_called_slow_nothing_jumps():
    found = rows(*(Site(f"{ms}-ms", backlog=400, latency_s=ms / 1000) for ms in (900, 1000, 1100)))
    assert [round((row.most_s or 0) / 20) for row in found.values()] == [1, 1, 1]


_sites = st.builds(
    Site,
    st.just(""),
    backlog=st.integers(0, 10),
    from_s=st.floats(0, 20),
    failure_rate=st.floats(0, 0.5),
    latency_s=st.floats(0.001, 5),
    takes=st.none() | st.integers(1, 5),
    dead_until_s=st.floats(0, 60),
    stalled_until_s=st.floats(0, 60),
)


@settings(max_examples=10, deadline=None)
@given(st.lists(_sites, min_size=1, max_size=6), st.integers(1, 20))
def test_P6_whatever_destinations_do_everything_is_delivered_at_last(sites, most):
    named = [
        Site(f"{number}", **{name: getattr(site, name) for name in site.__slots__ if name != "name"})
        for number, site in enumerate(sites)
    ]
    for row in rows(*named, most_transactions=most, most_s=10e6).values():
        assert row.delivered == row.messages


def test_the_same_seed_gives_the_same_figures_and_another_one_others():
    scenario = Scenario("test", [Site("one", backlog=50, failure_rate=0.2)])
    assert simulate(scenario)[0] == simulate(scenario)[0] != simulate(scenario, seed=2)[0]


def test_fairness_is_one_where_all_are_alike_and_small_where_one_pays():
    assert find_fairness([3, 3, 3]) == 1
    assert find_fairness([1, 0, 0, 0]) == 0.25
    assert find_fairness([]) == 1


def test_the_table_and_the_picture_tell_of_each_kind():
    result, daemon = simulate(Scenario("a & b", [Site("one.1", backlog=5), Site("two", dead_until_s=9)]))
    assert show(result).splitlines()[0] == "a & b: drained after 0.2 s, fairness 1.00"
    picture = ET.fromstring(draw("a & b", daemon.messages, daemon.now_s))
    texts = [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert "a & b" in texts
    assert "one" in texts


def test_the_command_prints_json_and_writes_a_picture(capsys, tmp_path):
    assert main(["--scenario", "paced", "--json", "--svg", str(tmp_path / "paced.svg")]) == 0
    assert '"kind": "paced"' in capsys.readouterr().out
    assert (tmp_path / "paced.svg").read_text().startswith("<svg")
