"""Ranges of numbers and what they mean: which one a number is in, found by bisection; pure.

Made of the addresses of a list, one for each family. Ranges may overlap: the narrowest that has a number
decides, and of equal ones the first. That is settled when they are made, so finding costs one bisection
however they overlap.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from typing import Generic, TypeVar

Meaning = TypeVar("Meaning")

Span = tuple[int, int, Meaning]
"""A range, first and last number included, and what it means."""


class Ranges(Generic[Meaning]):
    """What numbers mean."""

    def __init__(self, spans: Iterable[Span[Meaning]] = ()) -> None:
        """Take the ranges, in the order that decides between equal ones."""
        self._starts: list[int] = []
        self._meanings: list[Meaning | None] = []
        for start, meaning in _cut(spans):
            if self._starts and self._starts[-1] == start:  # what was said of it was not the last word
                self._starts.pop()
                self._meanings.pop()
            if not self._meanings or self._meanings[-1] is not meaning:
                self._starts.append(start)
                self._meanings.append(meaning)

    def __iter__(self) -> Iterator[Meaning]:
        return (meaning for meaning in self._meanings if meaning is not None)

    def find(self, number: int) -> Meaning | None:
        """Return what a number means, if it is in a range."""
        index = bisect_right(self._starts, number)
        return self._meanings[index - 1] if index else None


def _cut(spans: Iterable[Span[Meaning]]) -> Iterator[tuple[int, Meaning | None]]:
    """Give numbers, in their order, and what is meant from there on; of one number the last word holds."""
    begun = _Begun[Meaning]()
    for order, (first, last, meaning) in sorted(enumerate(spans), key=lambda span: span[1][0]):
        yield from begun.end_before(first)
        yield first, begun.add(last, (last - first, order), meaning)
    yield from begun.end_before(math.inf)


class _Begun(Generic[Meaning]):
    """The ranges that have begun: the one that decides on top, and under it some that have ended."""

    def __init__(self) -> None:
        self._heap: list[tuple[tuple[int, int], int, Meaning]] = []

    def add(self, last: int, rank: tuple[int, int], meaning: Meaning) -> Meaning:
        """Begin one; return what is meant now. The least `rank` decides, and no two are equal."""
        heappush(self._heap, (rank, last, meaning))
        return self._heap[0][2]

    def end_before(self, number: float) -> Iterator[tuple[int, Meaning | None]]:
        """End those that end before a number."""
        heap = self._heap
        while heap and heap[0][1] < number:
            end = heap[0][1] + 1
            while heap and heap[0][1] < end:
                heappop(heap)
            yield end, heap[0][2] if heap else None
