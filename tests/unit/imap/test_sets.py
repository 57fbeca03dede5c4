"""Sets of numbers: what they mean, what they cost, how they are written."""

import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.imap.fault import Fault
from paperpath.imap.scanner import MOST_NUMBER, Scanner
from paperpath.imap.sets import STAR, SequenceSet, write_numbers

NUMBERS = st.integers(1, 40) | st.just(STAR)
SETS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=5)


def read(text: bytes) -> SequenceSet:
    return Scanner(text).sequence_set()


@pytest.mark.parametrize(
    ("text", "greatest", "meant"),
    [
        (b"1", 5, [1]),
        (b"4:2,9", 5, [2, 3, 4]),
        (b"*", 5, [5]),
        (b"2,4:7,9,12:*", 15, [2, 4, 5, 6, 7, 9, 12, 13, 14, 15]),  # RFC 9051 §9
        (b"*:4,5:7", 10, [4, 5, 6, 7, 8, 9, 10]),
        (b"559:*", 5, [5]),
        (b"1:*", 0, []),
        (b"6:4294967295", 5, []),
    ],
)
def test_K14_what_a_set_means(text, greatest, meant):
    found = [number for low, high in read(text).resolve(greatest) for number in range(low, high + 1)]
    assert found == meant


@pytest.mark.parametrize(
    "text", [b"0", b"01", b"1:", b":1", b"1,,2", b",", b"1:2:3", b"4294967296", b"99999999999", b"**", b"1:0"]
)
def test_K14_what_is_no_set(text):
    with pytest.raises(Fault):
        read(text)


@given(SETS, st.integers(0, 40), st.sets(st.integers(1, 40)))
def test_K14_ranges_mean_what_their_numbers_mean(pairs, greatest, existing):
    ranges = tuple((min(pair), max(pair)) for pair in pairs)
    resolved = SequenceSet(ranges).resolve(greatest)
    wanted = set()
    for pair in pairs:
        low, high = sorted(greatest if number == STAR else number for number in pair)
        wanted |= {number for number in range(low, high + 1) if 1 <= number <= greatest}
    assert [number for low, high in resolved for number in range(low, high + 1)] == sorted(wanted)
    assert all(high + 1 < low for (_, high), (low, _) in pairwise(resolved))
    numbers = sorted(existing)
    found = [number for place in SequenceSet(ranges).find(numbers) for number in numbers[place]]
    by_hand = SequenceSet(ranges).resolve(numbers[-1] if numbers else 0)
    assert found == [number for number in numbers if any(low <= number <= high for low, high in by_hand)]


def test_K14_a_set_up_to_the_greatest_number_costs_no_more_than_a_small_one():
    numbers = list(range(1, 100_001))
    tracemalloc.start()
    try:
        found = list(read(b"1:4294967295,5:*,*:3").find(numbers))
        assert tracemalloc.get_traced_memory()[1] < 10_000
    finally:
        tracemalloc.stop()
    assert found == [slice(0, 100_000)]


def test_K6_the_greatest_number_that_was_written():
    assert read(b"3:*,9,*").greatest_named == 9
    assert read(b"*").greatest_named == 0


@pytest.mark.parametrize(
    ("numbers", "text"), [((), ""), ((5,), "5"), ((1, 2, 3, 7, 9, 10), "1:3,7,9:10"), ((3, 2, 1), "3,2,1")]
)
def test_K18_numbers_are_written_in_their_order_and_never_as_a_range_of_one(numbers, text):
    assert write_numbers(numbers) == text


@given(st.lists(st.integers(1, MOST_NUMBER), min_size=1))
def test_K18_what_is_written_is_read_again(numbers):
    ranges = read(write_numbers(numbers).encode()).ranges
    assert [number for low, high in ranges for number in range(low, high + 1)] == numbers
