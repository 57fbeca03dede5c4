"""The commands, as people type them: help, exit codes, errors, JSON."""

import json
import os
import pwd
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from paperpath.commands.paperpath import main
from paperpath.commands.queue import queue
from paperpath.commands.up import list_programs
from paperpath.config.loader import load_configuration
from paperpath.journal.events import Attempted, Event, Ordered
from paperpath.journal.lines import encode_event
from paperpath.local import smtpld, smtplud
from paperpath.postoffice import smtppd
from paperpath.relay import smtprd
from paperpath.submission import smtpsd
from tests.support.installation import find_free_port
from tests.support.tls import write_certificate

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


COMMANDS = [(), *[(name,) for name in main.list_commands(click.Context(main))], ("account", "add")]
COMMANDS += [("queue", name) for name in queue.commands]


@pytest.mark.parametrize("arguments", COMMANDS)
def test_every_command_has_help_with_an_example(arguments: tuple[str, ...]) -> None:
    result = run(*arguments, "--help")
    assert result.exit_code == 0
    assert "Example: paperpath" in result.output


@pytest.mark.parametrize("command", [smtprd.main, smtpsd.main, smtppd.main, smtpld.main, smtplud.main])
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
    for command in (smtprd.main, smtpsd.main, smtppd.main, smtpld.main):
        result = CliRunner().invoke(command, ["--config", str(broken)])
        assert result.exit_code == os.EX_CONFIG
        assert result.output.count("paperpath.toml:") == 5


def test_E3_check_warns_of_a_domain_that_nobody_delivers(file: Path) -> None:
    file.write_text(file.read_text().replace('domains = ["', 'domains = ["lost.example", "'))
    result = run("check", "--config", file)
    assert result.exit_code == 0
    assert "lost.example" in result.output
    assert "lost.example" in json.loads(run("check", "--json", "--config", file).output)["warnings"][0]


def test_check_finds_the_mistakes_of_a_list_of_ones_own(file: Path) -> None:
    table = '[dnslistd]\nlisten = ["127.0.0.1:5353"]\n[[dnslistd.zone]]\nname = "bad.example"\nfile = "bad"\n'
    file.write_text(f"{file.read_text()}\n{table}")
    (file.parent / "bad").write_text("192.0.2.7\n0.0.0.0/0\n")
    result = run("check", "--config", file)
    assert result.exit_code == 78
    assert "bad:2: expected a range without 127.0.0.1" in result.output
    (file.parent / "bad").write_text("192.0.2.7\n")
    assert run("check", "--config", file).exit_code == 0


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


def add_certificate(file: Path, chain: Path, key: Path) -> int:
    """Configure a certificate; return the line of its chain."""
    before = file.read_text()
    file.write_text(f'{before}\n[[tls.certificate]]\nchain = "{chain}"\nkey = "{key}"\n')
    return before.count("\n") + 3


def spoil(what: str, chain: Path, key: Path) -> None:
    """Make a certificate or its key wrong."""
    if what == "missing":
        chain.unlink()
        key.unlink()
    elif what == "of another":
        key.write_bytes(write_certificate(key.parent, "other.example")[1].read_bytes())
    elif what == "open to all":
        key.chmod(0o604)
    else:
        key.write_text("nonsense")


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (
            "missing",
            [(0, "chain", "cannot be read: No such file"), (1, "key", "cannot be read: No such file")],
        ),
        ("of another", [(1, "key", "this is not the key of the certificate in")]),
        ("open to all", [(1, "key", "every user of this host may read or write the key; run: chmod o-rw ")]),
        ("nonsense", [(1, "key", "expected a private key in PEM form")]),
    ],
)
def test_L4_A70_check_looks_at_certificates_and_says_the_line(
    file: Path, what: str, said: list[tuple[int, str, str]]
) -> None:
    good = write_certificate(file.parent, "mail.example")
    bad = write_certificate(file.parent, "mx.example")
    add_certificate(file, *good)
    assert run("check", "--config", file).exit_code == 0
    line = add_certificate(file, *bad)
    spoil(what, *bad)
    result = run("check", "--config", file)
    assert result.exit_code == os.EX_CONFIG
    expected = [
        f"{file}:{line + below}: tls.certificate[1].{key}: {bad[below]}: {reason}"
        for below, key, reason in said
    ]
    complaints = result.output.splitlines()
    assert [line[: len(start)] for line, start in zip(complaints, expected, strict=True)] == expected
    assert json.loads(run("check", "--json", "--config", file).output)["errors"] == complaints


@pytest.mark.parametrize(("days", "code", "said"), [(15, 0, ""), (13, 0, "expires"), (-1, 78, "expired")])
def test_A70_check_says_which_certificates_end_soon_or_have_ended(
    file: Path, days: int, code: int, said: str
) -> None:
    end = datetime.now(UTC) + timedelta(days=days)
    chain, key = write_certificate(file.parent, "mail.example", end=end)
    line = add_certificate(file, chain, key)
    result = run("check", "--config", file)
    assert result.exit_code == code
    message = f"tls.certificate[0].chain: {chain}: the certificate {said} on {end:%Y-%m-%d}"
    found = json.loads(run("check", "--json", "--config", file).output)
    assert (message in found["warnings"]) == (said == "expires")
    if said:
        warning = "" if code else "warning: "
        assert f"{file}:{line}: {warning}{message}\n" in result.output


def fill_journal(file: Path, *events: Event, day: str = "2026-11-22") -> None:
    folder = file.parent / "data" / "journal"
    folder.mkdir(mode=0o700, exist_ok=True)
    moment_us = int(datetime.fromisoformat(f"{day}T12:00:00+00:00").timestamp()) * 1_000_000
    text = "".join(encode_event(event, moment_us + number) for number, event in enumerate(events))
    (folder / f"{day}.smtpld.1").write_text(text)


def test_P9_why_tells_each_story_under_its_heading(file: Path) -> None:
    fill_journal(
        file,
        Attempted("0CAFE0CAFE0CAFE", "u@x.example", "delivered", 1, "x.example/u", "250 2.1.5 Delivered", 0),
        Ordered("0BEEF0BEEF0BEEF", "u@x.example", "root", "remove", ""),
    )
    result = run("why", "--config", file, "u@X.Example")
    assert result.exit_code == 0
    assert result.output == (
        "0CAFE0CAFE0CAFE\n  2026-11-22T12:00:00.000000Z smtpld delivered u@x.example into x.example/u,"
        " attempt 1: '250 2.1.5 Delivered'\n"
        "0BEEF0BEEF0BEEF\n  2026-11-22T12:00:00.000001Z smtpld operator root: remove u@x.example\n"
    )
    result = run("why", "--config", file, "--limit", "1", "u@x.example")
    assert "0CAFE" not in result.output
    assert "--limit shows more" in result.stderr


def test_P9_why_prints_json_for_scripts(file: Path) -> None:
    fill_journal(file, Ordered("0BEEF0BEEF0BEEF", "\x1b@x.example", "root", "remove", ""))
    result = run("why", "--config", file, "--json", "0beef0beef0beef")
    assert result.output.strip().isprintable()
    assert json.loads(result.output) == {
        "story": "0BEEF0BEEF0BEEF",
        "time": "2026-11-22T12:00:00.000000Z",
        "program": "smtpld",
        "event": "ordered",
        "queue_id": "0BEEF0BEEF0BEEF",
        "recipient": "\x1b@x.example",
        "operator": "root",
        "deed": "remove",
    }


def test_P9_why_looks_at_nothing_told_before(file: Path) -> None:
    fill_journal(file, Ordered("0BEEF0BEEF0BEEF", "", "root", "hold", ""), day="2026-11-21")
    fill_journal(file, Ordered("0BEEF0BEEF0BEEF", "", "root", "release", ""))
    found = {
        since: run("why", "--config", file, "--since", since, "0BEEF0BEEF0BEEF").output.count("operator")
        for since in ("2026-11-21", "2026-11-21T12:00:01Z", "2026-11-22T12:00", "2026-11-23")
    }
    assert found == {"2026-11-21": 2, "2026-11-21T12:00:01Z": 1, "2026-11-22T12:00": 1, "2026-11-23": 0}


def test_P9_why_says_when_there_is_nothing_to_tell(file: Path) -> None:
    result = run("why", "--config", file, "u@x.example")
    assert result.exit_code == 1
    assert "nothing" in result.stderr
    assert result.stdout == ""


def test_P9_why_says_that_it_cannot_read_the_journal(file: Path) -> None:
    (file.parent / "data" / "journal").write_text("")
    result = run("why", "--config", file, "u@x.example")
    assert result.exit_code == os.EX_NOINPUT
    assert "the journal cannot be read" in result.stderr


def test_upgrade_brings_an_older_maildrop_up_to_date(file: Path) -> None:
    result = run("upgrade", "--config", file)
    assert (result.exit_code, result.output.endswith(": has version 5 already\n")) == (0, True)
    (file.parent / "data" / "maildrop" / "queue.db").unlink()
    result = run("upgrade", "--config", file)
    assert result.exit_code != 0
    assert "`paperpath init` makes one" in result.output


def test_B1_what_is_shipped_takes_mail_of_this_host_alone(tmp_path: Path) -> None:
    assert run("init", tmp_path / "here").exit_code == 0
    submission = load_configuration(tmp_path / "here" / "paperpath.toml").submission
    assert submission is not None
    listeners = [*submission.listen, *submission.listen_tls]
    assert {endpoint.host for endpoint in listeners} in ({"127.0.0.1"}, {"127.0.0.1", "::1"})
    assert {endpoint.port for endpoint in listeners} == {2587, 2465}


def test_init_can_do_without_submission(tmp_path: Path) -> None:
    options = ("--submission-port", "0", "--submission-tls-port", "0")
    assert run("init", *options, tmp_path / "here").exit_code == 0
    assert load_configuration(tmp_path / "here" / "paperpath.toml").submission is None


def test_check_finds_what_smtpsd_would_refuse(file: Path) -> None:
    text = file.read_text().replace("[submission]", '[submission]\nclient_ca = "ca.pem"')
    file.write_text(f'{text}\n[canonical]\nusers = "masquerade"\n')
    (file.parent / "ca.pem").write_text("nonsense")
    (file.parent / "masquerade").write_text("x\n")
    result = run("check", "--config", file)
    assert result.exit_code == os.EX_CONFIG
    assert re.search(
        r"paperpath\.toml:\d+: submission\.client_ca: .*ca\.pem: expected certificates", result.output
    )
    assert "masquerade:1: " in result.output


def test_F4_users_are_delivered_to_only_by_who_can_become_them(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = pwd.getpwnam("nobody")
    text = f'user = "nobody"\n{file.read_text(encoding="utf-8")}'
    file.write_text(f"{text}\n[local]\nsystem_users = true\n", encoding="utf-8")
    monkeypatch.setattr(os, "geteuid", lambda: nobody.pw_uid)
    result = run("up", "--config", file)
    assert result.exit_code == os.EX_CONFIG
    assert result.output == (
        "local.system_users: only root can become the users; start as root, which becomes nobody for"
        " everything else, or set system_users = false\n"
    )


def test_the_helper_is_started_where_users_have_mailboxes_and_ended_after_who_asks_it(file: Path) -> None:
    configuration = load_configuration(file)
    assert "smtplud" not in {spec.name for spec in list_programs(configuration)}
    local = configuration.local.model_copy(update={"system_users": True})
    names = [spec.name for spec in list_programs(configuration.model_copy(update={"local": local}))]
    assert names.index("smtplud") < names.index("smtpld")
