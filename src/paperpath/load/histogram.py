"""How long something took, many times: counts in buckets, so that memory does not grow with what is counted.

Pure. A bucket is one microsecond wide below 128, and a 64th of its values at most above; so a percentile is
told at most 1.6 % too great, and never too small.
"""

from collections.abc import Iterable, Sequence
from typing import Self

_BITS = 7  # of a value that are kept, the first of them set


class Histogram:
    """Microseconds, counted. What is negative, as between clocks that differ, counts as nothing."""

    __slots__ = ("_buckets", "count", "most_us")

    def __init__(self) -> None:
        """Begin with nothing counted."""
        self._buckets: dict[int, int] = {}
        self.count = 0
        self.most_us = 0

    def add(self, value_us: int) -> None:
        """Count one."""
        value_us = max(value_us, 0)
        shift = max(value_us.bit_length() - _BITS, 0)
        bucket = (shift << _BITS - 1) + (value_us >> shift)
        self._buckets[bucket] = self._buckets.get(bucket, 0) + 1
        self.count += 1
        self.most_us = max(self.most_us, value_us)

    def merge(self, other: "Histogram") -> None:
        """Count all that another one has."""
        for bucket, count in other._buckets.items():  # noqa: SLF001 - it is of this class
            self._buckets[bucket] = self._buckets.get(bucket, 0) + count
        self.count += other.count
        self.most_us = max(self.most_us, other.most_us)

    def percentile(self, percent: float) -> int:
        """Return what so many percent of all did not exceed; 0 where nothing was counted."""
        wanted, seen = self.count * percent / 100, 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= wanted:
                return min(_end_of(bucket), self.most_us)
        return 0

    def dump(self) -> list[tuple[int, int]]:
        """Return it as pairs of numbers, for another process."""
        return [(self.count, self.most_us), *sorted(self._buckets.items())]

    @classmethod
    def load(cls, dumped: Iterable[Sequence[int]]) -> Self:
        """Make one of what `dump` returned. Raises: ValueError, TypeError."""
        made = cls()
        (made.count, made.most_us), *buckets = dumped
        made._buckets = {bucket: count for bucket, count in buckets}  # noqa: C416 - pairs are what is checked
        return made


def _end_of(bucket: int) -> int:
    """Return the greatest value that is counted in a bucket."""
    shift = max((bucket >> _BITS - 1) - 1, 0)
    return ((bucket - (shift << _BITS - 1) + 1) << shift) - 1
