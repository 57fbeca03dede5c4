"""Reports and notices made and put where the maildrop finds them: whoever settles hands them over with that.

Called by the programs that settle, for all that failed or was set aside in one go. A report is content of the
maildrop before its settlement is asked for, and a message only with it (promise P3). Of the message that
failed at most `most_octets` are read: a report is never much longer than that (attack S-5).
"""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from paperpath.config.tables import Configuration
from paperpath.delivery.addressee import Case, Group, case_of_unsorted, group_cases
from paperpath.mail.address import format_mailbox, parse_mailbox
from paperpath.mail.envelope import Client, Envelope, Recipient, SenderParameters
from paperpath.mail.letter import Letter, Letterhead, Stamps
from paperpath.mail.notice import write_drop_notice, write_notice
from paperpath.mail.outcome import Failed
from paperpath.mail.reply import Reply
from paperpath.mail.report import FailedRecipient, Failure, write_report
from paperpath.mail.returned import Original
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.values import Content, NewMessage, Origin, UnsortedRecipient

_TOKEN_OCTETS = 12


def _make_token() -> str:
    return secrets.token_hex(_TOKEN_OCTETS)


@dataclass(frozen=True, slots=True)
class Clerk:
    """Who writes reports, how much of a message they bring back, and where their random words are from."""

    head: Letterhead
    most_octets: int
    make_token: Callable[[], str] = _make_token


def make_clerk(configuration: Configuration) -> Clerk:
    """Make the clerk that a configuration describes."""
    postmaster = parse_mailbox(configuration.post_office.postmaster)
    return Clerk(Letterhead(configuration.hostname, postmaster), configuration.delivery.report_size)


async def make_reports(
    cases: Sequence[Case], maildrop: Maildrop, clerk: Clerk, now_us: int
) -> dict[int, NewMessage]:
    """Make what there is to tell of cases; give it by the numbers of the recipients that it is about.

    Recipients that share a report have the same one. Raises: MaildropError.
    """
    reports = {}
    for group in group_cases(cases, clerk.head.postmaster):
        report = await make_report(group, maildrop, clerk, now_us)
        reports.update(dict.fromkeys((case.recipient_id for case in group.cases), report))
    return reports


async def report_refusal(
    recipient: UnsortedRecipient, reply: Reply, maildrop: Maildrop, clerk: Clerk, now_us: int
) -> NewMessage | None:
    """Make the report of a recipient that fails at sorting, `None` for none. Raises: MaildropError."""
    cases = [case_of_unsorted(recipient, Failed(reply))]
    return (await make_reports(cases, maildrop, clerk, now_us)).get(recipient.id)


async def make_report(group: Group, maildrop: Maildrop, clerk: Clerk, now_us: int) -> NewMessage:
    """Write one report or notice, and its content into the maildrop. Raises: MaildropError."""
    stamps = Stamps(maildrop.new_queue_id(now_us), _moment(now_us), clerk.make_token())
    letter = await asyncio.to_thread(_write, group, clerk, stamps)
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


def _write(group: Group, clerk: Clerk, stamps: Stamps) -> Letter:
    first = group.cases[0]
    if not isinstance(first.outcome, Failed):
        waiting = [format_mailbox(case.address) for case in group.cases if case.address is not None]
        return write_notice(clerk.head, stamps, first.queue_id, waiting, str(first.outcome.reply))
    failure = Failure(
        first.queue_id,
        _moment(first.arrived_us),
        first.return_path,
        first.parameters.envid,
        _read_original(first.content, first.parameters.ret, clerk.most_octets),
        tuple(
            FailedRecipient(case.address, case.orcpt, case.outcome)
            for case in group.cases
            if case.address is not None and isinstance(case.outcome, Failed)
        ),
    )
    return write_report(clerk.head, stamps, group.to, failure)


def _read_original(content: Content | None, ret: str, most_octets: int) -> Original | None:
    """Read the beginning of a message; `None` where that cannot be: the report goes out without it."""
    if content is None:
        return None
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
