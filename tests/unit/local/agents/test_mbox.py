"""The mbox agent (F-12, F-13, P4): entries, found again, put off."""

import errno
import os
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from paperpath.folders.mbox import Mbox
from paperpath.folders.mbox_lock import Waiting
from paperpath.local.agents import mbox as mbox_module
from paperpath.local.agents.interface import Desk
from paperpath.local.agents.mbox import MboxAgent
from paperpath.local.findings import Findings
from paperpath.mail.address import Mailbox
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


def test_E8_F13_the_entry_is_from_the_return_path(agent: MboxAgent, file: Path) -> None:
    of_list = replace(make_claim(), return_path=Mailbox("owner-x", "here.example"))
    deliver(agent, of_list)
    assert file.read_bytes().startswith(b"From owner-x@here.example Tue")


def test_P4_a_file_that_does_not_close_well_takes_no_entry_back(
    agent: MboxAgent, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The entry is flushed: tried again as if it were not, it would come twice."""
    close, fsync, is_flushed = os.close, os.fsync, False

    def note_flush(descriptor: int) -> None:
        nonlocal is_flushed
        fsync(descriptor)
        is_flushed = file.stat().st_size > 0

    def close_badly(descriptor: int) -> None:
        close(descriptor)
        if is_flushed:
            raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", note_flush)
        patched.setattr(os, "close", close_badly)
        outcome = deliver(agent, make_claim())
    assert is_flushed
    assert isinstance(outcome, Delivered)
    assert not file.with_name("mbox.lock").exists()


def test_P4_nothing_is_looked_for_that_was_not_tried(agent: MboxAgent, file: Path) -> None:
    deliver(agent, make_claim())
    deliver(agent, make_claim())
    assert file.read_bytes() == ENTRY * 2


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


def found(verdict: bytes) -> Desk:
    """Make a desk where that was found of recipient 1."""
    field = b"Authentication-Results: mx.here.example;\r\n dkim=" + verdict + b"\r\n"
    return replace(DESK, findings={1: Findings("mx.here.example", field)})


@pytest.mark.parametrize("again", [b"pass", b"temperror\r\n (the DNS is ill)"])
@pytest.mark.parametrize("behind", [b"", b"From x Tue Nov 14 22:13:20 2023\nA: b\n\nc\n\n"])
def test_P4_I21_an_entry_is_known_again_whatever_was_found_this_time(
    agent: MboxAgent, file: Path, again: bytes, behind: bytes
) -> None:
    agent.deliver([make_claim()], found(b"pass"))
    with file.open("ab") as end:
        end.write(behind)
    before = file.read_bytes()
    assert b"\nAuthentication-Results: mx.here.example;\n dkim=pass\nReceived: x\n" in before
    (outcome,) = agent.deliver([make_claim(tried=True)], found(again))
    assert str(outcome.reply) == "250 2.1.5 Delivered by an earlier attempt"
    assert file.read_bytes() == before


def test_P4_I21_the_begin_of_an_entry_is_cut_off_wherever_it_ends(agent: MboxAgent, file: Path) -> None:
    other = make_claim(2, "ann@here.example")
    agent.deliver([other], DESK)
    first = file.read_bytes()
    agent.deliver([make_claim()], found(b"temperror"))
    whole = file.read_bytes()
    wanted = whole.replace(b"temperror", b"pass")
    line = whole.index(b"\n", len(first)) + 1
    for end in range(line, len(whole) - 1):
        file.write_bytes(whole[:end])
        (outcome,) = agent.deliver([make_claim(tried=True)], found(b"pass"))
        assert isinstance(outcome, Delivered)
        assert file.read_bytes() == wanted, end


def test_P4_I21_an_entry_that_has_no_results_yet_is_known_too(agent: MboxAgent, file: Path) -> None:
    deliver(agent, make_claim())
    (outcome,) = agent.deliver([make_claim(tried=True)], found(b"pass"))
    assert str(outcome.reply) == "250 2.1.5 Delivered by an earlier attempt"
    assert file.read_bytes() == ENTRY
