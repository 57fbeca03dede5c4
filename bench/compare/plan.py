"""Which measurements there are, in which order, and which are left where a comparison is continued. Pure.

The entrants take turns within each load of each round, and another one begins each round, so a drift of the
machine meets all of them alike.
"""

from collections.abc import Container, Iterator, Sequence
from typing import TypeVar

from bench.compare.samples import Task
from bench.source import Load

Each = TypeVar("Each")


def rotated(those: Sequence[Each], by: int) -> list[Each]:
    """Those in their order, beginning `by` places later."""
    start = by % len(those) if those else 0
    return [*those[start:], *those[:start]]


def plan(
    scenarios: Sequence[tuple[str, Sequence[Load], Sequence[str], int]], done: Container[Task] = ()
) -> Iterator[tuple[Task, Load]]:
    """What is to be measured yet, in its order.

    A scenario is its name, its loads, the names of its entrants and its number of rounds.
    """
    for number in range(1, max((rounds for *_, rounds in scenarios), default=0) + 1):
        for name, loads, entrants, rounds in scenarios:
            if number > rounds:
                continue
            for load in loads:
                for entrant in rotated(entrants, number - 1):
                    task = Task(name, load.label, load.work, entrant, number)
                    if task not in done:
                        yield task, load
