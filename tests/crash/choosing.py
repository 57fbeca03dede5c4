"""Which crash points are tried, in which of the scenes that have them, and in which order."""

import random
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle, groupby, islice

from tests.crash.points import END, How, Point
from tests.crash.runner import Case, Scene

# An mbox is one file for all its messages: where chance has some octets of an entry, and the power the
# others, a piece of it stays, and the message is delivered again behind that.
_KEEP_PIECES = ("other agents", "agents died", "users filed")
_FIRST = 3  # of equal calls, one right behind the other, as when a long text is written piece by piece


def list_cases(scenes: Sequence[Scene], ways: Iterable[How]) -> list[Case]:
    """List each point in each scene that has it."""
    ways = tuple(ways)
    return [
        Case(scene, point, how)
        for scene in scenes
        for point in scene.points
        for how in ways
        if can_happen(scene, point, how)
    ]


def list_distinct(scenes: Sequence[Scene], ways: Iterable[How]) -> list[Case]:
    """List each distinct point in one scene, but for those that are like their neighbours."""
    ways = tuple(ways)
    homes: defaultdict[Point, list[Scene]] = defaultdict(list)
    for scene in scenes:
        for point in pick_telling(scene.points):
            homes[point].append(scene)
    chosen = [(point, _spread(point, having)) for point, having in homes.items()]
    return [
        Case(scene, point, how) for point, scene in chosen for how in ways if can_happen(scene, point, how)
    ]


def can_happen(scene: Scene, point: Point, how: How) -> bool:
    """Tell whether something can happen at a point, and be judged.

    Behind the end of a program only the power can go.
    """
    if how is How.REORDERED and scene.scenario in _KEEP_PIECES:
        return False
    return point.transition != END or how.cuts_power


def pick_telling(points: Iterable[Point]) -> Iterator[Point]:
    """Give the points but, of equal calls one right behind the other, only the first three and the last."""
    for _, run in groupby(points, lambda point: (point.transition, point.call)):
        equal = list(run)
        yield from equal[:_FIRST]
        yield from equal[_FIRST:][-1:]


def choose_sample(cases: Iterable[Case], count: int, seed: int) -> list[Case]:
    """Choose so many cases, of each scenario and transition its share; the next seed has the next ones.

    So consecutive seeds try all cases, as often as each other.
    """
    groups: defaultdict[tuple[str, str], list[Case]] = defaultdict(list)
    for case in cases:
        groups[case.scene.scenario, case.point.transition].append(case)
    places: list[tuple[float, Case]] = []
    for key, group in groups.items():
        source = random.Random(str(key))
        source.shuffle(group)
        start = source.random()  # else the first of all groups would stand together
        places += [((start + number) / len(group), case) for number, case in enumerate(group)]
    places.sort(key=lambda place: place[0])
    begin = seed * count % len(places)
    return [case for _, case in islice(cycle(places), begin, begin + min(count, len(places)))]


def choose_part(cases: Iterable[Case], number: int, parts: int) -> list[Case]:
    """Choose the cases of one of several parts: the same ones, whatever else was recorded this time."""
    return [case for case in cases if _hash(str(case)) % parts == number - 1]


def _spread(point: Point, scenes: Sequence[Scene]) -> Scene:
    """Choose the same scene each time, and not the same one for all points."""
    return scenes[_hash(str(point)) % len(scenes)]


def _hash(text: str) -> int:
    """Return a number that is the same in every process."""
    return zlib.crc32(text.encode())
