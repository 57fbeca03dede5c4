"""What goes back of a batch: reports to senders, since nobody hears replies, and its rest to the postmaster.

Used by the reader and by who runs it (RFC 2442, requirements J-23 and J-25). A report goes into the maildrop
under a key that is taken once only, as messages of the batch do.
"""

import base64
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from paperpath.delivery.addressee import Case
from paperpath.delivery.reports import Clerk, make_reports
from paperpath.journal.events import Reported, Tell, show_address, show_addresses
from paperpath.mail.envelope import Client, Envelope, Recipient
from paperpath.mail.letter import Stamps
from paperpath.mail.notice import write_batch_notice
from paperpath.mail.notification import Fate
from paperpath.maildrop.interface import ContentWriter, Maildrop
from paperpath.maildrop.values import ClaimedMessage, Content, NewMessage, Origin
from paperpath.submission.batch.message import BatchMessage, RefusedRecipient

_LINE_OCTETS = 57  # of a line of 76 in base64 (RFC 2045 §6.8)


class Returns:
    """Writes what goes back."""

    def __init__(self, maildrop: Maildrop, clerk: Clerk, tell: Tell) -> None:
        """Write in the clerk's name."""
        self._maildrop = maildrop
        self._clerk = clerk
        self._tell = tell

    async def report(
        self,
        message: BatchMessage,
        queue_id: str,
        client: Client,
        refused: Sequence[RefusedRecipient],
        key: str,
    ) -> None:
        """Report refused recipients to whom that is owed. Raises: MaildropError."""
        now_us = _now_us()
        original = ClaimedMessage(
            0,
            queue_id,
            message.sender,
            message.parameters,
            now_us,
            Content(message.octets, b"", message.beginning, None),
            Origin.SUBMISSION,
            client,
        )
        cases = [_make_case(number, one, original) for number, one in enumerate(refused)]
        reports = await make_reports(cases, self._maildrop, self._clerk, now_us)
        for report in {report.queue_id: report for report in reports.values()}.values():
            await self._maildrop.accept(replace(report, unique=key))
            shown, more = show_addresses([one.recipient.address for one in refused])
            to = show_address(report.envelope.recipients[0].address)
            self._tell(Reported(queue_id, report.queue_id, to, shown, more))

    async def send_rest(self, rest: AsyncIterator[bytes], most_octets: int, reason: str) -> None:
        """Send the postmaster what was not processed, as far as `most_octets`, and why.

        Raises: MaildropError, OSError.
        """
        now_us = _now_us()
        stamps = Stamps(self._maildrop.new_queue_id(now_us), _moment(now_us), self._clerk.make_token())
        before, behind = write_batch_notice(self._clerk.head, stamps, reason, most_octets)
        writer = self._maildrop.new_content(stamps.queue_id)
        try:
            writer.write(before)
            await _write_encoded(writer, rest, most_octets)
            writer.write(behind)
            content = await writer.finish()
        except BaseException:  # the program may be asked to end meanwhile
            writer.discard()
            raise
        head = self._clerk.head
        envelope = Envelope(None, (Recipient(head.postmaster, notify="NEVER"),), Client("", 0, head.host, ""))
        message = NewMessage(stamps.queue_id, envelope, content, now_us, Origin.REPORT)
        await self._maildrop.accept(message)


async def _write_encoded(writer: ContentWriter, octets: AsyncIterator[bytes], most_octets: int) -> None:
    """Write octets in lines of base64."""
    waiting = b""
    async for some in octets:
        waiting += some[:most_octets]
        most_octets -= len(some)
        whole = len(waiting) - len(waiting) % _LINE_OCTETS
        writer.write(_encode(waiting[:whole]))
        waiting = waiting[whole:]
        if most_octets <= 0:
            break
    writer.write(_encode(waiting))


def _encode(octets: bytes) -> bytes:
    return base64.encodebytes(octets).replace(b"\n", b"\r\n")


def _make_case(number: int, refused: RefusedRecipient, message: ClaimedMessage) -> Case:
    recipient = refused.recipient
    return Case(
        number,
        message.queue_id,
        message.arrived_us,
        recipient.address,
        recipient.address,
        message.sender,
        recipient.notify,
        recipient.orcpt,
        Fate.FAILED,
        refused.reply,
        message=message,
    )


def _now_us() -> int:
    return time.time_ns() // 1000


def _moment(time_us: int) -> datetime:
    return datetime.fromtimestamp(time_us / 1_000_000, UTC)
