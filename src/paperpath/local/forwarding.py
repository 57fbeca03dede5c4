"""What accounts forward, made into messages of their own: an agent that needs the maildrop.

Called by smtpld. Such a message has `Delivered-To:` with the account's address on top, and below it the
content as it came. It goes to one address with the same return path, so the null sender stays null
(requirement E-12). It is accepted in the transaction that settles the recipient it was made for, so no
crash makes two of it or none. One that has the account's `Delivered-To:` already has come in a circle and
goes back (E-16).
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor

from paperpath.delivery.schedule import next_due_us
from paperpath.local.content import was_delivered_to, without_return_path
from paperpath.local.troubles import describe_trouble
from paperpath.mail.address import Mailbox
from paperpath.mail.delivered_to import R554_CIRCLE
from paperpath.mail.envelope import Envelope, Recipient
from paperpath.mail.outcome import Deferred, Failed, Forwarded, Outcome, SetAside
from paperpath.mail.reply import make_reply
from paperpath.mail.trace import delivered_to_field
from paperpath.maildrop.checked import DamagedError, read_checked
from paperpath.maildrop.errors import MaildropError
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.values import Claim, Content, NewMessage, Origin
from paperpath.routing.forwards import find_forwarder

R250_FORWARDED = make_reply(250, "2.1.5", "Forwarded")


async def forward_batch(
    claims: Sequence[Claim], maildrop: Maildrop, threads: Executor, now_us: int
) -> tuple[list[Outcome], dict[int, NewMessage]]:
    """Give the outcomes of claims, in order, and by recipient the messages that those go on as."""
    outcomes: list[Outcome] = []
    made: dict[int, NewMessage] = {}
    for claim in claims:
        found = await _forward(claim, maildrop, threads, now_us)
        if isinstance(found, NewMessage):
            made[claim.recipient_id] = found
            outcomes.append(Forwarded(R250_FORWARDED))
        else:
            outcomes.append(found)
    return outcomes, made


async def _forward(claim: Claim, maildrop: Maildrop, threads: Executor, now_us: int) -> NewMessage | Outcome:
    loop = asyncio.get_running_loop()
    account = find_forwarder(claim.destination)
    try:
        if await loop.run_in_executor(threads, was_delivered_to, claim.message.content, account):
            return Failed(R554_CIRCLE)
        queue_id = maildrop.new_queue_id(now_us)
        content = await _write(claim, account, queue_id, maildrop, threads)
    except DamagedError as error:
        return SetAside(make_reply(451, "4.3.0", f"Damaged: {error}"))
    except OSError as error:
        return Deferred(describe_trouble(error), next_due_us(claim, now_us))
    except MaildropError as error:
        reply = make_reply(452, "4.3.1", f"The maildrop cannot take it now: {error}")
        return Deferred(reply, next_due_us(claim, now_us))
    envelope = Envelope(
        claim.return_path,
        (Recipient(claim.address, claim.notify, claim.orcpt),),
        claim.message.client,
        claim.message.parameters,
    )
    return NewMessage(queue_id, envelope, content, now_us, Origin.FORWARD, deadline_us=claim.deadline_us)


async def _write(
    claim: Claim, account: Mailbox, queue_id: str, maildrop: Maildrop, threads: Executor
) -> Content:
    """Write what is forwarded into the maildrop. Raises: DamagedError; OSError; MaildropError."""
    loop = asyncio.get_running_loop()
    chunks = without_return_path(read_checked(claim.message.content))
    writer = maildrop.new_content(queue_id)
    try:
        writer.write(delivered_to_field(account))
        while chunk := await loop.run_in_executor(threads, next, chunks, b""):
            writer.write(chunk)
        return await writer.finish()
    except BaseException:
        writer.discard()
        raise
