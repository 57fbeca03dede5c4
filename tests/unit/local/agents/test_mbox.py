"""The mbox agent (F-12, F-13, P4): entries, found again, put off."""

import errno
import os
from functools import partial
from pathlib import Path

import pytest

from paperpath.folders.mbox import Mbox
from paperpath.folders.mbox_lock import Waiting
from paperpath.local.agents import mbox as mbox_module
from paperpath.local.agents.mbox import MboxAgent
from paperpath.mail.outcome import Deferred, Delivered, Failed, SetAside
from tests.unit.local.agents.example import DESK, OCTETS, ON_TOP, deliver, make_claim, make_content

ENTRY = b"From a@b.example Tue Nov 14 22:13:20 2023\n" + ON_TOP + OCTETS.replace(b"\r\n", b"\n") + b"\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mbox"


@pytest.fixture
def agent(file: Path) -> MboxAgent:
    return MboxAgent("mbox x", file)


def test_F1_F13_an_entry_has_our_fields_on_top(agent: MboxAgent, file: Path) -> None:
    outcome = deliver(agent, make_claim())
    assert isinstance(outcome, Delivered)
    assert file.read_bytes() == ENTRY


def test_F13_the_null_sender_is_named_and_lines_are_quoted(
    agent: MboxAgent, file: Path, tmp_path: Path
) -> None:
    content = tmp_path / "content"
    octets = OCTETS + b"x\r\nFrom y\r\n>From z\r\n" * 100_000
    content.write_bytes(octets)
    deliver(agent, make_claim(sender="", held=make_content(octets, file=content)))
    stored = file.read_bytes()
    assert stored.startswith(b"From MAILER-DAEMON Tue Nov 14 22:13:20 2023\nReturn-Path: <>\n")
    assert stored.endswith(b"x\n>From y\n>>From z\n" * 100_000 + b"\n")
    assert b"\r" not in stored


def test_P4_whatever_was_tried_before_is_delivered_once(agent: MboxAgent, file: Path) -> None:
    claims = [make_claim(1), make_claim(2, "ann@here.example"), make_claim(3, "tom@here.example")]
    agent.deliver(claims[:2], DESK)
    before = file.read_bytes()
    tried = [make_claim(c.recipient_id, str(c.address), tried=True) for c in claims]
    outcomes = agent.deliver(tried, DESK)
    assert [outcome.reply.lines[0] for outcome in outcomes] == [
        "Delivered by an earlier attempt",
        "Delivered by an earlier attempt",
        "Delivered",
    ]
    assert file.read_bytes() == before + ENTRY.replace(b"joe", b"tom")


def test_P1_a_message_that_is_damaged_leaves_nothing_and_holds_up_no_other(
    agent: MboxAgent, file: Path, tmp_path: Path
) -> None:
    claims = [
        make_claim(1, held=make_content(digest=b"wrong")),
        make_claim(2),
        make_claim(3, held=make_content(file=tmp_path / "missing")),
        make_claim(4, held=make_content(b"Delivered-To: joe@here.example\r\n\r\n")),
    ]
    outcomes = agent.deliver(claims, DESK)
    assert [type(outcome) for outcome in outcomes] == [SetAside, Delivered, SetAside, Failed]
    assert file.read_bytes() == ENTRY


def test_F12_F5_a_file_that_stays_locked_puts_everything_off(
    agent: MboxAgent, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mbox.lock").touch()
    monkeypatch.setattr(mbox_module, "Mbox", partial(Mbox, waiting=Waiting(0.0)))
    outcomes = agent.deliver([make_claim(1), make_claim(2)], DESK)
    assert all(isinstance(outcome, Deferred) and not outcome.uncertain for outcome in outcomes)
    assert str(outcomes[0].reply).startswith("451 4.2.0 ")
    assert "locked" in str(outcomes[0].reply)
    assert file.read_bytes() == b""


def test_F5_troubles_put_off(agent: MboxAgent, file: Path) -> None:
    file.symlink_to("elsewhere")
    outcome = deliver(agent, make_claim())
    assert isinstance(outcome, Deferred)
    outcome = deliver(MboxAgent("mbox y", file.parent / "missing" / "mbox"), make_claim())
    assert isinstance(outcome, Deferred)
    assert outcome.reply.status == "4.2.0"


def test_F13_P2_what_was_not_flushed_was_not_delivered(
    agent: MboxAgent, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(agent, make_claim(1))

    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        outcomes = agent.deliver([make_claim(2), make_claim(3)], DESK)
    assert all(isinstance(outcome, Deferred) and outcome.uncertain for outcome in outcomes)
    assert {outcome.reply.status for outcome in outcomes} == {"4.3.1"}
    assert file.read_bytes() == ENTRY
