"""Which agent a claim goes to: of a table, of an alias's target, or of none (F-5, E-16, F-10, L-4)."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from pydantic import TypeAdapter

from paperpath.accounts.file import parse_accounts
from paperpath.config.agent_tables import AgentTable
from paperpath.folders.maildir import create_maildir
from paperpath.folders.upkeep import Upkeep
from paperpath.local.delivery import deliver_batch
from paperpath.local.places import Depot
from paperpath.mail.address import Mailbox
from paperpath.mail.outcome import Deferred, Delivered, Discarded, Failed, Outcome
from paperpath.maildrop.values import Claim
from tests.unit.local.agents.example import make_claim, make_content

LIST = "list@here.example"


def deliver(folder: Path, claim: Claim, agents: Mapping[str, object] | None = None) -> Outcome:
    tables = TypeAdapter(dict[str, AgentTable]).validate_python(agents or {})
    admin = Mailbox("admin", "here.example")
    accounts = parse_accounts("joe@here.example\tjoe\n")
    depot = Depot(folder, accounts, "+", admin, False, "mx", 1_000_000, Upkeep(), tables)
    (outcome,) = deliver_batch([claim], depot)
    return outcome


def make_target(place: str, octets: bytes = b"Subject: y\r\n\r\nbody\r\n") -> Claim:
    """Make the claim of what an alias names."""
    return replace(make_claim(address=place, accepted=LIST, held=make_content(octets)), destination=place)


def test_F12_an_alias_names_a_file(tmp_path: Path) -> None:
    outcome = deliver(tmp_path, make_target(str(tmp_path / "box")))
    assert isinstance(outcome, Delivered)
    lines = (tmp_path / "box").read_text().splitlines()
    assert lines[1:3] == ["Return-Path: <a@b.example>", f"Delivered-To: {LIST}"]


def test_F12_what_an_alias_sends_to_dev_null_is_discarded(tmp_path: Path) -> None:
    """As aliases have always said it; as an mbox it would wait there until its time is over."""
    assert isinstance(deliver(tmp_path, make_target("/dev/null")), Discarded)


def test_F6_an_alias_names_a_folder(tmp_path: Path) -> None:
    claim = make_target(f"{tmp_path}/folder/")
    missing = deliver(tmp_path, claim)
    assert isinstance(missing, Deferred)
    assert missing.reply.status == "4.2.0"
    create_maildir(tmp_path, PurePosixPath("folder"))
    assert isinstance(deliver(tmp_path, claim), Delivered)
    (file,) = (tmp_path / "folder/new").iterdir()
    assert f"Delivered-To: {LIST}\n" in file.read_text()


def test_F16_an_alias_names_a_program_with_arguments(tmp_path: Path) -> None:
    command = f"|/bin/cp /dev/stdin '{tmp_path}/a b {{recipient}}'"
    outcome = deliver(tmp_path, make_target(command))
    assert isinstance(outcome, Delivered)
    assert str(outcome.reply) == "250 2.1.5 program /bin/cp exited 0"
    assert (tmp_path / f"a b {LIST}").read_text().startswith("Return-Path: <a@b.example>\n")


def test_E16_what_was_delivered_to_the_address_that_led_there_is_not_again(tmp_path: Path) -> None:
    for place in ("|/bin/true", str(tmp_path / "box")):
        outcome = deliver(tmp_path, make_target(place, f"Delivered-To: {LIST}\r\n\r\n".encode()))
        assert isinstance(outcome, Failed)
        assert outcome.reply.status == "5.4.6"
    assert (tmp_path / "box").read_bytes() == b""


def test_a_table_says_what_becomes_of_it(tmp_path: Path) -> None:
    claim = make_claim()
    assert isinstance(deliver(tmp_path, claim, {"x": {"kind": "discard"}}), Discarded)
    create_maildir(tmp_path, PurePosixPath("all"))
    agents = {"x": {"kind": "maildir", "path": f"{tmp_path}/all"}}
    assert isinstance(deliver(tmp_path, claim, agents), Delivered)
    assert len(list((tmp_path / "all/new").iterdir())) == 1


def test_F5_an_agent_that_is_not_there_or_elsewhere_now_puts_off(tmp_path: Path) -> None:
    for agents in ({}, {"x": {"kind": "lmtp", "to": "lmtp://unix:/run/lmtp"}}):
        outcome = deliver(tmp_path, make_claim(), agents)
        assert isinstance(outcome, Deferred)
        assert outcome.reply.status == "4.3.5"
