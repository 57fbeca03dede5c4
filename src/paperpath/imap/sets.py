"""Sets of message numbers as clients write them: `1:5,9,20:*` (RFC 9051 §9, sequence-set).

Kept as the ranges that were written, so `1:4294967295` takes no more memory than `1`. Nothing here walks
through the numbers of a range; who has the numbers that exist asks which of them are meant.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

STAR = 2**32  # `*`: greater than any number, until it is known which is the greatest

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class SequenceSet:
    """Numbers of messages, or UIDs. `ranges`: as written, each with its smaller number first."""

    ranges: tuple[Range, ...]

    def resolve(self, greatest: int) -> tuple[Range, ...]:
        """Return what is meant where `greatest` is the greatest number there is.

        The ranges ascend and do not touch, and lie within 1 and `greatest`; of an empty mailbox there are
        none. `7:*` is the greatest one where that is less than 7 (RFC 9051 §9, seq-range).
        """
        known = sorted(_resolve_range(low, high, greatest) for low, high in self.ranges)
        merged: list[Range] = []
        for low, high in known:
            low, high = max(low, 1), min(high, greatest)
            if low > high:
                continue
            if merged and low <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(merged[-1][1], high))
            else:
                merged.append((low, high))
        return tuple(merged)

    def find(self, numbers: Sequence[int]) -> Iterator[slice]:
        """Give the places of those that are meant among ascending numbers that exist, in order."""
        if not numbers:
            return
        for low, high in self.resolve(numbers[-1]):
            begin = bisect_left(numbers, low)
            end = bisect_right(numbers, high, begin)
            if begin < end:
                yield slice(begin, end)

    @property
    def greatest_named(self) -> int:
        """The greatest number that was written, 0 where only `*` was."""
        return max((number for pair in self.ranges for number in pair if number != STAR), default=0)


@dataclass(frozen=True, slots=True)
class SavedResult:
    """`$`: what the last SEARCH saved (RFC 5182)."""


SAVED_RESULT = SavedResult()

MessageSet = SequenceSet | SavedResult


def write_numbers(numbers: Iterable[int]) -> str:
    """Write numbers in the order they come; runs of ascending ones become ranges."""
    shown: list[str] = []
    first = last = 0
    for number in numbers:
        if shown and number == last + 1:
            last = number
            shown[-1] = f"{first}:{last}"
        else:
            first = last = number
            shown.append(str(number))
    return ",".join(shown)


def _resolve_range(low: int, high: int, greatest: int) -> Range:
    if high != STAR:
        return low, high
    low = greatest if low == STAR else low
    return min(low, greatest), max(low, greatest)
