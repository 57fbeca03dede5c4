"""`paperpath lists check` where there is nothing to ask; tests/system asks."""

import os
from pathlib import Path

from tests.unit.commands.test_commands import run


def test_who_has_no_lists_is_told_so(tmp_path: Path) -> None:
    run("init", tmp_path / "here")
    result = run("lists", "check", "--config", tmp_path / "here" / "paperpath.toml", "192.0.2.1")
    assert result.exit_code == 0
    assert "No lists" in result.output


def test_what_is_no_address_is_refused(tmp_path: Path) -> None:
    run("init", tmp_path / "here")
    result = run("lists", "check", "--config", tmp_path / "here" / "paperpath.toml", "mail.example.org")
    assert result.exit_code == os.EX_USAGE
    assert "expected an IP address" in result.output
