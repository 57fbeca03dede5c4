"""What a mailbox has no room for: put off, or failed (F-5, F-10, P4)."""

from dataclasses import replace
from pathlib import Path

import pytest

from paperpath.accounts.file import parse_accounts
from paperpath.config.quota import Quota
from paperpath.folders.maildir import create_maildir
from paperpath.local.agents.maildir import Allotment
from paperpath.local.delivery import deliver_batch
from paperpath.mail.outcome import Deferred, Delivered, Failed, Outcome
from paperpath.maildrop.values import Claim
from tests.unit.local.test_delivery import ACCOUNTS, OCTETS, claim, depot

STORED = len(b"Return-Path: <a@b.example>\nDelivered-To: joe@here.example\n" + OCTETS.replace(b"\r\n", b"\n"))
ROOM_FOR_THREE = Quota(3 * STORED)


@pytest.fixture(autouse=True)
def joe(tmp_path: Path) -> Path:
    for account in ACCOUNTS:
        create_maildir(tmp_path / "root", account.folder)
    return tmp_path / "root/x/joe"


def deliver(
    tmp_path: Path, *claims: Claim, quota: Quota = ROOM_FOR_THREE, is_final: bool = False
) -> list[Outcome]:
    return deliver_batch(claims, replace(depot(tmp_path), allotment=Allotment(quota, is_final)))


def test_F10_a_batch_goes_as_far_as_there_is_room(tmp_path: Path, joe: Path) -> None:
    found = deliver(tmp_path, *(claim(number) for number in range(1, 6)))
    assert [type(outcome) for outcome in found] == [Delivered] * 3 + [Deferred] * 2
    assert isinstance(found[4], Deferred)
    assert (found[4].reply.code, found[4].reply.status) == (452, "4.2.2")
    assert not found[4].uncertain
    assert {file.name.partition(",")[2] for file in (joe / "new").iterdir()} == {f"S={STORED}"}
    assert not list((joe / "tmp").iterdir())
    next((joe / "new").iterdir()).unlink()  # by a program that knows nothing of quotas
    (outcome,) = deliver(tmp_path, claim(4))
    assert isinstance(outcome, Delivered)


def test_F10_who_wants_that_has_it_fail_at_once(tmp_path: Path) -> None:
    found = deliver(tmp_path, claim(1), claim(2), quota=Quota(0, 1), is_final=True)
    assert isinstance(found[1], Failed)
    assert (found[1].reply.code, found[1].reply.status) == (552, "5.2.2")


@pytest.mark.parametrize("is_final", [True, False])
def test_F10_what_is_larger_than_the_whole_quota_fails_at_once(tmp_path: Path, is_final: bool) -> None:
    (outcome,) = deliver(tmp_path, claim(), quota=Quota(STORED - 1), is_final=is_final)
    assert isinstance(outcome, Failed)
    assert (outcome.reply.code, outcome.reply.status) == (552, "5.2.3")


@pytest.mark.parametrize(
    ("own", "outcomes"), [("", [Delivered, Deferred]), ("9C", [Delivered] * 2), ("none", [Delivered] * 2)]
)
def test_F10_an_account_may_have_its_own_quota(
    tmp_path: Path, own: str, outcomes: list[type[Outcome]]
) -> None:
    line = "joe@here.example\tx/joe" + (f"\t\tquota={own}" if own else "")
    here = replace(depot(tmp_path, accounts=parse_accounts(line)), allotment=Allotment(Quota(0, 1)))
    assert [type(outcome) for outcome in deliver_batch([claim(1), claim(2)], here)] == outcomes


def test_F10_a_full_mailbox_keeps_nobody_else_from_his_mail(tmp_path: Path) -> None:
    deliver(tmp_path, *(claim(number) for number in range(1, 4)))
    to_joe, to_ann = deliver(tmp_path, claim(5), claim(6, "ann"))
    assert isinstance(to_joe, Deferred)
    assert isinstance(to_ann, Delivered)


def test_F10_P4_what_lies_there_already_needs_no_room(tmp_path: Path, joe: Path) -> None:
    """The name of a delivery is known before its size is: an earlier attempt is found in a full mailbox."""
    deliver(tmp_path, claim(1), quota=Quota(0, 1))
    (outcome,) = deliver(tmp_path, claim(1, tried=True), quota=Quota(0, 1))
    assert isinstance(outcome, Delivered)
    assert "earlier" in str(outcome.reply)
    assert len(list((joe / "new").iterdir())) == 1
