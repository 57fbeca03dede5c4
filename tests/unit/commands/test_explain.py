"""`paperpath explain` and what `paperpath check` says of aliases (E-3, P9, S-6)."""

import json
import os
from pathlib import Path

import pytest

from tests.unit.commands.test_commands import run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "here" / "paperpath.toml"
    assert run("init", tmp_path / "here").exit_code == 0
    text = file.read_text(encoding="utf-8").replace("[post_office]", '[post_office]\naliases = "aliases"')
    file.write_text(text, encoding="utf-8")
    (file.parent / "aliases").write_text("info: me, x@else.example, nobody\n", encoding="utf-8")
    return file


def test_each_rule_looked_at_is_told_and_the_one_that_decided_comes_last(file: Path) -> None:
    result = run("explain", "rcpt", "--config", file, "Info@example.test")
    assert result.exit_code == 0, result.output
    assert [line.rstrip() for line in result.output.splitlines()][:6] == [
        "relay says '250 2.1.5 Recipient taken'",
        "submission says '250 2.1.5 Recipient taken'",
        "Info@example.test",
        "  route      example.test: 'example.test: local'",
        "  alias      Info@example.test: 'info (line 1)'",
        "  decision   expanded me@example.test x@else.example nobody@example.test",
    ]
    assert result.output.splitlines()[-9:] == [
        "x@else.example via info",
        "  route      else.example: 'none, so mx'",
        "  decision   remote else.example",
        "nobody@example.test via info",
        "  route      example.test: 'example.test: local'",
        "  alias      nobody@example.test: none",
        "  account    nobody@example.test: none",
        "  alias      @example.test: none",
        "  decision   refused '550 5.1.1 No such mailbox here'",
    ]


def test_the_same_as_json(file: Path) -> None:
    told = json.loads(run("explain", "rcpt", "--config", file, "--json", "info@example.test").output)
    assert told["relay"].startswith("250")
    assert [(one["address"], one["decision"]["to"]) for one in told["recipients"]] == [
        ("info@example.test", "expanded"),
        ("me@example.test", "local"),
        ("x@else.example", "remote"),
        ("nobody@example.test", "refused"),
    ]


def test_S6_what_an_address_holds_reaches_no_terminal(file: Path) -> None:
    result = run("explain", "rcpt", "--config", file, '"\u200e\U0001f4a9"@example.test')
    assert result.exit_code == 0
    assert result.output.isascii()
    bad = run("explain", "rcpt", "--config", file, "\x1b[2J")
    assert bad.exit_code == os.EX_USAGE
    assert "\x1b" not in bad.output


def test_what_cannot_be_read_is_told(file: Path) -> None:
    (file.parent / "aliases").write_text("info: |prog\nb\n", encoding="utf-8")
    result = run("explain", "rcpt", "--config", file, "info@example.test")
    assert result.exit_code == os.EX_CONFIG
    assert f"{file.parent / 'aliases'}:2: expected " in result.output
    told = json.loads(run("check", "--config", file, "--json").output)
    assert [error.partition(": ")[0] for error in told["errors"]] == [
        f"{file.parent / 'aliases'}:1",
        f"{file.parent / 'aliases'}:2",
    ]


def test_E3_an_alias_at_a_domain_that_is_not_local_is_warned_of(file: Path) -> None:
    (file.parent / "aliases").write_text("a@else.example: me\n@example.test: me\n", encoding="utf-8")
    result = run("check", "--config", file)
    assert result.exit_code == 0
    assert (
        'aliases:1: a@else.example is never asked for: the route of "else.example" is not "local"'
        in result.output
    )
    assert result.output.count("never asked for") == 1


def test_what_waits_for_an_agent_or_a_list_that_is_not_there_is_warned_of(file: Path) -> None:
    aliases = "staff: :include:/nowhere/staff\ninfo: agent:lost\nodd: \"|/bin/sh -c 'x {sender}'\"\n"
    (file.parent / "aliases").write_text(aliases, encoding="utf-8")
    accounts = file.parent / "data" / "accounts"
    accounts.write_text(accounts.read_text().rstrip("\n") + "\t\tdeliver=gone\tforward=agent:away\n")
    result = run("check", "--config", file)
    assert result.exit_code == 0
    assert "aliases:1: mail for staff waits: /nowhere/staff: cannot be read" in result.output
    for name in ("gone", "away"):
        assert f"accounts: me@example.test: there is no table [agents.{name}]" in result.output
    assert "aliases:2: there is no table [agents.lost]" in result.output
    assert "aliases:3: a shell reads the argument behind -c" in result.output
