"""The program agent (F-15, F-16, L-6): what a program gets, and what is made of its end."""

import errno
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from paperpath.local.agents.program import ProgramAgent
from paperpath.mail.outcome import Deferred, Delivered, Failed, SetAside
from tests.unit.local.agents.example import DESK, OCTETS, ON_TOP, deliver, make_claim, make_content

pytestmark = pytest.mark.slow
PYTHON = (sys.executable, "-I", "-S", "-c")
STORED = ON_TOP + OCTETS.replace(b"\r\n", b"\n")


def program(*command: str, **others: Any) -> ProgramAgent:
    agent = ProgramAgent("program x", command, "sysexits", 60.0, 1000, Path("/"), "+")
    return replace(agent, **others)


def shell(line: str, **others: Any) -> ProgramAgent:
    return program("/bin/sh", "-c", line, "sh", **others)


@pytest.mark.parametrize("in_file", [False, True])
def test_F1_F16_a_program_gets_the_message_with_our_fields_on_top(tmp_path: Path, in_file: bool) -> None:
    octets = OCTETS + b"line\r\n" * 100_000
    file = tmp_path / "content"
    file.write_bytes(octets)
    held = make_content(octets, file=file if in_file else None)
    outcome = deliver(program("/bin/cp", "/dev/stdin", str(tmp_path / "got")), make_claim(held=held))
    assert str(outcome.reply) == "250 2.1.5 program x exited 0"
    assert isinstance(outcome, Delivered)
    assert (tmp_path / "got").read_bytes() == STORED + b"line\n" * 100_000


def test_F16_each_claim_has_a_run_of_its_own_and_its_outcome() -> None:
    agent = shell('test "$LOCAL" != ann || exit 67; test "$LOCAL" != tom || exit 75')
    claims = [make_claim(1), make_claim(2, "ann@here.example"), make_claim(3, "tom@here.example")]
    outcomes = agent.deliver(claims, DESK)
    assert [type(outcome) for outcome in outcomes] == [Delivered, Failed, Deferred]
    assert [str(outcome.reply) for outcome in outcomes] == [
        "250 2.1.5 program x exited 0",
        "550 5.1.1 program x exited 67",
        "451 4.3.0 program x exited 75",
    ]


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("echo no; echo; echo '  such  user' >&2; exit 67", "550 5.1.1 program x exited 67 no such user"),
        (r"printf '\033[31mr\000t\377\r\n.'; exit 1", "554 5.3.0 program x exited 1 ?[31mr?t? ."),
        ("kill -9 $$", "451 4.3.0 program x died of signal 9"),
        ("echo here; kill -15 $$", "451 4.3.0 program x died of signal 15 here"),
        ("exec <&-; exit 0", "250 2.1.5 program x exited 0"),
    ],
)
def test_F15_S6_the_reply_has_the_end_and_the_output_cleaned(line: str, reply: str) -> None:
    assert str(deliver(shell(line), make_claim()).reply) == reply


def test_F15_P6_a_flood_is_cut_in_the_reply() -> None:
    outcome = deliver(shell("yes y | head -c 10000000; exit 70", most_output=100), make_claim())
    assert str(outcome.reply) == "554 5.3.0 program x exited 70" + " y" * 50
    assert max(len(line) for line in outcome.reply.octets.split(b"\r\n")) < 512


def test_F15_the_other_table() -> None:
    assert isinstance(deliver(shell("exit 99", codes="qmail"), make_claim()), Delivered)
    assert isinstance(deliver(shell("exit 1", codes="qmail"), make_claim()), Deferred)
    assert isinstance(deliver(shell("exit 100", codes="qmail"), make_claim()), Failed)


def test_F16_what_hangs_is_killed_and_tried_again() -> None:
    outcome = deliver(program("/bin/sleep", "1000", timeout_s=0.1), make_claim())
    assert isinstance(outcome, Deferred)
    assert outcome.due_us > DESK.now_us
    assert str(outcome.reply) == "451 4.3.0 program x was killed after 0.1 seconds"


@pytest.mark.parametrize("command", ["/nonexistent", "/etc/hostname"])
def test_F5_a_program_that_cannot_be_run_is_tried_again(command: str) -> None:
    outcome = deliver(program(command), make_claim())
    assert isinstance(outcome, Deferred)
    assert str(outcome.reply).startswith("451 4.3.5 program x cannot be run: ")


def test_F4_what_could_be_taken_for_an_option_fails_unless_options_have_ended(tmp_path: Path) -> None:
    claim = make_claim(address="-rf@here.example")
    outcome = deliver(program("/bin/touch", "{local}", folder=tmp_path), claim)
    assert isinstance(outcome, Failed)
    assert (outcome.reply.code, outcome.reply.status) == (550, "5.1.3")
    assert not list(tmp_path.iterdir())
    assert isinstance(deliver(program("/bin/touch", "--", "{local}", folder=tmp_path), claim), Delivered)
    assert [file.name for file in tmp_path.iterdir()] == ["-rf"]


def test_P1_no_program_begins_with_a_message_that_is_damaged(tmp_path: Path) -> None:
    agent = program("/bin/touch", str(tmp_path / "ran"))
    for held in (make_content(digest=b"wrong"), make_content(file=tmp_path / "missing")):
        assert isinstance(deliver(agent, make_claim(held=held)), SetAside)
    assert not list(tmp_path.iterdir())


def test_E16_a_message_that_was_here_before_goes_no_further(tmp_path: Path) -> None:
    held = make_content(b"Delivered-To: joe@here.example\r\n\r\n")
    outcome = deliver(program("/bin/touch", str(tmp_path / "ran")), make_claim(held=held))
    assert isinstance(outcome, Failed)
    assert outcome.reply.status == "5.4.6"
    assert not list(tmp_path.iterdir())


def test_F5_a_disk_without_room_for_the_message_has_it_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "TemporaryFile", fail)
    outcome = deliver(shell("exit 0"), make_claim())
    assert isinstance(outcome, Deferred)
    assert outcome.reply.status == "4.3.1"


def test_F16_nothing_of_our_environment_gets_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "s3cret")
    outcome = deliver(program("/usr/bin/env", most_output=4000), make_claim(sender=""))
    assert isinstance(outcome, Delivered)
    names = {line.partition("=")[0] for line in outcome.reply.lines[1:]}
    assert names == {"SENDER", "RECIPIENT", "LOCAL", "HOST", "EXT", "DETAIL", "ORIGINAL_RECIPIENT", "PATH"}
