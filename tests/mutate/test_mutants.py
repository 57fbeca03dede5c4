"""The mutants fit the code of today, and the runner tells who was killed from who was not."""

import dataclasses

import pytest

from tests.mutate import __main__ as command
from tests.mutate.imap import IMAP_PROMISES, M25
from tests.mutate.mutant import SOURCE, GoneError, Mutant, choose
from tests.mutate.promises import PROMISES
from tests.mutate.requirements import REQUIREMENTS
from tests.mutate.runner import Verdict, try_one

MUTANTS = command.MUTANTS
QUICK = choose(MUTANTS, ["M10"])


def name(mutant: Mutant) -> str:
    return f"{mutant.proves}-{mutant.file}"


def read(mutant: Mutant) -> str:
    return (SOURCE / "paperpath" / mutant.file).read_text(encoding="utf-8")


@pytest.mark.parametrize("mutant", MUTANTS, ids=name)
def test_every_mutant_applies_and_its_test_exists(mutant: Mutant) -> None:
    changed = mutant.change(read(mutant))
    assert changed != read(mutant)
    compile(changed, mutant.file, "exec")
    assert f"def {mutant.test_function}(" in mutant.test_file.read_text(encoding="utf-8")


def test_every_promise_and_every_row_has_a_mutant() -> None:
    promises = {f"P{number}" for number in range(1, 10)}
    assert {mutant.proves for mutant in PROMISES} == promises
    assert {mutant.proves for mutant in IMAP_PROMISES} <= promises
    rows = {f"M{number}" for number in range(1, 26)}
    assert {mutant.proves for mutant in (*REQUIREMENTS, *M25)} == rows


@pytest.mark.parametrize("mutant", QUICK, ids=name)
def test_a_mutant_is_killed_and_the_code_is_left_alone(mutant: Mutant) -> None:
    before = read(mutant)
    assert try_one(mutant).verdict is Verdict.KILLED
    assert read(mutant) == before


def test_a_change_that_changes_nothing_survives(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    harmless = dataclasses.replace(QUICK[0], becomes=f"{QUICK[0].line}  # as ever")
    monkeypatch.setattr(command, "MUTANTS", (harmless,))
    assert command.main(["--only", harmless.file]) == 1
    assert "SURVIVED" in capsys.readouterr().out


def test_a_line_that_is_gone_or_stands_twice_is_told() -> None:
    gone = dataclasses.replace(QUICK[0], line="no such line")
    assert try_one(gone).verdict is Verdict.GONE
    with pytest.raises(GoneError):
        dataclasses.replace(gone, line="twice").change("twice\n    twice\n")


def test_of_equal_lines_the_one_in_the_function_is_changed() -> None:
    mutant = dataclasses.replace(QUICK[0], line="same", becomes="other", within="second")
    text = "def first():\n    same\ndef second():\n    same\n"
    assert mutant.change(text) == "def first():\n    same\ndef second():\n    other\n"
    with pytest.raises(GoneError):
        dataclasses.replace(mutant, within="third").change(text)


def test_a_test_that_cannot_be_run_judges_nothing() -> None:
    nowhere = dataclasses.replace(QUICK[0], test="tests/unit/nowhere.py::test_nothing")
    assert try_one(nowhere).verdict is Verdict.NO_JUDGEMENT
