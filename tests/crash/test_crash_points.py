"""A sample of the crash points, and a small storm; all of them by `make crash`. See docs/hacking.md."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SAMPLE = 200
SEED = 4
Tries = list[dict[str, Any]]


def run_crash(*arguments: str) -> str:
    """Run it in a process of its own, which forks and must have no other threads; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash", *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    print(done.stderr)  # what was tried of each scenario: with -rP, or where a test fails
    assert done.stdout, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def tries() -> Tries:
    """The same sample in each run, so that a change is to blame for what turns red."""
    ways = [f"--how={how}" for how in ("before", "power", "reordered", "EIO", "ENOSPC")]
    said = run_crash("--json", f"--sample={SAMPLE}", f"--seed={SEED}", *ways)
    found: Tries = json.loads(said)
    assert len(found) == SAMPLE
    return found


def broken(tries: Tries, *promises: str) -> list[str]:
    return [
        f"make crash ARGS=\"--every --only '{found['case']}'\": {what}"
        for found in tries
        for what in found["wrong"]
        if what.startswith(promises)
    ]


def test_almost_every_point_of_the_sample_was_met(tries: Tries) -> None:
    missed = [found["case"] for found in tries if not found["met"]]
    assert len(missed) <= SAMPLE // 10, missed  # commits may group otherwise from time to time


def test_P2_P3_D1_D2_D3_D13_the_books_balance_and_nothing_is_lost_after_a_crash(tries: Tries) -> None:
    assert broken(tries, "P2") == []


def test_P4_D12_nothing_comes_twice_after_a_crash(tries: Tries) -> None:
    assert broken(tries, "P4") == []


def test_P1_what_comes_after_a_crash_is_what_was_sent(tries: Tries) -> None:
    assert broken(tries, "P1") == []


def test_P8_D18_programs_start_again_after_a_crash_and_outlive_failing_calls(tries: Tries) -> None:
    assert broken(tries, "P8") == []


def test_D4_what_was_refused_does_not_come(tries: Tries) -> None:
    assert broken(tries, "D4") == []


def test_D12_D14_nothing_is_left_in_any_corner_after_a_crash(tries: Tries) -> None:
    assert broken(tries, "D12") == []


def test_P2_P4_P8_D17_the_books_balance_after_a_storm() -> None:
    said = run_crash("--storm", "--messages=800", "--seconds=0.5", f"--seed={SEED}")
    assert said.endswith("the books balance\n"), said


def test_P1_P2_P4_G29_the_books_balance_at_both_ends_after_a_storm_over_remote_delivery() -> None:
    said = run_crash("--storm-remote", "--messages=200", "--seconds=1", f"--seed={SEED}")
    assert said.endswith("the books balance\n"), said
