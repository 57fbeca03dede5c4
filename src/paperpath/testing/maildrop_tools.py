"""What the checks of a maildrop's contract work with: an engine to test, and short ways to use a door to it.

Used by the suites beside this module and by tests of everything that needs mail in a queue.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Protocol

from paperpath.mail.address import Mailbox, parse_mailbox
from paperpath.mail.envelope import Client, Envelope, Recipient, SenderParameters
from paperpath.mail.outcome import Delivered
from paperpath.mail.reply import make_reply
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.values import (
    Claim,
    NewMessage,
    Origin,
    Settlement,
    Sorted,
    Stage,
    Transport,
    UnsortedRecipient,
)

SENT = make_reply(250, "2.0.0", "Done")
LATER = make_reply(451, "4.3.0", "Later")
NEVER = make_reply(550, "5.1.1", "Never")
CLIENT = Client("192.0.2.1", 40000, "client.example", "ESMTP")
SENDER = Mailbox("sender", "else.example")


class Engine(Protocol):
    """A maildrop under test: several doors to one queue, and what was woken."""

    woken: SimpleQueue[Stage]

    async def open(self) -> Maildrop:
        """Open the queue as a new worker."""

    async def kill(self, maildrop: Maildrop) -> None:
        """Let a worker die: whatever it holds stays as it is."""

    def content_files(self) -> Sequence[Path]:
        """List the files of large content."""


Check = Callable[[Engine], Coroutine[Any, Any, None]]


async def make_message(
    maildrop: Maildrop,
    *recipients: str,
    octets: bytes = b"S: x\r\n\r\nHi\r\n",
    at_us: int = 1,
    sender: Mailbox | None = SENDER,
    origin: Origin = Origin.RELAY,
    unique: str = "",
    deadline_us: int = 0,
) -> NewMessage:
    """Make a message that is ready to be accepted."""
    queue_id = maildrop.new_queue_id(at_us)
    writer = maildrop.new_content(queue_id)
    for start in range(0, len(octets), 50_000):
        writer.write(octets[start : start + 50_000])
    addresses = tuple(Recipient(parse_mailbox(recipient)) for recipient in recipients)
    envelope = Envelope(sender, addresses, CLIENT, SenderParameters("8BITMIME"))
    content = await writer.finish()
    return NewMessage(queue_id, envelope, content, at_us, origin, unique, deadline_us)


async def make_report(maildrop: Maildrop, *recipients: str) -> NewMessage:
    """Make a report of ours, with the null sender."""
    return await make_message(maildrop, *recipients, sender=None, origin=Origin.REPORT)


async def put(
    maildrop: Maildrop, *recipients: str, octets: bytes = b"S: x\r\n\r\nHi\r\n", at_us: int = 1
) -> str:
    """Accept a message; return its queue id."""
    message = await make_message(maildrop, *recipients, octets=octets, at_us=at_us)
    await maildrop.accept(message)
    return message.queue_id


def waiting_for(maildrop: Maildrop) -> Sequence[UnsortedRecipient]:
    """Return what waits for the post office."""
    return maildrop.read_unsorted(1000).recipients


def to_local(recipient: UnsortedRecipient, key: str = "") -> Sorted:
    """Decide that a recipient is local, its domain being the destination."""
    return Sorted(recipient.id, recipient.address, Transport.LOCAL, recipient.address.domain, key)


async def sort_all(maildrop: Maildrop, now_us: int = 10) -> int:
    """Sort everything that waits to local delivery, by domain."""
    moved = 0
    while waiting := waiting_for(maildrop):
        moved += await maildrop.sort(list(map(to_local, waiting)), maildrop.read_epoch(), now_us)
    return moved


async def put_sorted(maildrop: Maildrop, *recipients: str) -> None:
    """Accept a message and sort it, and all else that waits, to local delivery."""
    await put(maildrop, *recipients)
    await sort_all(maildrop)


async def claim_all(maildrop: Maildrop, limit: int = 100, now_us: int = 100) -> Sequence[Claim]:
    """Claim what is due for local delivery."""
    return (await maildrop.claim(Transport.LOCAL, limit, now_us)).claims


async def settle_all(maildrop: Maildrop, claims: Sequence[Claim]) -> int:
    """Settle claims as delivered."""
    return await maildrop.settle([Settlement(claim.recipient_id, Delivered(SENT)) for claim in claims])


async def next_stage(engine: Engine) -> Stage:
    """Wait until a stage is woken, and say which."""
    return await asyncio.to_thread(engine.woken.get, timeout=5)
