"""How long the reply to a recipient is held back, and of which sessions (C-25, S-4): no clock in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.config.limit_tables import LONGEST_DELAY_S, TarpitTable
from paperpath.intake.connections import Connections
from paperpath.intake.tarpit import MOST_OCTETS, Tarpit, find_delay_s

SECONDS = st.floats(0.001, LONGEST_DELAY_S)
RULES = st.builds(
    TarpitTable,
    after=st.integers(0, 50),
    first_s=SECONDS,
    step_s=st.floats(0, LONGEST_DELAY_S),
    most_s=SECONDS,
)


def make_tarpit(connected: int, most: int) -> Tarpit:
    connections = Connections(most, most)
    for _ in range(connected):
        assert connections.take_place() is None
    return Tarpit(connections)


def test_C25_five_recipients_are_answered_at_once_and_each_further_one_later() -> None:
    delays = [find_delay_s(TarpitTable(after=5), count) for count in range(1, 21)]
    assert delays[:5] == [0.0] * 5
    assert delays[5:] == [1.0 + 0.5 * number for number in range(15)]


def test_C25_no_delay_is_longer_than_sixty_seconds_unless_it_may_be() -> None:
    assert find_delay_s(TarpitTable(), 10_000) == 60
    assert find_delay_s(TarpitTable(most_s=7), 10_000) == 7
    assert find_delay_s(TarpitTable(first_s=9, most_s=7), 21) == 7


@given(RULES)
def test_C25_delays_never_shrink_and_none_is_beyond_the_bound(rule: TarpitTable) -> None:
    delays = [find_delay_s(rule, count) for count in range(200)]
    assert delays == sorted(delays)
    assert set(delays[: rule.after + 1]) == {0.0}
    assert all(0 < delay <= rule.most_s for delay in delays[rule.after + 1 :])


@pytest.mark.parametrize(("connected", "most", "is_closed"), [(500, 1000, False), (501, 1000, True)])
def test_S4_nobody_is_held_back_while_more_than_half_of_the_connections_are_used(
    connected: int, most: int, is_closed: bool
) -> None:
    tarpit = make_tarpit(connected, most)
    assert tarpit.is_closed is is_closed
    assert tarpit.enter(0) is not is_closed


@pytest.mark.parametrize(("most", "places"), [(1000, 250), (1003, 250), (7, 1), (2, 1)])
def test_S4_no_more_than_a_quarter_is_held_back_at_once(most: int, places: int) -> None:
    tarpit = make_tarpit(1, most)
    assert [tarpit.enter(0) for _ in range(places + 1)] == [True] * places + [False]
    tarpit.leave(0)
    assert tarpit.enter(0)
    assert tarpit.held == places


def test_S4_P6_what_was_sent_ahead_has_a_bound_over_all_who_are_held_back() -> None:
    tarpit = make_tarpit(1, 1000)
    assert tarpit.enter(MOST_OCTETS)
    assert not tarpit.enter(1)
    assert tarpit.enter(0)
    tarpit.leave(MOST_OCTETS)
    assert tarpit.enter(1)


@given(st.integers(1, 30), st.lists(st.tuples(st.booleans(), st.integers(0, MOST_OCTETS)), max_size=60))
def test_S4_the_bounds_hold_whoever_comes_and_goes(most: int, moves: list[tuple[bool, int]]) -> None:
    tarpit, inside = make_tarpit(1, most), list[int]()
    for leaves, octets in moves:
        if leaves and inside:
            tarpit.leave(inside.pop())
        elif tarpit.enter(octets):
            inside.append(octets)
        assert tarpit.held == len(inside) <= max(most // 4, 1)
        assert sum(inside) <= MOST_OCTETS
