"""Reports of delay, once for each recipient (H-8, H-3)."""

import asyncio

from paperpath.config.tables import Configuration
from paperpath.journal.events import Event, Reported
from paperpath.mail.address import Mailbox, parse_mailbox
from paperpath.mail.envelope import Client, Envelope, Recipient
from paperpath.mail.outcome import Deferred
from paperpath.mail.reply import make_reply
from paperpath.maildrop.memory import MemoryMaildrop, MemoryStore
from paperpath.maildrop.values import NewMessage, Origin, Settlement, Sorted, Transport
from paperpath.postoffice.lateness import ROUND_US, Lateness
from tests.unit.config.example import RIGHT, configure

HOUR_US = 3_600_000_000
ANN = Mailbox("ann", "else.example")
BUSY = make_reply(451, "4.2.0", "Busy")


class Office:
    """A maildrop in memory with mail that waits, and the sweep that looks for the late."""

    def __init__(self, configuration: Configuration) -> None:
        self.now_us = 0
        self.maildrop = MemoryMaildrop(MemoryStore())
        self.told: list[Event] = []
        self.configuration = configuration
        self.lateness = Lateness(self.maildrop, self.told.append, lambda: self.now_us)

    async def put(self, *recipients: str, sender: Mailbox | None = ANN, notify: str = "") -> None:
        """Have a message wait for another host."""
        queue_id = self.maildrop.new_queue_id(self.now_us)
        writer = self.maildrop.new_content(queue_id)
        writer.write(b"Subject: hello\r\n\r\nbody\r\n")
        wanted = tuple(Recipient(parse_mailbox(address), notify) for address in recipients)
        envelope = Envelope(sender, wanted, Client("192.0.2.1", 1, "h", "ESMTP"))
        await self.maildrop.accept(NewMessage(queue_id, envelope, await writer.finish(), self.now_us))
        await self.sort()

    async def sort(self) -> None:
        found = self.maildrop.read_unsorted(100).recipients
        decisions = [Sorted(one.id, one.address, Transport.REMOTE, one.address.domain) for one in found]
        await self.maildrop.sort(decisions, self.maildrop.read_epoch(), self.now_us)

    async def look(self, hours: float) -> list[tuple[str, ...]]:
        """Let time pass, and return whom reports that are made then are about."""
        self.now_us = round(hours * HOUR_US)
        begin = len(self.told)
        while await self.lateness.warn_some(self.configuration):
            pass
        return [event.recipients for event in self.told[begin:] if isinstance(event, Reported)]


def run(story, delivery: str = "") -> None:
    asyncio.run(story(Office(configure(f"{RIGHT}[delivery]\n{delivery}"))))


def test_H8_over_five_days_there_is_one_report_of_delay():
    async def story(office: Office) -> None:
        await office.put("joe@far.example", "ann@far.example")
        reports = [await office.look(hours) for hours in range(5 * 24)]
        assert [found for found in reports if found] == [[("joe@far.example", "ann@far.example")]]
        assert reports[4] == []
        assert reports[5] != []

    run(story)


def test_H8_the_report_is_a_message_to_the_sender():
    async def story(office: Office) -> None:
        await office.put("joe@far.example")
        await office.look(5)
        (report,) = office.maildrop.read_unsorted(10).recipients
        assert (report.address, report.return_path) == (ANN, None)
        message = office.maildrop.read_message(report.queue_id)
        assert message is not None
        assert message.origin is Origin.REPORT
        assert b"Action: delayed" in (message.content.octets or b"")

    run(story)


def test_H8_whoever_waits_for_a_destination_that_is_away_is_told_what_it_said():
    async def story(office: Office) -> None:
        await office.put("joe@there.example")
        await office.maildrop.suspend(Transport.REMOTE, "there.example", HOUR_US, "451 4.4.1 No answer")
        await office.look(5)
        (report,) = office.maildrop.read_unsorted(10).recipients
        message = office.maildrop.read_message(report.queue_id)
        assert message is not None
        assert b"Status: 4.4.1\r\n" in (message.content.octets or b"")
        assert b"No answer" in (message.content.octets or b"")

    run(story)


def test_H1_H3_who_does_not_want_to_know_is_not_told_of_a_delay():
    async def story(office: Office) -> None:
        await office.put("never@far.example", notify="NEVER")
        await office.put("failure@far.example", notify="FAILURE")
        await office.put("null@far.example", sender=None)
        await office.put("delay@far.example", notify="DELAY")
        assert await office.look(5) == [("delay@far.example",)]
        assert await office.look(50) == []

    run(story)


def test_H8_who_was_being_attempted_has_its_turn_later():
    async def story(office: Office) -> None:
        await office.put("joe@far.example")
        await office.put("ann@far.example")
        (claim,) = (await office.maildrop.claim(Transport.REMOTE, 1, 0)).claims
        assert await office.look(5) == [("ann@far.example",)]
        await office.maildrop.settle([Settlement(claim.recipient_id, Deferred(BUSY, 9 * HOUR_US))])
        assert await office.look(5 + ROUND_US / HOUR_US) == [("joe@far.example",)]

    run(story)


def test_H8_the_time_is_configured_and_nothing_is_never():
    async def story(office: Office) -> None:
        await office.put("joe@far.example")
        assert await office.look(0.9) == []
        assert await office.look(1.1) == [("joe@far.example",)]

    async def silence(office: Office) -> None:
        await office.put("joe@far.example")
        assert await office.look(100) == []

    run(story, "warn_after_s = 3600")
    run(silence, "warn_after_s = 0")
