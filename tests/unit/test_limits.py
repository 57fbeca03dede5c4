"""What a greater machine would reach, calculated from costs."""

import pytest
from bench.limits import explain, find_limits, parse_processes
from hypothesis import given
from hypothesis import strategies as st

COSTS_MS = {"smtprd": 0.4, "smtppd": 0.1, "smtpld": 0.5}
costs = st.dictionaries(st.sampled_from(["smtprd", "smtppd", "smtpld"]), st.floats(0.01, 10), min_size=1)


def test_the_narrowest_comes_first_and_each_shows_its_working():
    found = find_limits(COSTS_MS, 125, 16, {"smtprd": 8})
    assert [(limit.what, round(limit.per_s)) for limit in found] == [
        ("smtpld", 2000),
        ("the queue's one writer", 8000),
        ("smtppd", 10000),
        ("all cores", 16000),
        ("smtprd", 20000),
    ]
    assert found[0].working == "1 of them, a core each / 0.500 ms"
    assert found[3].working == "16 cores / (0.400 + 0.100 + 0.500 = 1.000 ms)"
    assert explain(found).endswith("first smtpld; if that were wider, then the queue's one writer at 8000/s")


def test_no_more_processes_count_than_there_are_cores():
    by_name = {limit.what: limit.per_s for limit in find_limits(COSTS_MS, 125, 2, {"smtprd": 8})}
    assert by_name["smtprd"] == pytest.approx(2 * 1000 / 0.4)


@given(costs, st.integers(1, 64))
def test_more_cores_never_make_it_slower_and_the_queue_stays_as_it_is(costs_ms, cores):
    fewer, more = (find_limits(costs_ms, 100, number, {"smtprd": 8}) for number in (cores, cores + 1))
    assert fewer[0].per_s <= more[0].per_s <= 10_000


def test_how_many_processes_is_said_by_name():
    assert parse_processes("smtprc=4") == ("smtprc", 4)
    with pytest.raises(ValueError, match="invalid literal"):
        parse_processes("smtprc")
