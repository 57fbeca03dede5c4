"""One message carried by hand, without a queue: what `smtprc HOST SENDER RECIPIENT…` does."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from paperpath.config.tables import RemoteTable
from paperpath.mail.address import Mailbox
from paperpath.remote.contact import Contact, Guide
from paperpath.remote.jobs import Ahead, Answered, Done, FromClient, Job, JobContent, JobRecipient, Unreached
from paperpath.remote.lane import Lane, Ways
from paperpath.remote.route import Route
from paperpath.smtp.observer import Observer


@dataclass(frozen=True, slots=True)
class Errand:
    """What is to be carried, whither, and how."""

    route: Route
    table: RemoteTable
    hello: str
    sender: Mailbox | None
    recipients: Sequence[Mailbox]
    octets: bytes


def to_wire_lines(octets: bytes) -> bytes:
    """Return text with CRLF at the end of its lines; what has some CRLF already is left as it is."""
    return octets if b"\r\n" in octets else octets.replace(b"\n", b"\r\n")


async def run_errand(errand: Errand, guide: Guide, observer: Observer) -> list[Answered]:
    """Carry a message now; return what became of each recipient, in order."""
    loop = asyncio.get_running_loop()
    said: asyncio.Future[FromClient] = loop.create_future()

    def hear(value: FromClient) -> None:
        if not isinstance(value, Ahead):  # which comes again with all others
            said.set_result(value)

    table = errand.table.model_copy(update={"idle_s": 0.0})
    contact = Contact(table, errand.hello, guide, lambda: True, observer)
    lane = Lane(lambda: Ways(errand.route, contact, table), hear)
    lane.add(_make_job(errand))
    value = await said
    await lane.wait_empty()
    if isinstance(value, Unreached):
        return [value.answer] * len(errand.recipients)
    assert isinstance(value, Done)
    return list(value.answers)


def _make_job(errand: Errand) -> Job:
    octets = errand.octets
    addresses = [errand.sender, *errand.recipients]
    is_international = any(address is not None and not str(address).isascii() for address in addresses)
    return Job(
        number=1,
        destination=errand.route.domain,
        most_connections=1,
        queue_id="",
        sender=None if errand.sender is None else (errand.sender.local, errand.sender.domain),
        body="" if octets.isascii() else "8BITMIME",
        international=is_international,
        ret="",
        envid="",
        recipients=tuple(JobRecipient((one.local, one.domain), "", "") for one in errand.recipients),
        content=JobContent(len(octets), hashlib.sha256(octets).digest(), octets, None),
    )
