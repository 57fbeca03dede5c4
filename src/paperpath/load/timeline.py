"""What happened when: counts and histograms by intervals, whose number is bounded however long it takes.

Pure. An interval is a quarter of a second at first; where there would be too many, two become one.
"""

from dataclasses import dataclass, field

from paperpath.load.histogram import Histogram

FIRST_INTERVAL_US = 250_000
_MOST_INTERVALS = 480


@dataclass(slots=True)
class Interval:
    """What happened within one: so many times, and how long it took."""

    count: int = 0
    lengths: Histogram = field(default_factory=Histogram)

    def merge(self, other: "Interval") -> None:
        """Add what happened in another one."""
        self.count += other.count
        self.lengths.merge(other.lengths)


class Timeline:
    """Events since a moment; those before it count as if they were at it."""

    def __init__(self, begun_us: int) -> None:
        """Begin at a moment of any clock."""
        self.begun_us = begun_us
        self.interval_us = FIRST_INTERVAL_US
        self.intervals: list[Interval] = []
        self._place, self._first_us, self._end_us = 0, 0, 0  # of the interval of the latest event

    def add(self, now_us: int, length_us: int, count: int = 1) -> None:
        """Note what happened so many times, and how long it took."""
        if not self._first_us <= now_us < self._end_us:
            self._find(now_us)
        interval = self.intervals[self._place]
        interval.count += count
        interval.lengths.add(length_us)

    def sum(self) -> Interval:
        """Return all of it as one."""
        whole = Interval()
        for interval in self.intervals:
            whole.merge(interval)
        return whole

    def _find(self, now_us: int) -> None:
        place = max(now_us - self.begun_us, 0) // self.interval_us
        while place >= _MOST_INTERVALS:
            self._halve()
            place = max(now_us - self.begun_us, 0) // self.interval_us
        self.intervals += [Interval() for _ in range(place + 1 - len(self.intervals))]
        self._place, self._first_us = place, self.begun_us + place * self.interval_us
        self._end_us = self._first_us + self.interval_us

    def _halve(self) -> None:
        for one, other in zip(self.intervals[::2], self.intervals[1::2], strict=False):
            one.merge(other)
        self.intervals = self.intervals[::2]
        self.interval_us *= 2
