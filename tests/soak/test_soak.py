"""A sample of the soak, and that its judges see what is wrong; ten minutes of it by `make soak`."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.ledger import Answer, Ledger, Message
from tests.crash.steps import U
from tests.soak.stories import find_gaps
from tests.soak.watching import Sample, describe_excess, describe_growth, find_growths


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_P1_P2_P4_P8_P9_L_nothing_is_wrong_after_a_soak() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak", "--seconds=10", "--seed=4"],
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.endswith("nothing is wrong\n"), done.stdout + done.stderr
    assert done.returncode == 0


def test_memory_that_grows_through_the_second_half_is_told_and_other_is_not() -> None:
    samples = {
        ("leaky", 1): [Sample(second, 50_000 + 400 * second, 9) for second in range(100)],
        ("steady", 2): [Sample(second, 50_000 + 9000 * (second % 2), 9) for second in range(100)],
        ("young", 3): [Sample(second, 50_000 + 9000 * second, 9) for second in range(95, 100)],
    }
    said = describe_growth(find_growths(samples, 50, 100))
    assert said == ["L: leaky (1) grew by 19.1 MiB"]


def test_descriptors_that_stay_open_are_told() -> None:
    assert describe_excess({"smtprd": 20}, {"smtprd": 36}) == []
    assert describe_excess({"smtprd": 20}, {"smtprd": 37}) != []


def test_P9_a_message_without_a_story_is_told(tmp_path: Path) -> None:
    ledger = Ledger()
    ledger.note(Message(1, (U,), {U: 1}), Answer.TAKEN)
    ledger.note(Message(2, (U,), {U: 1}), Answer.REFUSED)
    ledger.note(Message(3, (U, "x@else.example"), {U: 1}), Answer.TAKEN)
    (tmp_path / "2026-02-02.smtprd.1").write_text(
        '{"time_us":1,"event":"accepted","queue_id":"Q3","sender":"sender+3@else.example"}\n'
        '{"time_us":2,"event":"attempted","queue_id":"Q3","recipient":"u@here.example","outcome":"delivered"}\n'
    )
    assert list(find_gaps(tmp_path, ledger)) == ["message 1 was never accepted", "x@else.example has no end"]
