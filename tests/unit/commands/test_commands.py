"""The commands, as people type them: help, exit codes, errors, JSON."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from paperpath.commands.paperpath import main
from paperpath.local import smtpld
from paperpath.postoffice import smtppd
from paperpath.relay import smtprd
from tests.support.installation import find_free_port

MISTAKES = """\
hostname = 5
colour = "red"

[relay]
listen = ["127.0.0.1"]
size = "big"

[post_office]
postmaster = "nobody"
"""


def run(*arguments: str | Path) -> Result:
    old = os.umask(0o022)
    try:
        return CliRunner().invoke(main, [str(argument) for argument in arguments])
    finally:
        os.umask(old)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    result = run("init", "--listen", f"127.0.0.1:{find_free_port()}", tmp_path / "here")
    assert result.exit_code == 0, result.output
    return tmp_path / "here" / "paperpath.toml"


COMMANDS = [(), *[(name,) for name in main.commands], ("account", "add")]
COMMANDS += [("queue", name) for name in main.commands["queue"].commands]  # type: ignore[attr-defined]


@pytest.mark.parametrize("arguments", COMMANDS)
def test_every_command_has_help_with_an_example(arguments: tuple[str, ...]) -> None:
    result = run(*arguments, "--help")
    assert result.exit_code == 0
    assert "Example: paperpath" in result.output


@pytest.mark.parametrize("command", [smtprd.main, smtppd.main, smtpld.main])
def test_every_program_has_help_with_an_example(command: object) -> None:
    result = CliRunner().invoke(command, ["--help"])  # type: ignore[arg-type]
    assert result.exit_code == 0
    assert "--config paperpath.toml" in result.output


def test_init_makes_an_installation_and_never_overwrites_one(file: Path) -> None:
    assert run("check", "--config", file).exit_code == 0
    before = file.read_bytes()
    again = run("init", file.parent)
    assert again.exit_code == os.EX_CANTCREAT
    assert "left as it is" in again.output
    assert file.read_bytes() == before
    assert file.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "options",
    [("--domain", "not a domain"), ("--mailbox", "a b"), ("--listen", "nowhere"), ("--listen", "[::1]")],
)
def test_init_refuses_what_no_configuration_could_hold(options: tuple[str, str], tmp_path: Path) -> None:
    result = run("init", *options, tmp_path / "x")
    assert result.exit_code == os.EX_USAGE
    assert "Traceback" not in result.output
    assert not (tmp_path / "x").exists()


def test_check_says_five_mistakes_at_once_with_their_lines(tmp_path: Path) -> None:
    broken = tmp_path / "paperpath.toml"
    broken.write_text(MISTAKES)
    result = run("check", "--config", broken)
    assert result.exit_code == os.EX_CONFIG
    lines = [int(line.split(":")[1]) for line in result.output.splitlines()]
    assert lines == [1, 2, 5, 6, 9]
    found = json.loads(run("check", "--json", "--config", broken).output)
    assert len(found["errors"]) == 5


def test_every_program_refuses_a_broken_configuration(tmp_path: Path) -> None:
    broken = tmp_path / "paperpath.toml"
    broken.write_text(MISTAKES)
    for command in (smtprd.main, smtppd.main, smtpld.main):
        result = CliRunner().invoke(command, ["--config", str(broken)])
        assert result.exit_code == os.EX_CONFIG
        assert result.output.count("paperpath.toml:") == 5


def test_E3_check_warns_of_a_domain_that_nobody_delivers(file: Path) -> None:
    file.write_text(file.read_text().replace('domains = ["', 'domains = ["lost.example", "'))
    result = run("check", "--config", file)
    assert result.exit_code == 0
    assert "lost.example" in result.output
    assert "lost.example" in json.loads(run("check", "--json", "--config", file).output)["warnings"][0]


def test_check_finds_a_broken_accounts_file(file: Path) -> None:
    (file.parent / "data" / "accounts").write_text("nonsense\n")
    result = run("check", "--config", file)
    assert result.exit_code == os.EX_CONFIG
    assert "line 1" in result.output


def test_accounts_come_and_go(file: Path) -> None:
    added = run("account", "add", "--config", file, "joe@example.test")
    assert added.exit_code == 0
    assert "mailboxes/example.test/joe" in added.output
    assert run("account", "add", "--config", file, "joe@example.test").exit_code == os.EX_DATAERR
    listed = json.loads(run("account", "list", "--json", "--config", file).output)
    assert [row["address"] for row in listed] == ["me@example.test", "joe@example.test"]
    assert (Path(listed[1]["folder"]) / "new").is_dir()
    assert run("account", "remove", "--config", file, "joe@example.test").exit_code == 0
    assert run("account", "remove", "--config", file, "joe@example.test").exit_code == os.EX_NOUSER
    assert "joe" not in run("account", "list", "--config", file).output
    assert (Path(listed[1]["folder"]) / "new").is_dir()


@pytest.mark.parametrize("address", ["joe", "postmaster", "a b@example.test", "joe@", "<joe@example.test>"])
def test_account_refuses_what_is_no_address(file: Path, address: str) -> None:
    assert run("account", "add", "--config", file, address).exit_code == os.EX_USAGE


def test_account_warns_where_no_route_delivers_here(file: Path) -> None:
    result = run("account", "add", "--config", file, "joe@else.example")
    assert result.exit_code == 0
    assert "no route" in result.output


@pytest.mark.parametrize("command", ["status", "reload"])
def test_whoever_is_not_running_cannot_be_asked(file: Path, command: str) -> None:
    result = run(command, "--config", file)
    assert result.exit_code == os.EX_UNAVAILABLE
    assert "nothing is running" in result.output


def test_reload_refuses_a_broken_configuration_before_it_asks_anybody(file: Path) -> None:
    file.write_text(MISTAKES)
    result = run("reload", "--config", file)
    assert result.exit_code == os.EX_CONFIG
    assert result.output.count("paperpath.toml:") == 5


def test_upgrade_brings_an_older_maildrop_up_to_date(file: Path) -> None:
    result = run("upgrade", "--config", file)
    assert (result.exit_code, result.output.endswith(": has version 3 already\n")) == (0, True)
    (file.parent / "data" / "maildrop" / "queue.db").unlink()
    result = run("upgrade", "--config", file)
    assert result.exit_code != 0
    assert "`paperpath init` makes one" in result.output
