"""How much of the journal is kept (P9)."""

import os
from pathlib import Path

import pytest

from paperpath.journal.retention import remove_old_files

NOON_US = 1_795_348_800_000_000  # 2026-11-22T12:00:00Z


def fill(folder: Path, *names: str) -> None:
    """Make files of 100 octets, each written to later than the one before."""
    for number, name in enumerate(names):
        (folder / name).write_bytes(b"x" * 100)
        os.utime(folder / name, (number, number))


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_P9_days_that_are_over_go_whole(tmp_path: Path) -> None:
    fill(tmp_path, "2026-10-22.smtprd.1", "2026-10-23.smtprd.1", "2026-11-22.smtprd.1", "2027-11-22.smtprd.1")
    assert remove_old_files(tmp_path, 30, 10_000, NOON_US) == 1
    assert left(tmp_path) == ["2026-10-23.smtprd.1", "2026-11-22.smtprd.1", "2027-11-22.smtprd.1"]


def test_P9_what_is_too_much_goes_the_oldest_first(tmp_path: Path) -> None:
    fill(
        tmp_path,
        "2026-11-22.smtprd.1",
        "2026-11-22.smtppd.1",
        "2026-11-21.smtprd.1",  # written to late, and of an earlier day all the same
        "2026-11-22.smtprd.2",
    )
    assert remove_old_files(tmp_path, 30, 400, NOON_US) == 0
    assert remove_old_files(tmp_path, 30, 399, NOON_US) == 1
    assert left(tmp_path) == ["2026-11-22.smtppd.1", "2026-11-22.smtprd.1", "2026-11-22.smtprd.2"]
    assert remove_old_files(tmp_path, 30, 100, NOON_US) == 2
    assert left(tmp_path) == ["2026-11-22.smtprd.2"]


def test_P9_nothing_else_is_removed(tmp_path: Path) -> None:
    fill(tmp_path, "notes", "1990-01-01.smtprd", "2026-11-22.smtprd.1")
    assert remove_old_files(tmp_path, 1, 0, NOON_US) == 1
    assert left(tmp_path) == ["1990-01-01.smtprd", "notes"]


@pytest.mark.parametrize("now_us", [0, NOON_US])
def test_P9_without_a_journal_there_is_nothing_to_remove(tmp_path: Path, now_us: int) -> None:
    assert remove_old_files(tmp_path / "none", 30, 100, now_us) == 0
