"""Samples and parts leave nothing out, and what is passed over is like its neighbours."""

from itertools import chain
from pathlib import Path

from tests.crash.choosing import choose_part, choose_sample, list_cases, list_distinct, pick_telling
from tests.crash.ledger import Ledger
from tests.crash.points import How, Point
from tests.crash.runner import Scene


def make_scene(scenario: str, *points: Point) -> Scene:
    return Scene(scenario, 0, Path(), Ledger(), (), points)


def make_points(transition: str, call: str, count: int) -> list[Point]:
    return [Point(transition, call, hit) for hit in range(1, count + 1)]


SCENES = [
    make_scene("a", *make_points("sort", "write", 40), *make_points("sort", "fsync", 3)),
    make_scene("b", *make_points("claim", "write", 7), *make_points("sort", "fsync", 9)),
    make_scene("c", *make_points("open", "COMMIT", 1)),
]
CASES = list_cases(SCENES, (How.BEFORE, How.POWER))


def test_consecutive_samples_try_every_case() -> None:
    samples = [choose_sample(CASES, 10, seed) for seed in range(-(-len(CASES) // 10))]
    assert {len(sample) for sample in samples} == {10}
    assert set(map(str, chain(*samples))) == set(map(str, CASES))
    assert samples[0] == choose_sample(CASES, 10, 0)
    assert len(choose_sample(CASES, 1000, 5)) == len(CASES)


def test_a_sample_has_its_share_of_each_scenario() -> None:
    half = choose_sample(CASES, len(CASES) // 2, 7)
    for scene in SCENES:
        count = sum(case.scene is scene for case in half)
        assert abs(count - len(scene.points)) <= 2  # of each transition one more or less


def test_parts_make_up_the_whole_and_are_the_same_when_another_case_comes() -> None:
    parts = [choose_part(CASES, number, 3) for number in (1, 2, 3)]
    assert sorted(map(str, chain(*parts))) == sorted(map(str, CASES))
    assert choose_part(CASES[1:], 2, 3) == [case for case in parts[1] if case is not CASES[0]]


def test_of_equal_calls_in_a_row_the_first_three_and_the_last_are_tried() -> None:
    row = make_points("receive", "write content", 9)
    close = Point("receive", "close content", 1)
    again = [Point("receive", "write content", hit) for hit in (10, 11)]
    assert list(pick_telling([*row, close, *again])) == [*row[:3], row[-1], close, *again]


def test_a_point_that_several_scenes_have_is_tried_once() -> None:
    cases = list_distinct(SCENES, [How.BEFORE])
    assert len({case.point for case in cases}) == len(cases)
    assert all(case.point in case.scene.points for case in cases)
