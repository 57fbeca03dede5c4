"""Notices to the postmaster of what was set aside: messages that the maildrop holds damaged, dropped files.

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


def write_drop_notice(
    head: Letterhead, stamps: Stamps, files: Sequence[tuple[str, str]], more: int
) -> Letter:
    """Write to the postmaster which dropped files were put aside, by their new names, and why."""
    lines = [
        f"This is the mail system of {head.host}.",
        "",
        *fold(
            "What a user of this host left in the drop directory could not be read as a message. "
            "It was put into the folder drop-damaged and will not be delivered.",
            rest="",
        ),
        "",
    ]
    for name, reason in files:
        lines += fold(f"{name}: {reason}", first="  ", rest="    ")
    if more:
        lines += ["", f"  and {more} more, which the log names."]
    content = text_part(lines, international=False)
    return make_letter(head, stamps, head.postmaster, "Dropped files were put aside", content)
