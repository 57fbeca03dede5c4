"""Ranges that overlap as they like: the narrowest decides, and of equal ones the first."""

from hypothesis import given
from hypothesis import strategies as st

from paperpath.dnslist.ranges import Ranges

NUMBERS = st.integers(0, 40)
SPANS = st.lists(st.tuples(NUMBERS, NUMBERS).map(sorted), max_size=12)


def find_slowly(spans: list[tuple[int, int, str]], number: int) -> str | None:
    fitting = [
        (last - first, order) for order, (first, last, _) in enumerate(spans) if first <= number <= last
    ]
    return spans[min(fitting)[1]][2] if fitting else None


@given(SPANS)
def test_the_narrowest_that_has_a_number_decides(pairs):
    spans = [(first, last, f"{order}") for order, (first, last) in enumerate(pairs)]
    ranges = Ranges(spans)
    for number in range(-1, 43):
        assert ranges.find(number) == find_slowly(spans, number)
    assert set(ranges) == {ranges.find(number) for number in range(41)} - {None}


@given(SPANS)
def test_neighbours_with_one_meaning_are_one(pairs):
    ranges = Ranges([(first, last, "x") for first, last in pairs])
    assert len(ranges._starts) == len(set(ranges._starts))
    assert all(one is not other for one, other in zip(ranges._meanings, ranges._meanings[1:], strict=False))


def test_what_begins_at_nothing_and_ends_with_all_is_a_range_too():
    ranges = Ranges([(0, 2**128 - 1, "all"), (2**127, 2**127, "one")])
    assert [ranges.find(number) for number in (0, 2**127 - 1, 2**127, 2**127 + 1, 2**128 - 1)] == [
        "all", "all", "one", "all", "all",
    ]  # fmt: skip
    assert Ranges[str]().find(7) is None
