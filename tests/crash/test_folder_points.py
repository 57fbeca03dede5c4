"""A sample of the crash points of the mail store; all of them by `python -m tests.crash.folder_points`."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_K10_K19_K29_F8_what_was_acknowledged_of_a_mailbox_outlives_death_power_cuts_and_failures() -> None:
    run("--every=97")


def test_K10_what_is_linked_or_written_for_a_folder_is_there_whole_before_it_is_expected() -> None:
    """Found by all points: where the power took some of the names in tmp, the others came."""
    run("--only=copy / rename cur / 1 / reordered")
    run("--only=append / rename cur / 2 / reordered")


def run(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash.folder_points", *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.endswith(" cases, 0 broken\n"), done.stdout + done.stderr
    assert done.returncode == 0
