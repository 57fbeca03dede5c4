"""Reports of what became of a message (RFC 3464, in the container of RFC 6522; RFC 6533).

Called by `delivery`. Pure: when and under which name a report is written are arguments, so equal arguments
give equal octets. A report has a text for people, the same for programs, and the message or its header; what
the header asks for (Errors-To and its like) is nothing to go by (RFC 3461 §5.3). Whatever the addresses,
replies and the message hold, the report is a legal message.
"""

from paperpath.mail.address import Mailbox
from paperpath.mail.delivery_status import delivery_status_part
from paperpath.mail.explanation import explain
from paperpath.mail.letter import (
    Letter,
    Letterhead,
    Stamps,
    make_letter,
    multipart,
    needs_international,
    text_part,
)
from paperpath.mail.notification import Action
from paperpath.mail.reported import ReportedMessage
from paperpath.mail.returned import find_message_id, returned_part

_SUBJECTS = {
    Action.FAILED: "Mail could not be delivered",
    Action.DELAYED: "Mail is delayed, and will be tried again",
    Action.DELIVERED: "Mail was delivered",
    Action.RELAYED: "Mail was handed on, to where no delivery is reported",
    Action.EXPANDED: "Mail was handed on to several addresses",
}


def write_report(head: Letterhead, stamps: Stamps, to: Mailbox, message: ReportedMessage) -> Letter:
    """Write to somebody what became of a message."""
    international = needs_international(to)
    returned, about = None, ""
    if message.original is not None:
        only_header = message.action is not Action.FAILED  # RFC 3461 §4.3: RET is for failures
        returned = returned_part(message.original, international=international, only_header=only_header)
        about = find_message_id(message.original)
    parts = [
        text_part(explain(head, message, returned), international=international),
        delivery_status_part(head, message, international=international),
    ]
    if returned is not None:
        parts.append(returned)
    content = multipart("multipart/report; report-type=delivery-status", parts, stamps.token)
    return make_letter(head, stamps, to, _SUBJECTS[message.action], content, about)
