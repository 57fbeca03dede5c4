"""The floor of free space (S-3)."""

from pathlib import Path

from paperpath.intake.space import FreeSpace


def test_S3_the_floor_must_hold_with_what_is_to_come(tmp_path: Path) -> None:
    assert FreeSpace(tmp_path, 0).has_room(0)
    assert not FreeSpace(tmp_path, 2**62).has_room(0)
    assert not FreeSpace(tmp_path, 0).has_room(2**62)


def test_S3_a_disk_that_cannot_be_asked_has_no_room(tmp_path: Path) -> None:
    assert not FreeSpace(tmp_path / "gone", 0).has_room(0)
