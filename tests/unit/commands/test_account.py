"""`paperpath account`: who gets in and what he may send; no password in sight (L-4, L-5)."""

import io
import json
import os
import re
import sys
import time
from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from paperpath.accounts.passwords import is_password
from paperpath.accounts.secrets import Limits, Secret, load_secrets
from paperpath.accounts.usage import Usage
from paperpath.commands import password_input
from paperpath.commands.paperpath import main
from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import Client
from tests.unit.commands.desk import CLIENT, Desk

JOE = Mailbox("joe", "here.example")
SESAME = "open sesame"
NOW_S = 1_700_000_000.0


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, monkeypatch)


def run(desk: Desk, name: str, *arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(main, ["account", name, "--config", str(desk.file), *arguments], input=stdin)


def secret_of(desk: Desk, address: Mailbox = JOE) -> Secret | None:
    return load_secrets(desk.file.parent / "data" / "secrets").find_exact(address)


@pytest.fixture
def joe(desk: Desk) -> Desk:
    assert run(desk, "add", "joe@here.example", "--password", stdin=f"{SESAME}\n").exit_code == 0
    return desk


def test_an_account_has_a_password_only_if_it_is_asked_for(desk: Desk) -> None:
    assert run(desk, "add", "joe@here.example", stdin=f"{SESAME}\n").exit_code == 0
    assert secret_of(desk) is None
    assert run(desk, "list").output.endswith("\twithout password\n")


@pytest.mark.parametrize("line", [f"{SESAME}\n", f"{SESAME}\r\n", SESAME, f"{SESAME}\nmore\n"])
def test_L5_a_password_is_the_first_line_of_stdin_and_shown_nowhere(desk: Desk, line: str) -> None:
    added = run(desk, "add", "joe@here.example", "--password", stdin=line)
    secret = secret_of(desk)
    assert secret is not None
    assert is_password(SESAME, secret.password_hash)
    assert secret.scram is not None
    shown = run(desk, "show", "joe@here.example").output + run(desk, "list", "--json").output + added.output
    for text in (SESAME, secret.password_hash, "argon2"):
        assert text not in shown
    kept = (desk.file.parent / "data" / "secrets").read_text()
    assert SESAME not in kept


def test_L5_a_terminal_is_asked_twice(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return SESAME

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(click.termui, "hidden_prompt_func", answer)
    monkeypatch.setattr(sys, "stdin", Terminal())
    assert password_input.read_password() == SESAME
    assert len(asked) == 2


@pytest.mark.parametrize("stdin", ["", "\n", "\x07\n", "x" * 300, "x" * 100_000])
def test_a_password_that_cannot_be_used_changes_nothing(desk: Desk, stdin: str) -> None:
    result = run(desk, "add", "joe@here.example", "--password", stdin=stdin)
    assert result.exit_code == os.EX_DATAERR
    assert "the password cannot be used" in result.output
    assert "joe" not in run(desk, "list").output


def test_another_password_takes_the_place_of_the_old_one(joe: Desk) -> None:
    assert run(joe, "password", "JOE@here.example", stdin="other\n").exit_code == 0
    secret = secret_of(joe)
    assert secret is not None
    assert is_password("other", secret.password_hash)
    assert run(joe, "password", "joe@here.example", "--remove").exit_code == 0
    assert secret_of(joe) == Secret(JOE)


def test_a_suspended_account_keeps_its_password(joe: Desk) -> None:
    before = secret_of(joe)
    assert before is not None
    assert run(joe, "suspend", "joe@here.example").exit_code == 0
    assert secret_of(joe) == replace(before, is_suspended=True)
    assert "\tsuspended\n" in run(joe, "list").output
    assert run(joe, "resume", "joe@here.example").exit_code == 0
    assert secret_of(joe) == before


def test_suspending_holds_the_accounts_mail_if_asked_to(joe: Desk) -> None:
    by_joe = replace(CLIENT, account="joe@here.example")
    joe.put("a@else.example", "b@else.example", client=by_joe)
    joe.put("joe@here.example", client=Client("", 0, "ann", "local", account="ann@here.example"))
    assert run(joe, "suspend", "joe@here.example").exit_code == 0
    assert set(joe.states()) == {"unsorted"}
    held = run(joe, "suspend", "joe@here.example", "--hold")
    assert (held.exit_code, "2 recipients held" in held.output) == (0, True)
    assert [entry.state.value for entry in joe.entries()] == ["held", "held", "unsorted"]
    assert joe.run("release", "--account", "joe@here.example").exit_code == 0
    assert set(joe.states()) == {"unsorted"}


def test_suspending_without_mail_in_the_queue_is_no_failure(joe: Desk) -> None:
    held = run(joe, "suspend", "joe@here.example", "--hold")
    assert (held.exit_code, "0 recipients held" in held.output) == (0, True)


def test_what_somebody_handed_in_is_listed_by_the_account(desk: Desk) -> None:
    desk.put("a@else.example", client=replace(CLIENT, account="joe@here.example"))
    desk.put("b@else.example")
    listed = desk.run("list", "--account", "joe@here.example")
    assert ", by joe@here.example" in listed.output
    assert "b@else.example" not in listed.output


def test_limits_are_set_one_by_one_and_shown_with_their_use(
    joe: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: NOW_S)
    assert "no limits" in run(joe, "limit", "joe@here.example", "--messages", "0").output
    run(joe, "limit", "joe@here.example", "--messages", "5")
    limited = run(joe, "limit", "joe@here.example", "--new-recipients", "7")
    assert "at most 5 messages a day, at most 7 new recipients a day" in limited.output
    secret = secret_of(joe)
    assert secret is not None
    assert secret.limits == Limits(5, 7)
    Usage(joe.file.parent / "data" / "usage").take(JOE, secret.limits, [Mailbox("a", "b.example")], NOW_S)
    shown = run(joe, "show", "joe@here.example").output
    assert re.search(r"^messages +1 of 5 today$", shown, re.MULTILINE)
    assert re.search(r"^new recipients +1 of 7 today$", shown, re.MULTILINE)
    assert json.loads(run(joe, "show", "joe@here.example", "--json").output) == {
        "address": "joe@here.example",
        "folder": str(joe.file.parent / "data/mailboxes/here.example/joe"),
        "deliver": "maildir",
        "forwards": [],
        "keeps": True,
        "quota": "none",
        "has_password": True,
        "suspended": False,
        "messages_per_day": 5,
        "new_recipients_per_day": 7,
        "today": {"messages": 1, "new_recipients": 1},
    }


def test_F10_a_mailbox_has_the_quota_that_was_set_or_else_everybodys(joe: Desk) -> None:
    accounts = joe.file.parent / "data" / "accounts"
    with joe.file.open("a") as file:
        file.write('\n[local]\nquota = "5 MB"\n')
    said = run(joe, "set", "joe@here.example", "--quota", "1G,1000C").output
    assert said == "joe@here.example may hold 1073741824S,1000C\n"
    assert accounts.read_text().endswith("\there.example/joe\t\tquota=1073741824S,1000C\n")
    run(joe, "forward", "joe@here.example", "--to", "x@else.example")
    shown = run(joe, "show", "joe@here.example").output
    assert re.search(r"^may hold +1073741824S,1000C$", shown, re.MULTILINE)
    assert "may hold whatever comes" in run(joe, "set", "joe@here.example", "--quota", "none").output
    assert accounts.read_text().endswith("forward=x@else.example\tquota=none\n")
    said = run(joe, "set", "joe@here.example", "--quota", "default").output
    assert said == "joe@here.example may hold 5000000S (local.quota)\n"
    assert "quota" not in accounts.read_text()


def test_F10_a_quota_that_is_none_is_refused(joe: Desk) -> None:
    refused = run(joe, "set", "joe@here.example", "--quota", "much")
    assert refused.exit_code == os.EX_DATAERR
    assert "much: expected a size" in refused.output
    assert run(joe, "set", "joe@here.example").exit_code == os.EX_USAGE


def test_a_limit_has_to_be_named(joe: Desk) -> None:
    assert run(joe, "limit", "joe@here.example").exit_code == os.EX_USAGE


def test_what_is_removed_leaves_no_secret_and_no_counts(joe: Desk) -> None:
    Usage(joe.file.parent / "data" / "usage").take(JOE, Limits(5), [], NOW_S)
    assert run(joe, "remove", "joe@here.example").exit_code == 0
    assert secret_of(joe) is None
    assert list((joe.file.parent / "data" / "usage").iterdir()) == []


def test_a_new_account_has_nothing_of_one_that_was_removed_by_hand(joe: Desk) -> None:
    (joe.file.parent / "data" / "accounts").write_text("# nobody\n")
    assert run(joe, "add", "joe@here.example").exit_code == 0
    assert secret_of(joe) is None


@pytest.mark.parametrize("name", ["password", "suspend", "resume", "limit", "show"])
def test_who_is_no_account_cannot_be_changed(desk: Desk, name: str) -> None:
    arguments = ["--messages", "1"] if name == "limit" else []
    result = run(desk, name, "nobody@here.example", *arguments, stdin=f"{SESAME}\n")
    assert (result.exit_code, "no account" in result.output) == (os.EX_NOUSER, True)


def test_L4_secrets_that_others_may_read_are_not_used(joe: Desk) -> None:
    (joe.file.parent / "data" / "secrets").chmod(0o644)
    for name in ("list", "show"):
        result = run(joe, name, *(["joe@here.example"] if name == "show" else []))
        assert (result.exit_code, "chmod 600" in result.output) == (os.EX_CONFIG, True)
    checked = CliRunner().invoke(main, ["check", "--config", str(joe.file)])
    assert (checked.exit_code, "chmod 600" in checked.output) == (os.EX_CONFIG, True)


@pytest.mark.parametrize("name", ["add", "list", "show", "password", "suspend", "resume", "limit", "remove"])
def test_every_command_has_help_with_an_example(name: str) -> None:
    result = CliRunner().invoke(main, ["account", name, "--help"])
    assert "Example: paperpath account" in result.output


def use_agents(desk: Desk) -> None:
    desk.file.write_text(desk.file.read_text() + '\n[agents.archive]\nkind = "discard"\n')


def test_an_account_is_delivered_to_by_an_agent(desk: Desk) -> None:
    use_agents(desk)
    refused = run(desk, "add", "joe@here.example", "--deliver", "gone")
    assert refused.exit_code == os.EX_DATAERR
    assert "expected an agent of the configuration (maildir, archive)" in refused.output
    added = run(desk, "add", "joe@here.example", "--folder", "Work", "--deliver", "archive")
    assert "is delivered to by archive" in added.output
    shown = run(desk, "show", "joe@here.example").output
    assert re.search(r"^delivered by +archive$", shown, re.MULTILINE)
    assert json.loads(run(desk, "list", "--json").output)[0]["deliver"] == "archive"
    assert "by maildir" in run(desk, "set", "joe@here.example", "--deliver", "maildir").output
    assert json.loads(run(desk, "list", "--json").output)[0]["deliver"] == "maildir"


def test_an_account_forwards_what_was_said_last(joe: Desk) -> None:
    def forward(*options: str) -> Result:
        return run(joe, "forward", "joe@here.example", *options)

    assert forward().output == "joe@here.example forwards nothing\n"
    assert forward("--to", "a@x.example", "--to", "b@x.example", "--to", "a@x.example").output == (
        "joe@here.example forwards to a@x.example, b@x.example\n"
    )
    told = json.loads(run(joe, "show", "joe@here.example", "--json").output)
    assert (told["forwards"], told["keeps"]) == (["a@x.example", "b@x.example"], False)
    kept = "joe@here.example forwards to c@x.example, and keeps a copy\n"
    assert forward("--to", "c@x.example", "--keep").output == kept
    assert forward().output == kept
    assert "forwards to c@x.example" in run(joe, "show", "joe@here.example").output
    assert forward("--none").output == "joe@here.example forwards nothing\n"


def test_L4_an_account_forwards_to_agents_that_the_configuration_has(joe: Desk) -> None:
    use_agents(joe)

    def forward(*options: str) -> Result:
        return run(joe, "forward", "joe@here.example", *options)

    said = "joe@here.example forwards to a@x.example, agent:archive, and keeps a copy\n"
    assert forward("--to", "agent:archive", "--to", "a@x.example", "--keep").output == said
    assert "agent:archive" in run(joe, "show", "joe@here.example").output
    told = json.loads(run(joe, "show", "joe@here.example", "--json").output)
    assert (told["forwards"], told["keeps"]) == (["a@x.example", "agent:archive"], True)
    for unknown in ("agent:gone", "agent:", "agent:maildir", "agent:archive x"):
        refused = forward("--to", unknown)
        assert (refused.exit_code, "expected an agent" in refused.output) == (os.EX_DATAERR, True)
    refused = run(joe, "set", "joe@here.example", "--deliver", "archive")
    assert (refused.exit_code, "which has the copy" in refused.output) == (os.EX_DATAERR, True)
    assert forward().output == said


@pytest.mark.parametrize(
    "options",
    [
        ("--keep",),
        ("--none", "--to", "a@x.example"),
        ("--none", "--keep"),
        ("--to", "joe@HERE.example"),
        ("--to", "|/bin/x"),
        ("--to", "/var/mail/x"),
        ("--to", ":include:/x"),
        ("--to", "somebody"),
    ],
)
def test_L4_what_cannot_be_forwarded_is_refused(joe: Desk, options: tuple[str, ...]) -> None:
    assert run(joe, "forward", "joe@here.example", *options).exit_code == os.EX_USAGE
    assert run(joe, "forward", "joe@here.example").output == "joe@here.example forwards nothing\n"


def test_a_quota_stays_when_something_else_is_set(joe: Desk) -> None:
    accounts = joe.file.parent / "data" / "accounts"
    accounts.write_text(accounts.read_text().rstrip("\n") + "\t\tquota=10C\n")
    run(joe, "forward", "joe@here.example", "--to", "a@x.example")
    assert accounts.read_text().endswith("\tforward=a@x.example\tquota=10C\n")
