"""The listing of `mailq`, as scripts know it from Postfix: text, or the objects of `postqueue -j`; pure.

Nothing that others chose leaves its line or reaches a terminal raw (attack S-6).
"""

import time
from collections.abc import Iterator, Sequence

from paperpath.service.asking import Object
from paperpath.service.printable import format_text, format_value

Waiting = Sequence[Object]
"""The recipients of one message that are left; each as smtppd tells it, with the facts of the message."""

HEAD = "----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------"
EMPTY = "Mail queue is empty"

_NULL_SENDER = "MAILER-DAEMON"
_INDENT = " " * 47
# Where Postfix has what is in such a state, the busiest first: a message is where its busiest recipient is.
_QUEUES = {"claimed": "active", "unsorted": "incoming", "ready": "deferred", "held": "hold"}
_MARKS = {"active": "*", "hold": "!"}


def to_lines(waiting: Waiting) -> Iterator[str]:
    """Write a message: id, size, arrival and sender, then each recipient, above it what it waits for."""
    first = waiting[0]
    name = format_value(first["queue_id"]) + _MARKS.get(_find_queue(waiting), "")
    arrived = _format_moment(first["arrived_us"])
    yield f"{name:17} {first['size']:8} {arrived:>19} {format_value(first['sender'] or _NULL_SENDER)}"
    told = ""
    for recipient, reason in _list_recipients(waiting):
        if reason and reason != told:
            yield f"({format_text(reason)})"
        told = reason
        yield f"{_INDENT}{format_value(recipient)}"
    yield ""


def to_object(waiting: Waiting) -> Object:
    """Describe a message for scripts."""
    first = waiting[0]
    return {
        "queue_name": _find_queue(waiting),
        "queue_id": first["queue_id"],
        "arrival_time": first["arrived_us"] // 1_000_000,
        "message_size": first["size"],
        "sender": first["sender"] or _NULL_SENDER,
        "recipients": [
            {"address": recipient, **({"delay_reason": reason} if reason else {})}
            for recipient, reason in _list_recipients(waiting)
        ],
    }


def describe_total(messages: int, octets: int) -> str:
    """Write what a listing comes to."""
    return f"-- {-(-octets // 1024)} Kbytes in {messages} Request{'' if messages == 1 else 's'}."


def _find_queue(waiting: Waiting) -> str:
    states = {entry["state"] for entry in waiting}
    return next(queue for state, queue in _QUEUES.items() if state in states)


def _list_recipients(waiting: Waiting) -> Sequence[tuple[str, str]]:
    """Return each address once: those that an alias stands for may be shown by its name alone."""
    return list(dict.fromkeys((entry["recipient"], entry["reason"]) for entry in waiting))


def _format_moment(time_us: int) -> str:
    """Write a moment as this host's clock shows it; one that no calendar has, as a number."""
    try:
        return time.strftime("%a %b %e %H:%M:%S", time.localtime(time_us // 1_000_000))
    except (OverflowError, OSError, ValueError):  # the row is damaged
        return str(time_us)
