"""`paperpath selftest relay`: its tricks, and what it calls open (A-27, C-3, C-5 to C-7, P7)."""

import json
import os
from pathlib import Path

import pytest

from paperpath.commands import selftest_relay
from paperpath.commands.selftest_dialogue import Answer, CoreDialogue, UnreachableError
from paperpath.commands.selftest_ends import choose_ends
from paperpath.commands.selftest_findings import EX_FAULT
from paperpath.commands.selftest_tricks import ELSEWHERE, VICTIM, Target, Trick, list_tricks
from paperpath.config.endpoint import Endpoint
from paperpath.intake.access import ServiceClass
from paperpath.intake.access_rules import AccessRules
from paperpath.intake.access_text import parse_access
from paperpath.mail.address import AddressError, Mailbox, parse_path
from paperpath.mail.reply import Reply
from paperpath.smtp import replies
from paperpath.smtp.settings import Settings
from tests.unit.commands.test_commands import run

TARGET = Target("here.example", "mx.here.example", "[192.0.2.25]")
ROUTE = '[[post_office.route]]\ndomain = "here.example"\nvia = "local"\n'
SETTINGS = Settings("mx.here.example", size=100_000, recipients=1)
RULES = '[[relay.access]]\nclients = ["127.0.0.0/8"]\nservice = "{}"\n'


def write(folder: Path, service: str = "privileged", more: str = "") -> Path:
    file = folder / "paperpath.toml"
    file.write_text(
        'hostname = "mx.here.example"\n[relay]\nlisten = ["127.0.0.1:2525"]\ndomains = ["here.example"]\n'
        f'{more}[post_office]\npostmaster = "me@here.example"\n{ROUTE}{RULES.format(service)}',
        encoding="utf-8",
    )
    file.chmod(0o644)
    return file


def read(trick: Trick) -> Mailbox | None:
    try:
        return parse_path(trick.recipient.encode(), international=True)[0]
    except AddressError:
        return None


def test_A27_every_family_of_tricks_is_there_and_none_aims_at_anybody_who_lives() -> None:
    tricks = list(list_tricks(TARGET))
    kinds = {trick.kind for trick in tricks}
    assert {
        "source route",
        "percent hack",
        "bang path",
        "quoted local part with a domain",
        "domain behind domain",
        "null sender",
        "postmaster elsewhere",
        "address literal",
        "below our domain",
        "trailing dot",
        "mixed case",
        "no domain",
        "parameters of the recipient",
    } <= kinds
    assert any("[IPv6:" in trick.recipient for trick in tricks)
    assert len(set(tricks)) == len(tricks)
    for trick in tricks:
        said = f"{trick.recipient}{trick.sender}{trick.hello}{trick.parameters}{trick.sender_parameters}"
        assert not set(said) & set("\r\n\0")
    reached = {mailbox.domain for trick in tricks if (mailbox := read(trick)) is not None}
    living = {name for name in reached if not name.lower().endswith((".invalid", "here.example"))}
    assert living == {
        "example",
        "localhost",
        "192.0.2.1",
        "3221225985",  # 192.0.2.1
        "0xc0000201",
        "[192.0.2.1]",
        "[192.0.2.25]",
        "[IPv6:2001:db8::1]",
        "[IPv6:::ffff:192.0.2.1]",
        "selftest\u3002invalid",
    }


def test_P7_a_relay_that_takes_nothing_of_others_passes_by_its_own_code(tmp_path: Path) -> None:
    result = run("selftest", "relay", "--config", write(tmp_path))
    assert result.exit_code == 0
    assert "by the rules no address of this host gets the normal service there" in result.output
    assert "0 of " in result.output.splitlines()[-1]
    assert "RELAYS" not in result.output
    assert result.output.isascii()
    told = json.loads(run("selftest", "relay", "--config", tmp_path / "paperpath.toml", "--json").output)
    assert (told[0]["server"], told[0]["client"], len(told[0]["tricks"]) > 100) == (
        "127.0.0.1:2525",
        None,
        True,
    )
    assert {trick["verdict"] for trick in told[0]["tricks"]} == {"refused"}


def test_C5_what_is_taken_for_a_mailbox_of_ours_is_not_called_open(tmp_path: Path) -> None:
    file = write(tmp_path, more="check_recipients = false\n")
    told = json.loads(run("selftest", "relay", "--config", file, "--json").output)
    taken = {trick["recipient"] for trick in told[0]["tricks"] if trick["verdict"] == "taken for here"}
    assert f"<{VICTIM}%{ELSEWHERE}@here.example>" in taken
    assert f'<"{VICTIM}@{ELSEWHERE}"@here.example>' in taken
    assert not any(f"@{ELSEWHERE}>" in recipient for recipient in taken)


@pytest.mark.parametrize(
    ("opened", "recipient"),
    [
        (lambda mailbox: mailbox.domain.startswith("here.example"), f"<{VICTIM}@here.example.{ELSEWHERE}>"),
        (lambda mailbox: mailbox.domain.endswith("here.example"), f"<{VICTIM}@nothere.example>"),
        (lambda mailbox: "[" in mailbox.domain, f"<{VICTIM}@[IPv6:2001:db8::1]>"),
        (lambda mailbox: mailbox.local.lower() == "postmaster", f"<postmaster@{ELSEWHERE}>"),
        (lambda mailbox: mailbox.domain == ELSEWHERE.upper(), f"<{VICTIM.upper()}@{ELSEWHERE.upper()}>"),
        (lambda _: True, f"<@here.example:{VICTIM}@{ELSEWHERE}>"),
    ],
)
def test_P7_a_rule_that_falls_for_a_trick_is_found_out(
    opened: object, recipient: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def judge(mailbox: Mailbox) -> Reply:
        return replies.R250_RECIPIENT if opened(mailbox) else replies.R550_NOT_RELAYED  # type: ignore[operator]

    monkeypatch.setattr(selftest_relay, "ask_here", lambda _: CoreDialogue(SETTINGS, judge))
    result = run("selftest", "relay", "--config", write(tmp_path), "--json")
    assert result.exit_code == EX_FAULT
    found = {
        trick["recipient"] for trick in json.loads(result.output)[0]["tricks"] if trick["verdict"] == "RELAYS"
    }
    assert recipient in found


def test_a_relay_that_puts_off_takes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Busy:
        def attempt(self, trick: Trick) -> Answer:
            return Answer(452, "4.3.1 \x1b[2J", is_for_recipient=False)

    monkeypatch.setattr(selftest_relay, "ask_here", lambda _: Busy())
    result = run("selftest", "relay", "--config", write(tmp_path))
    assert (result.exit_code, "put off" in result.output, "\x1b" in result.output) == (0, True, False)


def test_who_cannot_be_asked_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        def attempt(self, trick: Trick) -> Answer:
            raise UnreachableError("127.0.0.1:2525: gone")

    monkeypatch.setattr(selftest_relay, "ask_here", lambda _: Gone())
    result = run("selftest", "relay", "--config", write(tmp_path))
    assert (result.exit_code, "gone" in result.output) == (os.EX_UNAVAILABLE, True)


@pytest.mark.parametrize(
    ("listener", "rules", "ends"),
    [
        ("127.0.0.1", "", ("127.0.0.1", "127.0.0.1")),
        ("127.0.0.1", "127.0.0.1 2", ("127.0.0.1", "127.0.0.9")),
        ("127.0.0.1", "127.0.0.0/8 2", ("127.0.0.1", "")),
        ("0.0.0.0", "127.0.0.0/8 2", ("192.0.2.25", "192.0.2.25")),
        ("0.0.0.0", "127.0.0.0/8 2\n192.0.2.0/24 null", ("127.0.0.1", "")),
        ("192.0.2.25", "", ("192.0.2.25", "192.0.2.25")),
        ("::", "", ("::1", "::1")),
        ("::", "::1 2", ("2001:db8::25", "2001:db8::25")),
        ("::1", "::1 2", ("::1", "")),
    ],
)
def test_the_client_is_one_of_normal_service(listener: str, rules: str, ends: tuple[str, str]) -> None:
    own = frozenset({"127.0.0.1", "192.0.2.25", "::1", "2001:db8::25"})
    access = AccessRules(parse_access(rules, "rules"))
    server, source = choose_ends(Endpoint(listener, 25), own, access, {ServiceClass.NORMAL})
    assert (server.host, source) == ends
