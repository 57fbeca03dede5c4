"""`paperpath access`: rules come, go, are listed and asked for; nothing unsafe is written (L-13, L-4, P7)."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from paperpath.commands.paperpath import main
from tests.unit.config.example import RIGHT

RULES = "# ours\n192.0.2.0/24  privileged   # the office\n\n.dyn.example.net 0\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "paperpath.toml"
    access = '[[relay.access]]\nclients = ["192.0.2.0/25"]\nservice = "null"\n'
    made.write_text(RIGHT.replace("[relay]", '[relay]\naccess_file = "rules"') + access)
    made.chmod(0o640)
    (tmp_path / "rules").write_text(RULES)
    (tmp_path / "rules").chmod(0o604)
    return made


def run(file: Path, name: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["access", name, "--config", str(file), *arguments])


def read(file: Path) -> str:
    return (file.parent / "rules").read_text()


def test_L13_rules_come_change_and_go_and_the_rest_stays(file: Path) -> None:
    added = run(file, "add", "2001:DB8::/32", "2")
    assert (added.exit_code, added.output) == (0, f"{file.parent}/rules: 2001:db8::/32 is privileged\n")
    changed = run(file, "add", "::ffff:192.0.2.0/120", "deny")
    assert "192.0.2.0/24 is deny, it was privileged" in changed.output
    assert read(file) == RULES.replace("privileged", "deny") + "2001:db8::/32\tprivileged\n"
    assert (file.parent / "rules").stat().st_mode & 0o777 == 0o604
    gone = run(file, "delete", ".DYN.example.net")
    assert ".dyn.example.net is no longer null" in gone.output
    assert run(file, "delete", "2001:db8::/32").exit_code == 0
    assert read(file) == "# ours\n192.0.2.0/24  deny   # the office\n\n"


def test_L13_what_is_not_there_cannot_be_taken_out(file: Path) -> None:
    before = read(file)
    missing = run(file, "delete", "192.0.2.0/25")
    assert (missing.exit_code, missing.output) == (1, f"{file.parent}/rules: no rule for 192.0.2.0/25\n")
    assert read(file) == before
    assert run(file, "add", "192.0.2.0/24", "privileged").exit_code == 0
    assert read(file) == before


def test_L13_rules_are_listed_and_asked_for_with_where_they_stand(file: Path) -> None:
    rules = str(file.parent / "rules")
    listed = json.loads(run(file, "list", "--json").output)
    assert [tuple(rule.values()) for rule in listed] == [
        ("192.0.2.0/25", "null", "relay.access[0]"),
        ("192.0.2.0/24", "privileged", f"{rules}:2"),
        (".dyn.example.net", "null", f"{rules}:4"),
    ]
    assert f"192.0.2.0/24\tprivileged\t{rules}:2\n" in run(file, "list").output
    assert (
        run(file, "query", "192.0.2.200").output
        == f"192.0.2.200 is privileged, by 192.0.2.0/24 in {rules}:2\n"
    )
    assert (
        run(file, "query", "::ffff:192.0.2.1").output
        == "192.0.2.1 is null, by 192.0.2.0/25 in relay.access[0]\n"
    )
    named = json.loads(run(file, "query", "--json", "2001:db8::1", "--name", "a.Dyn.example.net.").output)
    assert named == {"service": "null", "rule": listed[2]}
    assert json.loads(run(file, "query", "--json", "2001:db8::1").output) == {
        "service": "normal",
        "rule": None,
    }
    assert run(file, "query", "mail.example.org").exit_code == os.EX_USAGE


@pytest.mark.parametrize(
    ("clients", "service", "code", "said"),
    [
        ("192.0.2.1/24", "2", os.EX_USAGE, 'as in "192.0.2.0/24"'),
        ("fe80::1%eth0", "2", os.EX_USAGE, "without a zone"),
        ("192.0.2.1", "3", os.EX_USAGE, "expected deny, null"),
        ("0.0.0.0/0", "privileged", os.EX_DATAERR, 'rules:5: "0.0.0.0/0" would relay for everyone'),
    ],
)
def test_P7_what_is_wrong_or_would_relay_for_everyone_is_not_written(
    file: Path, clients: str, service: str, code: int, said: str
) -> None:
    refused = run(file, "add", clients, service)
    assert (refused.exit_code, said in refused.output, read(file)) == (code, True, RULES)


def test_a_file_with_mistakes_is_left_as_it_is_and_they_are_told(file: Path) -> None:
    rules = file.parent / "rules"
    rules.write_text(f"{RULES}nonsense\n")
    refused = run(file, "add", "192.0.2.9", "2")
    assert (refused.exit_code, "rules:5: expected" in refused.output) == (os.EX_DATAERR, True)
    assert rules.read_text() == f"{RULES}nonsense\n"
    assert run(file, "list").exit_code == os.EX_CONFIG
    check = CliRunner().invoke(main, ["check", "--config", str(file)])
    assert (check.exit_code, "rules:5: expected" in check.output) == (os.EX_CONFIG, True)


def test_L4_a_file_that_everybody_may_write_is_not_touched(file: Path) -> None:
    (file.parent / "rules").chmod(0o666)
    for command in (["add", "192.0.2.9", "2"], ["delete", "192.0.2.0/24"], ["list"], ["query", "192.0.2.1"]):
        refused = run(file, *command)
        assert (refused.exit_code, "every user of this host may write it" in refused.output) == (
            os.EX_CONFIG,
            True,
        )
    assert read(file) == RULES


def test_the_first_rule_makes_the_file_and_links_are_followed(file: Path) -> None:
    (file.parent / "rules").unlink()
    (file.parent / "rules").symlink_to("elsewhere")
    assert run(file, "add", "192.0.2.9", "2").exit_code == 0
    made = file.parent / "elsewhere"
    assert made.read_text().splitlines()[1:] == ["192.0.2.9\tprivileged"]
    assert made.stat().st_mode & 0o777 == 0o640
    assert (file.parent / "rules").is_symlink()


def test_without_a_file_there_is_nothing_to_change(tmp_path: Path) -> None:
    file = tmp_path / "paperpath.toml"
    file.write_text(RIGHT)
    file.chmod(0o600)
    refused = run(file, "add", "192.0.2.9", "2")
    assert (refused.exit_code, "relay.access_file: no rules file is named" in refused.output) == (
        os.EX_CONFIG,
        True,
    )
    assert run(file, "add", "--submission", "192.0.2.9", "2").exit_code == os.EX_CONFIG
