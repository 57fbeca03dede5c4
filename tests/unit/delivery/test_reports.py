"""Outcomes settled with their reports, in a maildrop in memory (A-43, D-13, H-1 to H-8, H-25, P3)."""

import asyncio
import email
from dataclasses import replace
from email.message import Message
from pathlib import Path
from typing import cast

import pytest

from paperpath.delivery.addressee import case_of_unsorted
from paperpath.delivery.reports import Clerk, make_reports, make_warnings
from paperpath.delivery.schedule import Patience
from paperpath.delivery.settling import make_settlements, settle_untold
from paperpath.mail.address import Mailbox, parse_path
from paperpath.mail.envelope import Client, Envelope, Recipient, SenderParameters
from paperpath.mail.letter import Letterhead
from paperpath.mail.notification import Fate
from paperpath.mail.outcome import Deferred, Delivered, Failed, Outcome, SetAside
from paperpath.mail.reply import Reply, make_reply
from paperpath.maildrop.errors import MaildropError, StorageError
from paperpath.maildrop.memory import MemoryContent, MemoryMaildrop, MemoryStore
from paperpath.maildrop.values import (
    Claim,
    Claimed,
    ClaimedMessage,
    Content,
    Damaged,
    NewMessage,
    Origin,
    Settlement,
    Sorted,
    Transport,
    UnsortedRecipient,
)

ANN = Mailbox("ann", "else.example")
ADMIN = Mailbox("admin", "here.example")
CLERK = Clerk(Letterhead("mx.here.example", ADMIN), 1000, Patience(432_000_000_000, None), lambda: "f00d")
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
        await self.hand_in(*recipients, sender=sender, octets=octets)
        return await self.claim()

    async def hand_in(
        self, *recipients: Recipient, sender: Mailbox | None = ANN, octets: bytes = ORIGINAL
    ) -> tuple[UnsortedRecipient, ...]:
        """Take a message."""
        writer = self.maildrop.new_content("Q")
        writer.write(octets)
        client = Client("192.0.2.1", 25, "client.example", "ESMTP")
        parameters = SenderParameters(envid="QQ314159")
        envelope = Envelope(sender, recipients, client, parameters)
        await self.maildrop.accept(NewMessage("0ABC", envelope, await writer.finish(), NOW_US))
        return self.maildrop.read_unsorted(100).recipients

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


def test_H5_E17_E19_refusals_at_sorting_share_a_report_which_reads_the_content_then() -> None:
    async def run() -> None:
        drop = Drop()
        unsorted = await drop.hand_in(recipient("a"), recipient("b"), recipient("c", "NEVER"))
        cases = [case_of_unsorted(one, Fate.FAILED, NOBODY.reply) for one in unsorted]
        reports = await make_reports(cases, drop.maildrop, CLERK, NOW_US)
        assert reports[1] == reports[2]
        assert list(reports) == [1, 2]
        text = reports[1].content.octets
        assert text is not None
        assert ORIGINAL in text
        assert b"Original-Envelope-Id: QQ314159\r\n" in text
        assert b"Received-From-MTA: dns; client.example (192.0.2.1)\r\n" in text
        assert reports[1].envelope.recipients[0].address == ANN

    asyncio.run(run())


def test_E19_a_refusal_of_a_message_that_is_damaged_is_reported_without_it() -> None:
    class Damaging(MemoryMaildrop):
        def read_message(self, queue_id: str) -> ClaimedMessage | None:
            raise MaildropError("damaged")

    async def run() -> None:
        drop = Drop()
        (one,) = await drop.hand_in(recipient("a"))
        case = case_of_unsorted(one, Fate.FAILED, NOBODY.reply)
        (report,) = (await make_reports([case], Damaging(drop.store), CLERK, NOW_US)).values()
        assert len(cast("list[Message]", _read(report).get_payload())) == 2

    asyncio.run(run())


HOST = "mx.else.example"


@pytest.mark.parametrize(
    ("outcome", "subject", "fields"),
    [
        (
            DELIVERED,
            b"Mail was delivered",
            b"Action: delivered\r\nStatus: 2.1.5\r\nLast-Attempt-Date: ",
        ),
        (
            Delivered(make_reply(250, "2.6.0", "Queued"), HOST),
            b"Mail was handed on",
            b"Action: relayed\r\nStatus: 2.6.0\r\nRemote-MTA: dns; mx.else.example\r\n"
            b"Diagnostic-Code: smtp; 250 2.6.0 Queued\r\nLast-Attempt-Date: ",
        ),
        (
            Failed(make_reply(550, "5.1.1", "Unknown"), HOST),
            b"Mail could not be delivered",
            b"Action: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; mx.else.example\r\n"
            b"Diagnostic-Code: smtp; 550 5.1.1 Unknown\r\nLast-Attempt-Date: ",
        ),
    ],
)
def test_H1_H14_H15_a_settlement_carries_the_report_that_was_asked_for(
    outcome: Outcome, subject: bytes, fields: bytes
) -> None:
    async def run() -> None:
        drop = Drop()
        claimed = await drop.accept(recipient("joe", "SUCCESS,FAILURE"), recipient("ann"))
        settlements = await drop.settle(claimed, outcome, DELIVERED)
        assert [settlement.report is not None for settlement in settlements] == [True, False]
        text = text_of(only(await drop.claim()))
        assert b"\r\nSubject: " + subject in text
        assert fields in text
        assert b"ann@here" not in text

    asyncio.run(run())


def test_H1_of_what_another_host_will_report_nothing_is_said() -> None:
    async def run() -> None:
        drop = Drop()
        claimed = await drop.accept(recipient("joe", "SUCCESS"))
        taken = Delivered(make_reply(250, "", "ok"), HOST, takes_over=True)
        (settlement,) = await drop.settle(claimed, taken)
        assert settlement.report is None

    asyncio.run(run())


def test_H5_what_was_done_in_two_ways_is_two_reports() -> None:
    async def run() -> None:
        drop = Drop()
        claimed = await drop.accept(recipient("a", "SUCCESS"), recipient("b"), recipient("c", "SUCCESS"))
        first, second, third = await drop.settle(claimed, DELIVERED, NOBODY, DELIVERED)
        assert first.report is third.report
        assert drop.maildrop.read_books().reported == 2
        assert second.report is not None

    asyncio.run(run())


def test_H23_a_delivery_here_whose_report_cannot_be_stored_is_looked_for_again() -> None:
    async def run() -> None:
        drop = Drop()
        claimed = await drop.accept(recipient("a", "SUCCESS"), recipient("b"), recipient("c", "SUCCESS"))
        elsewhere = Delivered(DELIVERED.reply, HOST)
        settlements = settle_untold(claimed, [DELIVERED, DELIVERED, elsewhere], NOW_US)
        first, *others = [settlement.outcome for settlement in settlements]
        assert isinstance(first, Deferred)
        assert first.uncertain
        assert others == [DELIVERED, elsewhere]

    asyncio.run(run())


def test_H8_H14_who_waits_long_is_told_so_with_the_last_reply_and_until_when() -> None:
    async def run() -> None:
        drop = Drop()
        claimed = await drop.accept(recipient("a"), recipient("b", "DELAY"), recipient("c", "NEVER"))
        later = Deferred(Reply(452, "4.2.2", ("Mailbox", "full")), NOW_US + 1, host=HOST)
        await drop.settle(claimed, later, later, later)
        waiting = drop.maildrop.examine([claim.recipient_id for claim in claimed.claims]).claims
        warnings = await make_warnings(waiting, drop.maildrop, CLERK, NOW_US)
        assert list(warnings) == [claim.recipient_id for claim in claimed.claims]
        first, second, third = warnings.values()
        assert first is second
        assert third is None
        assert first is not None
        text = first.content.octets
        assert text is not None
        assert text.count(b"Action: delayed\r\nStatus: 4.2.2\r\n") == 2
        assert b"Diagnostic-Code: x-paperpath; 452 4.2.2 Mailbox full\r\n" in text
        assert b"Will-Retry-Until: Sun, 19 Nov 2023 22:13:20 +0000\r\n" in text
        assert b"text/rfc822-headers" in text
        assert b"\r\nbody" not in text

    asyncio.run(run())


def test_H8_of_what_has_the_null_sender_no_delay_is_told() -> None:
    async def run() -> None:
        drop = Drop()
        claimed = await drop.accept(recipient("a"), sender=None)
        assert list((await make_warnings(claimed.claims, drop.maildrop, CLERK, NOW_US)).values()) == [None]

    asyncio.run(run())


def test_H8_who_was_never_tried_is_told_that() -> None:
    async def run() -> None:
        drop = Drop()
        claimed = await drop.accept(recipient("a"))
        (warning,) = (await make_warnings(claimed.claims, drop.maildrop, CLERK, NOW_US)).values()
        assert warning is not None
        assert b"Status: 4.0.0\r\n" in (warning.content.octets or b"")

    asyncio.run(run())


def test_H2_H25_a_source_route_and_what_the_header_asks_for_are_nothing_to_go_by() -> None:
    async def run() -> None:
        drop = Drop()
        header = (
            b"Errors-To: x@else.example\r\nReturn-Receipt-To: x@else.example\r\nReply-To: x@else.example\r\n"
        )
        sender, _ = parse_path(b"<@a.example,@b.example:user@d.example>")
        claimed = await drop.accept(recipient("bad"), sender=sender, octets=header + ORIGINAL)
        await drop.settle(claimed, NOBODY)
        report = only(await drop.claim())
        assert report.address == Mailbox("user", "d.example")
        assert b"\r\nTo: <user@d.example>\r\n" in text_of(report)

    asyncio.run(run())


def _with_content(claim: Claim, content: Content) -> Claim:
    return replace(claim, message=replace(claim.message, content=content))


def _read(report: NewMessage) -> Message:
    assert report.content.octets is not None
    return email.message_from_bytes(report.content.octets)
