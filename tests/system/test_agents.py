"""Mail to every kind of agent through all programs: by route, account, alias, and forwarded (F.4, E-16)."""

import mailbox
import smtplib
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from paperpath.testing.sink import Sink, sink_in_thread
from paperpath.testing.sink_options import SinkOptions
from tests.support.installation import wait_until
from tests.support.routed import POSTMASTER, SENDER, RoutedInstallation, submit

pytestmark = pytest.mark.slow

JOE = "joe@here.example"
PROGRAM = """\
#!{python}
import os, sys
message = sys.stdin.buffer.read()
names = ("SENDER", "RECIPIENT", "LOCAL", "HOST", "DETAIL", "ORIGINAL_RECIPIENT")
with open(sys.argv[1], "ab") as file:
    file.write(repr((sys.argv[2:], [os.environ[name] for name in names], message)).encode() + b"\\n")
print("this was the program\\x1b[2J", flush=True)
sys.exit({code})
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sink]:
    socket = tmp_path_factory.mktemp("store") / "lmtp"
    with sink_in_thread(SinkOptions(lmtp=True, socket=socket)) as sink:
        yield sink


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory, store: Sink) -> Iterator[RoutedInstallation]:
    installation = RoutedInstallation(tmp_path_factory.mktemp("agents"), {})
    write_rules(installation.folder, installation, store)
    with installation.up():
        yield installation


def write_rules(folder: Path, installation: RoutedInstallation, store: Sink) -> None:
    for name, code in (("take", 0), ("refuse", 77)):
        program = folder / name
        program.write_text(PROGRAM.format(python=sys.executable, code=code))
        program.chmod(0o700)
    (folder / "boxes").mkdir()
    (folder / "list").write_text("# a list of its own\njoe, list-mbox\nlist@nowhere.wild.example\n")
    (folder / "aliases").write_text(
        f"prog: \"|{folder}/take {folder}/ran --for {{recipient}} 'two words'\"\n"
        f'broken: "|{folder}/refuse {folder}/refused"\n'
        f"list: :include:{folder}/list\n"
        f"list-mbox: {folder}/boxes/box\n"
        f"kept: joe, {folder}/boxes/maildir/\n"
    )
    text = installation.file.read_text()
    text = text.replace("[post_office]\n", '[post_office]\naliases = "aliases"\n')
    text += f"""
[[post_office.route]]
domain = "nowhere.wild.example"
via = "agent:nowhere"

[local]
create = true

[agents.nowhere]
kind = "discard"

[agents.box]
kind = "mbox"
path = "{folder}/boxes/{{account}}"

[agents.run]
kind = "program"
command = ["{folder}/take", "{folder}/ran", "{{sender}}", "{{local}}"]

[agents.store]
kind = "lmtp"
to = "lmtp://unix:{store.options.socket}"
"""
    installation.file.write_text(text)


def runs_of(ours: RoutedInstallation, name: str = "ran") -> list[tuple[list[str], list[str], bytes]]:
    """Return what the programs wrote down: arguments, environment, message."""
    file = ours.folder / name
    lines = file.read_text().splitlines() if file.exists() else []
    return [eval(line) for line in lines]


def test_F15_F16_L6_an_alias_runs_a_program_which_is_told_whom_it_is_for(ours: RoutedInstallation) -> None:
    before = len(runs_of(ours))
    ours.send("prog@here.example", content=b"Subject: program\r\n\r\nHi\r\n")
    wait_until(lambda: len(runs_of(ours)) > before, "the program to run")
    arguments, environment, message = runs_of(ours)[-1]
    assert arguments == ["--for", "prog@here.example", "two words"]
    assert environment == [SENDER, "prog@here.example", "prog", "here.example", "", "prog@here.example"]
    assert message.startswith(f"Return-Path: <{SENDER}>\nDelivered-To: prog@here.example\n".encode())
    assert message.endswith(b"Subject: program\n\nHi\n")


def test_F15_what_a_program_refuses_comes_back_with_its_words(ours: RoutedInstallation) -> None:
    ours.send("broken@here.example")
    report = ours.wait_for_report("failed", "broken@here.example")
    text = report.as_string()
    assert "exited 77" in text
    assert "this was the program?[2J" in text
    assert "exited 77" in ours.ask("why", "broken@here.example")


def test_E11_F12_L4_an_alias_names_a_list_which_names_people_and_a_file(ours: RoutedInstallation) -> None:
    ours.send("list@here.example", "list-mbox@here.example", content=b"Subject: list\r\n\r\nFrom me\r\n")
    box = ours.folder / "boxes/box"
    wait_until(lambda: box.exists() and b"From me" in box.read_bytes(), "an entry in the mbox")
    wait_until(
        lambda: any(b"Subject: list" in file.read_bytes() for file in ours.delivered(JOE)), "joe's copy"
    )
    with closing(mailbox.mbox(box, create=False)) as entries:
        (found,) = entries
    assert found["Delivered-To"] in ("list@here.example", "list-mbox@here.example")
    assert found.get_payload() == ">From me\n"
    ours.send("kept@here.example")
    wait_until(lambda: list((ours.folder / "boxes/maildir/new").glob("*")), "a Maildir made by an alias")


def test_F12_F14_F15_an_account_has_another_agent_than_its_mailbox(
    ours: RoutedInstallation, store: Sink
) -> None:
    for name, agent in (("boxed", "box"), ("run", "run"), ("stored", "store")):
        told = ours.ask("account", "add", f"{name}@here.example", "--deliver", agent)
        assert f"is delivered to by {agent}" in told
    before = len(runs_of(ours))
    ours.send("boxed+x@here.example", "run@here.example", "stored@here.example")
    wait_until(lambda: (ours.folder / "boxes/boxed").exists(), "the account's mbox")
    wait_until(lambda: len(runs_of(ours)) > before, "the account's program")
    assert runs_of(ours)[-1][0] == [SENDER, "run"]
    wait_until(
        lambda: (
            ["stored@here.example"] in [[one.address for one in taken.recipients] for taken in store.taken]
        ),
        "the server of LMTP",
    )
    ours.ask("account", "set", "boxed@here.example", "--deliver", "maildir")
    ours.send("boxed@here.example")
    ours.wait_for_deliveries(1, "boxed@here.example")


def test_F22_what_an_agent_discards_is_told_to_nobody_but_the_journal(ours: RoutedInstallation) -> None:
    ours.send("anybody@nowhere.wild.example", rcpt=["NOTIFY=SUCCESS,FAILURE"])
    whom = "anybody@nowhere.wild.example"
    wait_until(lambda: "by 'discard nowhere'" in ours.ask("why", whom), "the journal")
    assert ours.books().discarded
    assert not any("anybody@nowhere" in report.as_string() for report in ours.reports())
    assert "agent" in ours.ask("explain", "rcpt", "anybody@nowhere.wild.example")


def test_E12_E16_F2_an_account_forwards_once_around_and_no_further(ours: RoutedInstallation) -> None:
    for name in ("away", "round", "about"):
        ours.ask("account", "add", f"{name}@here.example")
    ours.ask("account", "forward", "away@here.example", "--to", JOE, "--keep")
    ours.ask("account", "forward", "round@here.example", "--to", "about@here.example")
    ours.ask("account", "forward", "about@here.example", "--to", "round@here.example")
    submit(ours.port, "away@here.example", content=b"Subject: forwarded\r\n\r\nHi\r\n", sender="")
    (kept,) = ours.wait_for_deliveries(1, "away@here.example")
    assert kept.read_bytes().startswith(b"Return-Path: <>\nDelivered-To: away@here.example\nReceived: ")

    def find_forwarded() -> list[bytes]:
        found = [file.read_bytes() for file in ours.delivered(JOE)]
        return [octets for octets in found if b"Subject: forwarded" in octets]

    wait_until(find_forwarded, "what was forwarded")
    (forwarded,) = find_forwarded()
    top = f"Return-Path: <>\nDelivered-To: {JOE}\nDelivered-To: away@here.example\nReceived: "
    assert forwarded.startswith(top.encode())
    ours.send("round@here.example", content=b"Subject: circle\r\n\r\nHi\r\n")
    report = ours.wait_for_report("failed", "round@here.example")
    assert "5.4.6" in report.as_string()
    told = ours.ask("why", "away@here.example")
    assert "goes on as" in told
    assert f"sorted {JOE}" in told


def test_E16_P4_who_keeps_and_forwards_has_one_copy_and_the_sender_one_report(
    ours: RoutedInstallation, store: Sink
) -> None:
    """What another host sends back is what it got: the circle closes over it, and over this host."""
    for name in ("keeps", "returns"):
        ours.ask("account", "add", f"{name}@here.example")
    others = ("--to", "returns@here.example", "--to", "agent:run", "--to", "agent:store")
    ours.ask("account", "forward", "keeps@here.example", *others, "--keep")
    ours.ask("account", "forward", "returns@here.example", "--to", "keeps+x@here.example")
    before, taken = len(runs_of(ours)), len(store.taken)
    ours.send("Keeps+a@here.example", content=b"Subject: around\r\n\r\nHi\r\n")
    ours.wait_for_report("failed", "keeps+x@here.example")
    ours.wait_for_rest()
    assert len(ours.delivered("keeps@here.example")) == 1
    assert len(runs_of(ours)) == before + 1
    assert len(store.taken) == taken + 1
    reports = [report for report in ours.reports() if "around" in report.as_string()]
    assert len(reports) == 1
    assert "5.4.6" in reports[0].as_string()


@pytest.mark.parametrize("spelling", ['"|/bin/false"', '"|/bin/false"@here.example', '"/tmp/x"@here.example'])
def test_L4_nobody_outside_names_a_program_or_a_file(ours: RoutedInstallation, spelling: str) -> None:
    with smtplib.SMTP("127.0.0.1", ours.port, local_hostname="client.example") as client:
        client.ehlo_or_helo_if_needed()
        client.mail(SENDER)
        code, said = client.docmd(f"RCPT TO:<{spelling}>")
    assert code in (501, 550, 553), said


def test_P2_nothing_is_left_and_the_books_balance(ours: RoutedInstallation) -> None:
    ours.wait_for_rest()
    assert not ours.reports(POSTMASTER)
