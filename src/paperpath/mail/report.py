"""Reports of messages that could not be delivered (RFC 3464, in the container of RFC 6522; RFC 6533).

Called by `delivery`. Pure: when and under which name a report is written are arguments, so equal arguments
give equal octets. A report has a text for people, the same for programs, and the message or its header.
Whatever the addresses, replies and the message hold, the report is a legal message.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from paperpath.mail.address import Mailbox, format_mailbox, format_path
from paperpath.mail.letter import (
    MOST_LINE_OCTETS,
    Letter,
    Letterhead,
    Part,
    Stamps,
    fold,
    join_lines,
    make_letter,
    multipart,
    needs_international,
    text_part,
)
from paperpath.mail.outcome import Failed
from paperpath.mail.returned import Original, returned_part
from paperpath.mail.trace import format_date
from paperpath.mail.typed_address import decode_xtext, format_final_recipient, format_original_recipient

_PERMANENT_STATUS = re.compile(r"5\.\d{1,3}\.\d{1,3}")
_DIAGNOSTIC_TYPE = "x-paperpath"  # RFC 3464 §2.3.6: "smtp" is for what another host has said


@dataclass(frozen=True, slots=True)
class FailedRecipient:
    """One recipient of a report: the address as it was accepted, ORCPT as it came, and how it failed."""

    address: Mailbox
    orcpt: str
    failed: Failed


@dataclass(frozen=True, slots=True)
class Failure:
    """What a report is about: a message and those of its recipients that failed.

    `sender` is its return path, `None` for the null sender; `original` is `None` where there is no content
    to be had.
    """

    queue_id: str
    arrived: datetime
    sender: Mailbox | None
    envid: str
    original: Original | None
    recipients: tuple[FailedRecipient, ...]


def write_report(head: Letterhead, stamps: Stamps, to: Mailbox, failure: Failure) -> Letter:
    """Write the report of a failure to somebody."""
    international = needs_international(to)
    returned = None
    if failure.original is not None:
        returned = returned_part(failure.original, international=international)
    parts = [
        text_part(_explain(head, failure, returned), international=international),
        _status_part(head, failure, international=international),
    ]
    if returned is not None:
        parts.append(returned)
    content = multipart("multipart/report; report-type=delivery-status", parts, stamps.token)
    return make_letter(head, stamps, to, "Mail could not be delivered", content)


def failure_status(failed: Failed) -> str:
    """Return the enhanced status of a failure (RFC 3463); a temporary reply that became final is 5.4.7."""
    if failed.is_given_up:
        return "5.4.7"
    return failed.reply.status if _PERMANENT_STATUS.fullmatch(failed.reply.status) else "5.0.0"


def _explain(head: Letterhead, failure: Failure, returned: Part | None) -> list[str]:
    lines = [f"This is the mail system of {head.host}.", ""]
    lines += fold(_beginning(failure), rest="")
    lines.append("")
    for recipient in failure.recipients:
        lines.append(f"  {format_mailbox(recipient.address)}")
        lines += fold(_reason(recipient.failed), first="    ", rest="    ")
        lines.append("")
    lines += fold(
        f"The message came in on {format_date(failure.arrived)} and was known here as {failure.queue_id}. "
        f"It will not be tried again for these recipients. {_ending(returned)}",
        rest="",
    )
    return lines


def _beginning(failure: Failure) -> str:
    if failure.sender is None:
        return (
            "A message that names nobody to tell, as reports of failure do, could not be delivered to the "
            "recipients below. You get this as the postmaster."
        )
    return (
        f"The message of {format_path(failure.sender)} could not be delivered to the recipients below. "
        "Nothing is said here about others."
    )


def _reason(failed: Failed) -> str:
    if failed.is_given_up:
        return f"It was tried for as long as it may be. The last answer was: {failed.reply}"
    return str(failed.reply)


def _ending(returned: Part | None) -> str:
    if returned is None:
        return "Below is the same for mail programs."
    what = "its header" if "headers" in returned.kind else "the message"
    return f"Below is the same for mail programs, then {what}."


def _status_part(head: Letterhead, failure: Failure, *, international: bool) -> Part:
    """Write the part for programs: a block about the message, then one for each recipient (RFC 3464 §2.1)."""
    lines = []
    if failure.envid:
        lines.append(f"Original-Envelope-Id: {decode_xtext(failure.envid)}")
    lines += [
        f"Reporting-MTA: dns; {head.host}",
        f"Arrival-Date: {format_date(failure.arrived)}",
        f"X-Paperpath-Queue-Id: {failure.queue_id}",
    ]
    for recipient in failure.recipients:
        lines += ["", *_recipient_fields(recipient, international=international)]
    octets = join_lines(lines)
    if octets.isascii():
        return Part("message/delivery-status", "7bit", octets)
    return Part("message/global-delivery-status", "8bit", octets)


def _recipient_fields(recipient: FailedRecipient, *, international: bool) -> list[str]:
    fields = []
    if recipient.orcpt:
        original = format_original_recipient(recipient.orcpt, international=international)
        fields += _field("Original-Recipient", original)
    final = format_final_recipient(recipient.address, international=international)
    reply = b" ".join(recipient.failed.reply.octets.splitlines()).decode("ascii")
    return [
        *fields,
        *_field("Final-Recipient", final),
        "Action: failed",
        f"Status: {failure_status(recipient.failed)}",
        *fold(reply, first=f"Diagnostic-Code: {_DIAGNOSTIC_TYPE}; "),
    ]


def _field(name: str, value: str) -> list[str]:
    """Write a field in one line, unless that might be longer than a line may be."""
    line = f"{name}: {value}"
    return [line] if len(line.encode()) <= MOST_LINE_OCTETS else fold(value, first=f"{name}: ")
