"""`paperpath domain`: the file edited in place, checked first, its owner and mode kept."""

import json
import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from paperpath.commands.paperpath import main

TEXT = """\
# ours
hostname = "mx.here.example"

[relay]
listen = ["127.0.0.1:2525"]
domains = ["here.example"]  # the first

[post_office]
postmaster = "me@here.example"

[[post_office.route]]
domain = "here.example"
via = "local"
"""
ADDED = TEXT.replace('["here.example"]', '["here.example", "new.example"]')
ADDED += '\n[[post_office.route]]\ndomain = "new.example"\nvia = "local"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "paperpath.toml"
    made.write_text(TEXT)
    made.chmod(0o640)
    return made


def run(file: Path, name: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["domain", name, "--config", str(file), *arguments])


def test_a_domain_comes_and_goes(file: Path) -> None:
    added = run(file, "add", "new.example")
    assert added.exit_code == 0
    assert "relay.domains: added new.example" in added.output
    assert file.read_text() == ADDED
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    again = run(file, "add", "new.example")
    assert (again.exit_code, "already" in again.output, file.read_text()) == (0, True, ADDED)
    assert run(file, "remove", "new.example").exit_code == 0
    assert file.read_text().rstrip() == TEXT.rstrip()
    gone = run(file, "remove", "new.example")
    assert (gone.exit_code, "nowhere" in gone.output) == (1, True)


def test_domains_are_listed_with_their_ways(file: Path) -> None:
    run(file, "add", ".new.example", "--via", "smtp://relay.example.net:25")
    listed = run(file, "list").output
    assert listed == "here.example\taccepted\tlocal\n.new.example\taccepted\tsmtp://relay.example.net:25\n"
    text = file.read_text().replace('"here.example", ', "")
    file.write_text(text + '\n[[post_office.route]]\ndomain = "*"\nvia = "mx"\n')
    assert json.loads(run(file, "list", "--json").output) == [
        {"domain": ".new.example", "accepted": True, "via": "smtp://relay.example.net:25"},
        {"domain": "here.example", "accepted": False, "via": "local"},
        {"domain": "*", "accepted": False, "via": "mx"},
    ]


def test_what_is_left_and_what_is_doubtful_is_told(file: Path) -> None:
    removed = run(file, "remove", "here.example")
    assert removed.exit_code == 0
    assert 'left as it is: post_office.postmaster = "me@here.example"' in removed.output
    assert "warning: " in removed.output


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("add", "*"), os.EX_DATAERR),
        (("add", "a b"), os.EX_DATAERR),
        (("add", "here.example", "--via", "mx"), os.EX_DATAERR),
        (("add", "new.example", "--via", "nowhere"), os.EX_USAGE),
    ],
)
def test_what_cannot_be_leaves_the_file_as_it_was(file: Path, arguments: tuple[str, ...], code: int) -> None:
    assert run(file, *arguments).exit_code == code
    assert file.read_text() == TEXT


def test_L4_a_file_that_would_be_refused_is_not_edited(file: Path) -> None:
    file.chmod(0o666)
    assert run(file, "add", "new.example").exit_code == os.EX_CONFIG
    assert file.read_text() == TEXT


def test_what_check_finds_wrong_keeps_the_old_file(file: Path) -> None:
    (file.parent / "data").mkdir()
    (file.parent / "data" / "accounts").write_text("nonsense\n")
    refused = run(file, "add", "new.example")
    assert (refused.exit_code, "left as it was" in refused.output) == (os.EX_CONFIG, True)
    assert file.read_text() == TEXT


def test_a_link_to_the_file_stays_one(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.toml"
    link.symlink_to(file)
    assert run(link, "add", "new.example").exit_code == 0
    assert link.is_symlink()
    assert file.read_text() == ADDED


@pytest.mark.parametrize("name", ["add", "list", "remove"])
def test_every_command_has_help_with_an_example(name: str) -> None:
    assert "Example: paperpath domain" in CliRunner().invoke(main, ["domain", name, "--help"]).output
