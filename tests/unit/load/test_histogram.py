"""Percentiles with bounded memory, and the intervals of a timeline."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.load.histogram import Histogram
from paperpath.load.timeline import FIRST_INTERVAL_US, Timeline

VALUES = st.lists(st.integers(0, 2**40), min_size=1, max_size=50)


def fill(values: list[int]) -> Histogram:
    made = Histogram()
    for value in values:
        made.add(value)
    return made


@given(VALUES, st.sampled_from((1, 50, 99, 99.9, 100)))
def test_a_percentile_is_never_too_small_and_at_most_a_64th_too_great(
    values: list[int], percent: float
) -> None:
    exact = sorted(values)[max(math.ceil(len(values) * percent / 100) - 1, 0)]
    told = fill(values).percentile(percent)
    assert exact <= told <= exact + exact / 64


@given(st.integers(1, 20))
def test_memory_does_not_grow_with_what_is_counted(power: int) -> None:
    made = fill(list(range(0, 2**power, max(2**power // 5000, 1))))
    assert len(made.dump()) <= 130 + 64 * power


@given(VALUES, VALUES)
def test_to_merge_is_to_count_all(some: list[int], others: list[int]) -> None:
    merged = fill(some)
    merged.merge(fill(others))
    assert merged.dump() == fill(some + others).dump()
    assert Histogram.load(merged.dump()).dump() == merged.dump()


def test_nothing_and_less_than_nothing() -> None:
    assert Histogram().percentile(99) == 0
    assert fill([-5]).percentile(100) == 0


@pytest.mark.parametrize("dumped", [[], [[1]], [[1, 2], [3]], [["a", 2, 3]]])
def test_what_is_no_histogram_is_not_taken(dumped: list[list[int]]) -> None:
    with pytest.raises((ValueError, TypeError)):
        Histogram.load(dumped)


@given(st.lists(st.integers(-10, 10**9), min_size=1, max_size=60))
def test_a_timeline_is_bounded_and_loses_nothing(times: list[int]) -> None:
    line = Timeline(0)
    for now_us in times:
        line.add(now_us, 7, count=2)
    assert line.sum().count == 2 * len(times)
    assert line.sum().lengths.count == len(times)
    assert len(line.intervals) <= 480
    for now_us in times:
        assert line.intervals[max(now_us, 0) // line.interval_us].count >= 2


def test_two_intervals_become_one_only_where_there_are_too_many() -> None:
    line = Timeline(1000)
    line.add(1000 + 479 * FIRST_INTERVAL_US, 1)
    assert (line.interval_us, len(line.intervals)) == (FIRST_INTERVAL_US, 480)
    line.add(1000 + 480 * FIRST_INTERVAL_US, 1)
    assert (line.interval_us, len(line.intervals)) == (2 * FIRST_INTERVAL_US, 241)
