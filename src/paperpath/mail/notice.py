"""Notices to the postmaster of messages that were set aside, for what the maildrop holds of them is damaged.

Called by `delivery`. Pure, as reports are; a notice is no report of failure: nothing has failed yet.
"""

from collections.abc import Sequence

from paperpath.mail.letter import (
    Letter,
    Letterhead,
    Stamps,
    fold,
    make_letter,
    text_part,
)


def write_notice(
    head: Letterhead, stamps: Stamps, queue_id: str, recipients: Sequence[str], reason: str
) -> Letter:
    """Write to the postmaster that recipients of a message are held, and why."""
    lines = [
        f"This is the mail system of {head.host}.",
        "",
        *fold(
            f"What is held of the message {queue_id} is damaged, so it was set aside: it is neither "
            "delivered nor sent back until you have looked at it.",
            rest="",
        ),
        "",
        *fold(reason, first="  ", rest="  "),
        "",
        "Recipients that wait for it:",
        *(f"  {recipient}" for recipient in recipients),
        "",
        f"  paperpath queue show {queue_id}",
        f"  paperpath queue release {queue_id}",
        f"  paperpath queue remove {queue_id}",
    ]
    content = text_part(lines, international=False)
    return make_letter(head, stamps, head.postmaster, f"Message {queue_id} was set aside", content)
