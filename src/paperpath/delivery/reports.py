"""Reports and notices made and put where the maildrop finds them: whoever settles hands them over with that.

Called by the programs that settle or sort, for all that there is to tell of in one go. A report is content of
the maildrop before its settlement is asked for, and a message only with it (promise P3). Of the message that
it is about at most `most_octets` are read: a report is never much longer than that (attack S-5).
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from paperpath.config.tables import Configuration
from paperpath.config.via import UNIX
from paperpath.delivery.addressee import Case, Group, case_of_claim, group_cases
from paperpath.delivery.schedule import Patience, find_deadline_us, make_patience
from paperpath.mail.address import Mailbox, format_mailbox, parse_mailbox
from paperpath.mail.envelope import Client, Envelope, Recipient, SenderParameters
from paperpath.mail.letter import Letter, Letterhead, Stamps
from paperpath.mail.notice import write_drop_notice, write_notice
from paperpath.mail.notification import Fate
from paperpath.mail.reply import Reply, make_reply, parse_shown_reply
from paperpath.mail.report import write_report
from paperpath.mail.reported import ReportedMessage, ReportedRecipient
from paperpath.mail.returned import Original
from paperpath.maildrop.errors import MaildropError
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.values import (
    Claim,
    ClaimedMessage,
    Content,
    NewMessage,
    Origin,
    QueueFilter,
    Transport,
)

R451_NOT_YET = make_reply(451, "4.0.0", "No attempt has come to an end yet")

_TOKEN_OCTETS = 12


def _make_token() -> str:
    return secrets.token_hex(_TOKEN_OCTETS)


@dataclass(frozen=True, slots=True)
class Clerk:
    """Who writes reports, how much of a message they bring back, how long is tried, and random words."""

    head: Letterhead
    most_octets: int
    patience: Patience
    make_token: Callable[[], str] = _make_token


def make_clerk(configuration: Configuration) -> Clerk:
    """Make the clerk that a configuration describes."""
    postmaster = parse_mailbox(configuration.post_office.postmaster)
    delivery = configuration.delivery
    return Clerk(
        Letterhead(configuration.hostname, postmaster), delivery.report_size, make_patience(delivery)
    )


async def make_reports(
    cases: Sequence[Case], maildrop: Maildrop, clerk: Clerk, now_us: int
) -> dict[int, NewMessage]:
    """Make what there is to tell of cases; give it by the numbers of the recipients that it is about.

    Recipients that share a report have the same one. Raises: MaildropError.
    """
    reports = {}
    for group in group_cases(cases, clerk.head.postmaster):
        report = await _make_report(group, maildrop, clerk, now_us)
        reports.update(dict.fromkeys((case.recipient_id for case in group.cases), report))
    return reports


async def make_warnings(
    claims: Sequence[Claim], maildrop: Maildrop, clerk: Clerk, now_us: int
) -> dict[int, NewMessage | None]:
    """Make the reports of delay for recipients that wait; `None` for those of which nobody is told.

    The claims are as `examine` gives them: nobody need have claimed anything. Raises: MaildropError.
    """
    away = {
        suspension.destination: suspension.reason
        for suspension in maildrop.read_suspensions(Transport.REMOTE)
    }
    cases = [
        case_of_claim(
            claim,
            Fate.DELAYED,
            _find_last_reply(claim, maildrop, away),
            retry_until_us=find_deadline_us(claim, clerk.patience),
        )
        for claim in claims
    ]
    reports = await make_reports(cases, maildrop, clerk, now_us)
    return {claim.recipient_id: reports.get(claim.recipient_id) for claim in claims}


async def _make_report(group: Group, maildrop: Maildrop, clerk: Clerk, now_us: int) -> NewMessage:
    """Write one report or notice, and its content into the maildrop. Raises: MaildropError."""
    stamps = Stamps(maildrop.new_queue_id(now_us), _moment(now_us), clerk.make_token())
    message = group.cases[0].message
    if message is None and group.action is not None:
        message = _read_message(group.cases[0].queue_id, maildrop)
    letter = await asyncio.to_thread(_write, group, message, clerk, stamps)
    return await _make_message(letter, stamps, maildrop, clerk, now_us)


async def notify_of_files(
    files: Sequence[tuple[str, str]], more: int, maildrop: Maildrop, clerk: Clerk, now_us: int
) -> None:
    """Tell the postmaster of dropped files that were put aside, and why. Raises: MaildropError."""
    stamps = Stamps(maildrop.new_queue_id(now_us), _moment(now_us), clerk.make_token())
    letter = write_drop_notice(clerk.head, stamps, files, more)
    await maildrop.accept(await _make_message(letter, stamps, maildrop, clerk, now_us))


async def _make_message(
    letter: Letter, stamps: Stamps, maildrop: Maildrop, clerk: Clerk, now_us: int
) -> NewMessage:
    """Put a letter's content into the maildrop. Raises: MaildropError."""
    writer = maildrop.new_content(stamps.queue_id)
    try:
        writer.write(letter.octets)
        content = await writer.finish()
    except Exception:
        writer.discard()
        raise
    envelope = Envelope(
        None,
        (Recipient(letter.to, notify="NEVER"),),  # RFC 3461 §6.1
        Client("", 0, clerk.head.host, ""),
        SenderParameters("" if letter.octets.isascii() else "8BITMIME", letter.international),
    )
    return NewMessage(stamps.queue_id, envelope, content, now_us, Origin.REPORT)


def _write(group: Group, message: ClaimedMessage | None, clerk: Clerk, stamps: Stamps) -> Letter:
    first = group.cases[0]
    if group.action is None:
        waiting = [format_mailbox(case.address) for case in group.cases if case.address is not None]
        return write_notice(clerk.head, stamps, first.queue_id, waiting, str(first.reply))
    reported = ReportedMessage(
        group.action,
        first.queue_id,
        _moment(first.arrived_us),
        first.return_path,
        tuple(_describe(case, case.address, clerk) for case in group.cases if case.address is not None),
    )
    if message is not None:
        reported = replace(
            reported,
            envid=message.parameters.envid,
            client=message.client,
            original=_read_original(message.content, message.parameters.ret, clerk.most_octets),
        )
    return write_report(clerk.head, stamps, group.to, reported)


def _describe(case: Case, address: Mailbox, clerk: Clerk) -> ReportedRecipient:
    attempted = _moment(case.attempted_us) if case.attempted_us else None
    retry_until = _moment(case.retry_until_us) if case.retry_until_us else None
    host = clerk.head.host if case.host.startswith(UNIX) else case.host  # its path is nobody else's business
    return ReportedRecipient(address, case.orcpt, case.reply, host, attempted, retry_until)


def _find_last_reply(claim: Claim, maildrop: Maildrop, away: Mapping[str, str]) -> Reply:
    """Return why a recipient waits: its destination is away, or the last attempt failed; no host is kept.

    `away` has what was last heard of each destination of remote delivery that is suspended.
    """
    found = maildrop.find(QueueFilter(), claim.recipient_id - 1, 1)
    if not found or found[0].recipient_id != claim.recipient_id:
        return R451_NOT_YET
    entry = found[0]
    reason = away.get(entry.destination) if entry.transport == Transport.REMOTE.value else None
    return parse_shown_reply(reason or entry.last_reply) or R451_NOT_YET


def _read_message(queue_id: str, maildrop: Maildrop) -> ClaimedMessage | None:
    """Read a message; `None` where that cannot be: the report goes out without it."""
    try:
        return maildrop.read_message(queue_id)
    except MaildropError:
        return None


def _read_original(content: Content, ret: str, most_octets: int) -> Original | None:
    """Read the beginning of a message; `None` where that cannot be, as above."""
    if content.octets is not None:
        return Original(content.octets[:most_octets], content.size, ret)
    if content.file is None:
        return None
    try:
        with content.file.open("rb") as file:
            return Original(file.read(most_octets), content.size, ret)
    except OSError:
        return None


def _moment(time_us: int) -> datetime:
    return datetime.fromtimestamp(time_us / 1_000_000, UTC)
