"""The skeleton: what a program that fails leaves behind."""

import os
from pathlib import Path

import pytest

from paperpath.service.program import Life, run_program
from tests.unit.config.example import RIGHT


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("paperpath.service.program.give_up_what_nobody_needs", lambda: None)  # for good
    file = tmp_path / "paperpath.toml"
    file.write_text(RIGHT)
    return file


def test_a_defect_is_one_line_of_the_log(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def body(life: Life) -> None:
        raise ZeroDivisionError("two\nlines")

    assert run_program("smtptd", file, body) == os.EX_SOFTWARE
    *_, line = capsys.readouterr().err.splitlines()
    assert " smtptd error defect " in line
    assert "test_program.py" in line


def test_a_program_that_ends_by_itself_leaves_no_socket(file: Path) -> None:
    async def body(life: Life) -> None:
        assert (file.parent / "data" / "run" / "control" / "smtptd.sock").is_socket()

    assert run_program("smtptd", file, body) == os.EX_OK
    assert list((file.parent / "data" / "run" / "control").iterdir()) == []
