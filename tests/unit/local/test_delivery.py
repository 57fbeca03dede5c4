"""Delivery into Maildirs: what is written, what is found again, what defers (F-1 to F-3, F-5, P1, P4)."""

import hashlib
from pathlib import Path

import pytest

from paperpath.accounts.file import parse_accounts
from paperpath.folders.maildir import Maildir
from paperpath.local.delivery import Depot, deliver_batch, delivery_name
from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import NO_PARAMETERS
from paperpath.mail.outcome import Deferred, Delivered, Outcome
from paperpath.maildrop.values import Claim, ClaimedMessage, Content

ACCOUNTS = parse_accounts("joe@here.example\tx/joe\nann@here.example\tx/ann\n")
OCTETS = b"Received: x\r\nReturn-Path: <old@x.example>\r\n\r\nbody\r\n"


def content(octets: bytes = OCTETS, digest: bytes | None = None, file: Path | None = None) -> Content:
    digest = hashlib.sha256(octets).digest() if digest is None else digest
    return Content(len(octets), digest, None if file else octets, file)


def claim(number: int = 1, address: str = "joe", tried: bool = False, held: Content | None = None) -> Claim:
    sender = Mailbox("a", "b.example")
    message = ClaimedMessage(1, "Q", sender, NO_PARAMETERS, 1_700_000_000_000_123, held or content())
    mailbox = Mailbox(address, "here.example")
    return Claim(number, message, mailbox, mailbox, sender, "here.example", tried, 2, "", "")


def depot(root: Path) -> Depot:
    return Depot(root, ACCOUNTS, "mx.here.example", now_us=1_000_000)


def outcomes(root: Path, *claims: Claim) -> dict[int, Outcome]:
    settlements = deliver_batch(claims, depot(root))
    assert len(settlements) == len(claims)
    return {settlement.recipient_id: settlement.outcome for settlement in settlements}


def test_F1_F2_F3_our_fields_stand_on_top_and_nothing_else_changes(tmp_path: Path) -> None:
    assert isinstance(outcomes(tmp_path, claim())[1], Delivered)
    (file,) = (tmp_path / "x/joe/new").iterdir()
    assert file.name == "1700000000.M123R1.mx.here.example"
    assert file.read_bytes() == (
        b"Return-Path: <a@b.example>\nDelivered-To: joe@here.example\n" + OCTETS.replace(b"\r\n", b"\n")
    )


def test_a_batch_has_an_outcome_for_every_claim_whatever_befalls_the_others(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "ann").write_text("a file where the mailbox should be")
    found = outcomes(
        tmp_path,
        claim(1),
        claim(2, "nobody"),
        claim(3, "ann"),
        claim(4, held=content(digest=b"wrong")),
        claim(5, held=content(file=tmp_path / "missing")),
        claim(6, "JOE"),
    )
    assert {number for number, outcome in found.items() if isinstance(outcome, Delivered)} == {1, 6}
    replies = {number: str(outcome.reply) for number, outcome in found.items()}
    assert replies[2].startswith("450 4.2.1")
    assert replies[3].startswith("451 4.2.0")
    assert replies[4].startswith("451 4.3.0")
    assert replies[5].startswith("451 4.2.0")
    assert len(list((tmp_path / "x/joe/new").iterdir())) == 2
    assert not list((tmp_path / "x/joe/tmp").iterdir())


def test_P1_damaged_content_is_never_delivered(tmp_path: Path) -> None:
    file = tmp_path / "content"
    file.write_bytes(OCTETS.replace(b"body", b"BODY"))
    damaged = content(digest=hashlib.sha256(OCTETS).digest(), file=file)
    assert isinstance(outcomes(tmp_path, claim(held=damaged))[1], Deferred)
    assert not list((tmp_path / "x/joe/new").iterdir())


def test_deferring_waits_longer_each_time_up_to_an_hour(tmp_path: Path) -> None:
    outcome = outcomes(tmp_path, claim(address="nobody"))[1]
    assert isinstance(outcome, Deferred)
    assert outcome.due_us == 1_000_000 + 40 * 1_000_000


def test_P4_a_tried_claim_that_was_delivered_is_not_written_again(tmp_path: Path) -> None:
    outcomes(tmp_path, claim())
    name = delivery_name(claim(), "mx.here.example")
    (tmp_path / "x/joe/new" / name).rename(tmp_path / "x/joe/cur" / f"{name}:2,S")
    found = outcomes(tmp_path, claim(tried=True))[1]
    assert isinstance(found, Delivered)
    assert "earlier" in str(found.reply)
    assert not list((tmp_path / "x/joe/new").iterdir())


def test_P4_a_directory_that_cannot_be_flushed_leaves_doubt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(maildir: Maildir) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Maildir, "flush", fail)
    outcome = outcomes(tmp_path, claim())[1]
    assert isinstance(outcome, Deferred)
    assert outcome.uncertain


def test_P4_a_file_moved_while_we_look_is_looked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes(tmp_path, claim())
    name = delivery_name(claim(), "mx.here.example")
    new, cur = tmp_path / "x/joe/new" / name, tmp_path / "x/joe/cur" / f"{name}:2,S"
    find = Maildir.find

    def find_then_move(maildir: Maildir, wanted: str) -> Path | None:
        there = find(maildir, wanted)
        if there == new:
            new.rename(cur)
        return there

    monkeypatch.setattr(Maildir, "find", find_then_move)
    assert isinstance(outcomes(tmp_path, claim(tried=True))[1], Delivered)
    assert cur.exists()
    assert not list((tmp_path / "x/joe/new").iterdir())


def test_P4_a_tried_claim_that_was_not_delivered_is(tmp_path: Path) -> None:
    assert isinstance(outcomes(tmp_path, claim(tried=True))[1], Delivered)
    assert len(list((tmp_path / "x/joe/new").iterdir())) == 1


def test_F7_names_differ_by_recipient_and_carry_no_slash(tmp_path: Path) -> None:
    assert delivery_name(claim(1), "h") != delivery_name(claim(2), "h")
    assert delivery_name(claim(1), "a/b:c") == "1700000000.M123R1.a\\057b\\072c"
