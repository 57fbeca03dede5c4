"""Notices to the postmaster of what was set aside: damaged messages of the maildrop, dropped files, batches.

Called by `delivery`. Pure, as reports are; a notice is no report of failure: nothing has failed yet.
"""

from collections.abc import Sequence

from paperpath.mail.letter import (
    Letter,
    Letterhead,
    Part,
    Stamps,
    fold,
    make_letter,
    multipart,
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


def write_batch_notice(
    head: Letterhead, stamps: Stamps, reason: str, most_octets: int
) -> tuple[bytes, bytes]:
    """Write to the postmaster why a batch was not read to its end.

    Return what stands before its rest, which is to come as lines of base64, and what stands behind.
    """
    lines = [
        f"This is the mail system of {head.host}.",
        "",
        *fold("A batch of mail could not be read to its end, for a mistake in it:", rest=""),
        "",
        *fold(reason, first="  ", rest="  "),
        "",
        *fold(
            "Its messages before that place were taken. What comes behind the last of them is attached, as "
            f"far as {most_octets} octets; line ends are CRLF. Nothing of it was taken.",
            rest="",
        ),
    ]
    parts = [
        text_part(lines, international=False),
        Part("application/batch-SMTP", "base64", b""),
    ]
    content = multipart("multipart/mixed", parts, stamps.token)
    octets = make_letter(head, stamps, head.postmaster, "A batch of mail has a mistake", content).octets
    end = octets.rindex(b"\r\n--")
    return octets[:end], octets[end:]
