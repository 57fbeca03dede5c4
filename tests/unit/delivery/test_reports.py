"""Failures settled with their reports, in a maildrop in memory (A-43, D-13, H-2 to H-5, P3)."""

import asyncio
import email
from dataclasses import replace
from email.message import Message
from pathlib import Path
from typing import cast

import pytest

from paperpath.delivery.reports import Clerk, report_refusal
from paperpath.delivery.settling import make_settlements, settle_untold
from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import Client, Envelope, Recipient, SenderParameters
from paperpath.mail.letter import Letterhead
from paperpath.mail.outcome import Deferred, Delivered, Failed, Outcome, SetAside
from paperpath.mail.reply import make_reply
from paperpath.maildrop.errors import StorageError
from paperpath.maildrop.memory import MemoryContent, MemoryMaildrop, MemoryStore
from paperpath.maildrop.values import (
    Claim,
    Claimed,
    Content,
    Damaged,
    NewMessage,
    Origin,
    Settlement,
    Sorted,
    Transport,
)

ANN = Mailbox("ann", "else.example")
ADMIN = Mailbox("admin", "here.example")
CLERK = Clerk(Letterhead("mx.here.example", ADMIN), 1000, lambda: "f00d")
ORIGINAL = b"Subject: hello\r\n\r\nbody\r\n"
DELIVERED = Delivered(make_reply(250, "2.1.5", "Delivered"))
NOBODY = Failed(make_reply(550, "5.1.1", "No such mailbox"))
NOW_US = 1_700_000_000_000_000


class Drop:
    """A maildrop in memory, and one local delivery."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.maildrop = MemoryMaildrop(self.store)

    async def accept(
        self, *recipients: Recipient, sender: Mailbox | None = ANN, octets: bytes = ORIGINAL
    ) -> Claimed:
        """Take a message, and claim its recipients."""
        writer = self.maildrop.new_content("Q")
        writer.write(octets)
        client = Client("192.0.2.1", 25, "client.example", "ESMTP")
        parameters = SenderParameters(envid="QQ314159")
        envelope = Envelope(sender, recipients, client, parameters)
        await self.maildrop.accept(NewMessage("0ABC", envelope, await writer.finish(), NOW_US))
        return await self.claim()

    async def claim(self) -> Claimed:
        """Sort everything as local, and claim it."""
        unsorted = self.maildrop.read_unsorted(100).recipients
        decisions = [Sorted(found.id, found.address, Transport.LOCAL, "here") for found in unsorted]
        await self.maildrop.sort(decisions, self.maildrop.read_epoch(), NOW_US)
        return await self.maildrop.claim(Transport.LOCAL, 100, NOW_US)

    async def settle(self, claimed: Claimed, *outcomes: Outcome) -> list[Settlement]:
        """Settle with what there is to tell."""
        settlements = await make_settlements(claimed, outcomes, self.maildrop, CLERK, NOW_US)
        await self.maildrop.settle(settlements)
        assert self.maildrop.read_books().balance
        return settlements


def recipient(name: str, notify: str = "", orcpt: str = "") -> Recipient:
    return Recipient(Mailbox(name, "here.example"), notify, orcpt)


def only(claimed: Claimed) -> Claim:
    (claim,) = claimed.claims
    return claim


def text_of(claim: Claim) -> bytes:
    assert claim.message.content.octets is not None
    return claim.message.content.octets


def test_A43_H2_P3_who_was_not_reached_is_reported_to_the_return_path() -> None:
    async def run() -> None:
        drop = Drop()
        claimed = await drop.accept(recipient("good"), recipient("bad", orcpt="rfc822;Bad@old.example"))
        await drop.settle(claimed, DELIVERED, NOBODY)
        books = drop.maildrop.read_books()
        assert (books.delivered, books.failed, books.reported, books.open) == (1, 1, 1, 1)
        report = only(await drop.claim())
        assert report.return_path is None
        assert report.address == ANN
        assert report.notify == "NEVER"  # H-9
        assert report.message.origin is Origin.REPORT
        text = text_of(report)
        assert b"Final-Recipient: rfc822; bad@here.example\r\n" in text
        assert b"Original-Recipient: rfc822; Bad@old.example\r\n" in text
        assert b"Original-Envelope-Id: QQ314159\r\n" in text
        assert b"X-Paperpath-Queue-Id: 0ABC\r\n" in text
        assert b"good@" not in text
        assert ORIGINAL in text

    asyncio.run(run())


def test_H5_three_failures_and_one_that_nobody_is_told_of_are_one_report() -> None:
    async def run() -> None:
        drop = Drop()
        claimed = await drop.accept(*(recipient(name) for name in "abc"), recipient("d", "NEVER"))
        settlements = await drop.settle(claimed, NOBODY, NOBODY, NOBODY, NOBODY)
        assert [settlement.report is not None for settlement in settlements] == [True, True, True, False]
        text = text_of(only(await drop.claim()))
        assert text.count(b"\r\nFinal-Recipient: ") == 3
        assert b"d@here.example" not in text
        assert drop.maildrop.read_books().failed == 4

    asyncio.run(run())


def test_H3_H4_a_report_that_fails_goes_to_the_postmaster_and_no_further() -> None:
    async def run() -> None:
        drop = Drop()
        await drop.settle(await drop.accept(recipient("bad")), NOBODY)
        first = await drop.claim()
        await drop.settle(first, NOBODY)
        second = await drop.claim()
        assert only(second).address == ADMIN
        assert b"You get this as the postmaster" in text_of(only(second)).replace(b"\r\n", b" ")
        assert text_of(only(first)).split(b"\r\n")[2] in text_of(only(second))
        (last,) = await drop.settle(second, NOBODY)
        assert last.report is None
        assert drop.maildrop.read_books().open == 0
        assert drop.store.messages == {}

    asyncio.run(run())


def test_H1_a_message_with_the_null_sender_that_wants_no_report_is_still_told_to_the_postmaster() -> None:
    async def run() -> None:
        drop = Drop()
        await drop.settle(await drop.accept(recipient("bad", "NEVER"), sender=None), NOBODY)
        assert only(await drop.claim()).address == ADMIN

    asyncio.run(run())


def test_H7_who_is_given_up_has_the_last_reply_in_the_report() -> None:
    async def run() -> None:
        drop = Drop()
        given_up = Failed(make_reply(452, "4.3.1", "The disk is full"))
        await drop.settle(await drop.accept(recipient("joe")), given_up)
        text = text_of(only(await drop.claim()))
        assert b"Status: 5.4.7\r\nDiagnostic-Code: x-paperpath; 452 4.3.1 The disk is full\r\n" in text

    asyncio.run(run())


def test_what_is_damaged_is_held_and_the_postmaster_told_once_for_a_message() -> None:
    async def run() -> None:
        drop = Drop()
        aside = SetAside(make_reply(451, "4.3.0", "Damaged: its digest differs"))
        claimed = await drop.accept(recipient("a"), recipient("b"))
        await drop.settle(claimed, aside, aside)
        books = drop.maildrop.read_books()
        assert (books.held, books.reported) == (2, 1)
        notice = only(await drop.claim())
        assert notice.address == ADMIN
        text = text_of(notice)
        assert b"Subject: Message 0ABC was set aside\r\n" in text
        assert b"a@here.example\r\n  b@here.example\r\n" in text
        (again,) = await drop.settle(Claimed((notice,)), aside)
        assert again.report is None  # of our own letters no letter is written

    asyncio.run(run())


def test_a_damaged_row_is_set_aside_with_a_notice() -> None:
    async def run() -> None:
        drop = Drop()
        damaged = Claimed((), (Damaged(7, "0XYZ", "no such transport"),))
        (settlement,) = await make_settlements(damaged, [], drop.maildrop, CLERK, NOW_US)
        assert isinstance(settlement.outcome, SetAside)
        assert settlement.report is not None
        assert settlement.report.envelope.recipients[0].address == ADMIN

    asyncio.run(run())


class FullMaildrop(MemoryMaildrop):
    """A maildrop that has no room for content."""

    def new_content(self, queue_id: str) -> MemoryContent:
        raise StorageError("no room", no_space=True)


def test_D13_nobody_fails_whose_report_cannot_be_stored() -> None:
    async def run() -> None:
        drop = Drop()
        claimed = await drop.accept(recipient("bad"), recipient("good"))
        drop.maildrop.new_content = FullMaildrop(drop.store).new_content  # type: ignore[method-assign]
        with pytest.raises(StorageError):
            await make_settlements(claimed, [NOBODY, DELIVERED], drop.maildrop, CLERK, NOW_US)
        settlements = settle_untold(claimed, [NOBODY, DELIVERED], NOW_US)
        assert [type(settlement.outcome) for settlement in settlements] == [Deferred, Delivered]
        assert [settlement.report for settlement in settlements] == [None, None]

    asyncio.run(run())


def test_S5_H17_of_a_large_message_only_the_beginning_is_read(tmp_path: Path) -> None:
    async def run() -> None:
        drop = Drop()
        octets = b"Subject: large\r\n\r\n" + b"0123456789\r\n" * 1000
        claimed = await drop.accept(recipient("bad"), octets=octets)
        await drop.settle(claimed, NOBODY)
        text = text_of(only(await drop.claim()))
        assert b"text/rfc822-headers" in text
        assert len(text) < 3000
        for content in (
            Content(len(octets), b"", None, tmp_path / "missing"),
            Content(len(octets), b"", None, None),
        ):
            drop = Drop()
            claim = only(await drop.accept(recipient("bad")))
            lost = Claimed((_with_content(claim, content),))
            (settlement,) = await make_settlements(lost, [NOBODY], drop.maildrop, CLERK, NOW_US)
            assert settlement.report is not None
            parts = cast("list[Message]", _read(settlement.report).get_payload())
            assert len(parts) == 2

    asyncio.run(run())


def test_E17_E19_a_refusal_at_sorting_is_reported_without_the_content() -> None:
    async def run() -> None:
        drop = Drop()
        writer = drop.maildrop.new_content("Q")
        writer.write(ORIGINAL)
        client = Client("192.0.2.1", 25, "client.example", "ESMTP")
        envelope = Envelope(ANN, (recipient("bad"),), client)
        await drop.maildrop.accept(NewMessage("0DEF", envelope, await writer.finish(), NOW_US))
        (found,) = drop.maildrop.read_unsorted(10).recipients
        report = await report_refusal(found, NOBODY.reply, drop.maildrop, CLERK, NOW_US)
        assert report is not None
        assert len(cast("list[Message]", _read(report).get_payload())) == 2
        assert report.envelope.recipients[0].address == ANN

    asyncio.run(run())


def _with_content(claim: Claim, content: Content) -> Claim:
    return replace(claim, message=replace(claim.message, content=content))


def _read(report: NewMessage) -> Message:
    assert report.content.octets is not None
    return email.message_from_bytes(report.content.octets)
