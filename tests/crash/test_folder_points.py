"""A sample of the crash points of the mail store; all of them by `python -m tests.crash.folder_points`."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_K10_K19_K29_F8_what_was_acknowledged_of_a_mailbox_outlives_death_power_cuts_and_failures() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash.folder_points", "97"],
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.endswith(" cases, 0 broken\n"), done.stdout + done.stderr
    assert done.returncode == 0
