"""`paperpath explain connect` and `explain rcpt --client`: what a client would hear (C-8 to C-12, P9)."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from paperpath.testing.nameserver import Nameserver
from tests.unit.commands.test_commands import run

SCRIPT = r"""
2.0.0.127.bad.example A 127.0.0.2
2.0.0.127.good.example A 127.0.0.2
9.2.0.192.bad.example A 127.0.0.6
9.2.0.192.bad.example TXT "Dynamic \027[2J"
8.2.0.192.good.example A 127.0.0.2
8.2.0.192.bad.example A 127.0.0.2
1.100.51.198.in-addr.arpa PTR a.dyn.example.net.
2.100.51.198.in-addr.arpa PTR a.dyn.example.net.
a.dyn.example.net A 198.51.100.1
"""
RULES = "192.0.2.0/24 privileged\n.dyn.example.net deny\n203.0.113.0/24 null\n"
GREETING = "220 mx.here.example ESMTP Paperpath"


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "here" / "paperpath.toml"
    assert run("init", tmp_path / "here").exit_code == 0
    relay = '[relay]\naccess_file = "rules"\nlists = ["white:good.example", "black:bad.example"]'
    with Nameserver(SCRIPT) as server:
        text = file.read_text(encoding="utf-8").replace("[relay]", relay)
        text = text.replace("mail.example.test", "mx.here.example")
        file.write_text(f'{text}\n[dns]\nservers = ["{server.endpoint}"]\n', encoding="utf-8")
        (file.parent / "rules").write_text(RULES, encoding="utf-8")
        (file.parent / "rules").chmod(0o644)
        yield file


def test_P9_a_client_is_explained_by_its_rules_its_lists_and_what_it_hears(file: Path) -> None:
    result = run("explain", "connect", "--config", file, "::ffff:192.0.2.9")
    assert result.exit_code == 0
    assert "\x1b" not in result.output
    said = "550 5.7.1 Mail from 192.0.2.9 is refused: Dynamic ?[2J"
    assert result.output.splitlines() == [
        "relay",
        f"  rule       192.0.2.0/24: privileged, by {file.parent}/rules:1",
        "  service    privileged",
        "  list       white:good.example: not listed",
        "  list       black:bad.example: listed 127.0.0.6",
        "  decided by black:bad.example",
        f"  greeting   '{GREETING}'",
        f"  recipients all but postmasters: '{said}'",
        "submission",
        "  service    normal, since no rule is for it",
        f"  greeting   '{GREETING}'",
    ]


@pytest.mark.parametrize(
    ("client", "names", "service", "greeting"),
    [
        ("198.51.100.1", ["a.dyn.example.net"], "deny", None),
        ("198.51.100.2", [], "normal", GREETING),
        ("203.0.113.7", None, "null", "554 mx.here.example gives you no mail service; say QUIT"),
    ],
)
def test_L16_names_are_asked_for_and_nobody_is_asked_about_who_gets_no_service(
    file: Path, client: str, names: list[str] | None, service: str, greeting: str | None
) -> None:
    told = json.loads(run("explain", "connect", "--config", file, "--json", client).output)["relay"]
    assert (told["names"], told["service"], told["greeting"]) == (names, service, greeting)
    assert bool(told["lists"]) == (service == "normal")


@pytest.mark.parametrize(
    ("client", "recipient", "replies"),
    [
        ("192.0.2.7", "x@else.example", ["250", "530", "250"]),
        ("192.0.2.9", "x@else.example", ["550 5.7.1 Mail from", "530", "250"]),
        ("192.0.2.9", "postmaster@else.example", ["250", "530", "250"]),
        ("192.0.2.8", "x@else.example", ["250", "530", "250"]),
        ("127.0.0.1", "x@else.example", ["550 5.7.1 Mail for", "530", "250"]),
        ("127.0.0.1", "me@example.test", ["250", "530", "250"]),
        ("203.0.113.7", "me@example.test", ["503", "530", "250"]),
        ("198.51.100.1", "me@example.test", ["nothing", "530", "250"]),
    ],
)
def test_C11_C12_a_recipient_is_judged_as_that_client_would_hear(
    file: Path, client: str, recipient: str, replies: list[str]
) -> None:
    asked = run("explain", "rcpt", "--config", file, "--json", recipient, "--client", client, "--from", "<>")
    told = json.loads(asked.output)
    found = [told[name] for name in ("relay", "submission", "submission after a login")]
    assert all(reply.startswith(begin) for reply, begin in zip(found, replies, strict=True)), found
    wanted = replies[0] if replies[0][0] in "5n" and "Mail" not in replies[0] else "250"
    assert told["senders"]["relay"].startswith(wanted)
    assert told["clients"]["submission"]["service"] == "normal"


def test_B9_a_sender_that_cannot_be_completed_is_refused_as_at_MAIL(file: Path) -> None:
    result = run("explain", "rcpt", "--config", file, "me@example.test", "--from", "x@sales")
    assert "relay says '250 2.1.0 Sender taken' to the sender" in result.output
    assert "submission says '554 5.1.7 The sender x@sales has a domain of one label" in result.output


def test_what_is_no_address_is_told(file: Path) -> None:
    for command in (
        ["connect", "\x1b[2J"],
        ["rcpt", "me@example.test", "--client", "x"],
        ["rcpt", "a@b", "--from", "@"],
    ):
        result = run("explain", command[0], "--config", file, *command[1:])
        assert (result.exit_code, "\x1b" in result.output) == (os.EX_USAGE, False)
    (file.parent / "rules").write_text("nonsense\n", encoding="utf-8")
    broken = run("explain", "connect", "--config", file, "192.0.2.1")
    assert (broken.exit_code, f"{file.parent}/rules:1: expected" in broken.output) == (os.EX_CONFIG, True)
