"""How often a network may do something (issue 8, P6): time is what the test says it is."""

from hypothesis import given
from hypothesis import strategies as st

from paperpath.config.limit_tables import LimitsTable
from paperpath.intake.limits import Limit
from paperpath.intake.rates import MOST_NETWORKS, Rate, Rates

A, B = "192.0.2.1", "192.0.2.2"


def test_without_a_bound_nothing_is_counted() -> None:
    rate = Rate()
    assert all(rate.take(A, 0) for _ in range(1000))
    assert len(rate) == 0


def test_a_network_has_its_burst_and_then_its_pace_whatever_others_do() -> None:
    rate = Rate(6)
    assert [rate.take(A, 100) for _ in range(8)] == [True] * 6 + [False] * 2
    assert rate.take(B, 100)
    assert [rate.take(A, 109.9), rate.take(A, 110.1), rate.take(A, 110.2)] == [False, True, False]
    assert [rate.take(A, 1000) for _ in range(8)] == [True] * 6 + [False] * 2


def test_who_goes_on_trying_gets_in_at_the_pace() -> None:
    rate = Rate(6)
    taken = [second for second in range(601) if rate.take(A, second)]
    assert len(taken) == 6 + 60


@given(st.integers(1, 20), st.lists(st.floats(0, 30), max_size=200))
def test_in_no_minute_there_are_more_than_twice_as_many(per_minute: int, pauses: list[float]) -> None:
    rate, now_s, taken = Rate(per_minute), 0.0, list[float]()
    for pause in pauses:
        now_s += pause
        if rate.take(A, now_s):
            taken.append(now_s)
        assert sum(now_s - moment < 60 for moment in taken) <= 2 * per_minute


def test_P6_of_many_networks_those_seen_longest_ago_are_forgotten() -> None:
    rate = Rate(1)
    for number in range(MOST_NETWORKS + 5):
        assert rate.take(str(number), 0)
    assert len(rate) == MOST_NETWORKS
    assert not rate.take("5", 0)
    assert rate.take("4", 0)


def test_P6_what_is_over_is_not_kept() -> None:
    rate = Rate(60)
    for number in range(1000):
        assert rate.take(str(number), number * 10)
    assert len(rate) < 5


def test_each_bound_is_its_own_and_may_change() -> None:
    rates = Rates()
    rates.bound(LimitsTable(connections_per_minute=1, messages_per_minute=2, recipients_per_minute=3))
    for most, limit in enumerate((Limit.CONNECTION_RATE, Limit.MESSAGE_RATE, Limit.RECIPIENT_RATE), 1):
        assert [rates.take(limit, A, 0) for _ in range(5)] == [True] * most + [False] * (5 - most)
    rates.bound(LimitsTable(connections_per_minute=2))
    assert [rates.take(Limit.CONNECTION_RATE, A, 0) for _ in range(2)] == [True, False]
    assert all(rates.take(Limit.MESSAGE_RATE, A, 0) for _ in range(100))
