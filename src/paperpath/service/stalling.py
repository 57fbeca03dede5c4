"""When a process that has what all others wait for is taken to be stalled: pure, the time is an argument.

Called by the supervisor, look after look. To hold something for long is no fault: a busy system holds it at
every look. So what counts is how long the same process was seen with it and nothing had come of it.
"""

from collections.abc import Hashable
from dataclasses import dataclass

_LOOKS = 5  # in the time after which a holder is stalled
_MOST_PAUSES = 2


@dataclass(frozen=True, slots=True)
class Holder:
    """A process seen with a lock, and a mark that changes with whatever comes of it."""

    pid: int
    lock: str
    progress: Hashable


@dataclass(frozen=True, slots=True)
class Sight:
    """What the last look saw, and since when looks have seen just that."""

    holder: Holder | None = None
    since_s: float = 0.0
    seen_s: float = 0.0


def pause_between_looks(limit_s: float) -> float:
    """Tell how long to wait from look to look."""
    return limit_s / _LOOKS


def look_again(before: Sight, holder: Holder | None, now_s: float, limit_s: float) -> Sight:
    """Add a look.

    After a gap we were held up ourselves, as others may have been: what was seen before it does not count.
    """
    in_time = now_s - before.seen_s <= _MOST_PAUSES * pause_between_looks(limit_s)
    same = in_time and holder == before.holder
    return Sight(holder, before.since_s if same else now_s, now_s)


def find_stalled(sight: Sight, limit_s: float) -> Holder | None:
    """Return the holder, if it has been stalled for too long."""
    return sight.holder if sight.seen_s - sight.since_s >= limit_s else None
