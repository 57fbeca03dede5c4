"""What a report is about: a message, one thing that was done, and the recipients it was done for.

Made by `delivery`; report.py and its neighbours write it down.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import NO_CLIENT, Client
from paperpath.mail.notification import Action
from paperpath.mail.reply import Reply
from paperpath.mail.returned import Original

_CLASSES = {Action.FAILED: "5", Action.DELAYED: "4"}
_STATUS = re.compile(r"[245](\.(0|[1-9]\d{0,2})){2}")  # RFC 3463 §2


@dataclass(frozen=True, slots=True)
class ReportedRecipient:
    """One recipient of a report: the address as it was accepted, ORCPT as it came, and the last reply.

    `host` is who said that, empty where we did. `attempted`: when it was tried last; `retry_until`: when it
    will be given up; `None` where there is no such time.
    """

    address: Mailbox
    orcpt: str
    reply: Reply
    host: str = ""
    attempted: datetime | None = None
    retry_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReportedMessage:
    """A message, and those of its recipients that the action is said of.

    `sender` is their return path, `None` for the null sender; `client` is who handed the message in, as far
    as that may be told; `original` is `None` where there is no content to be had.
    """

    action: Action
    queue_id: str
    arrived: datetime
    sender: Mailbox | None
    recipients: tuple[ReportedRecipient, ...]
    envid: str = ""
    client: Client = NO_CLIENT
    original: Original | None = None


def is_given_up(action: Action, reply: Reply) -> bool:
    """Tell whether a failure is that of the last of many attempts: its reply is not final by itself."""
    return action is Action.FAILED and reply.code < 500


def find_status(action: Action, reply: Reply) -> str:
    """Return an enhanced status of the class that the action calls for (RFC 3464 §2.3.4).

    That of the reply, if it has one; 5.4.7 for what was given up (RFC 3463 §3.5).
    """
    if is_given_up(action, reply):
        return "5.4.7"
    kind = _CLASSES.get(action, "2")
    fits = _STATUS.fullmatch(reply.status) is not None and reply.status.startswith(kind)
    return reply.status if fits else f"{kind}.0.0"
