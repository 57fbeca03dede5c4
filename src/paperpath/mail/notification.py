"""Which report a recipient is owed, and what becomes of NOTIFY on the way (RFC 3461 §4.1, §5.2).

For `delivery`, which writes reports, and for the routing. Pure.
"""

from enum import Enum


class Action(Enum):
    """What a report says was done for its recipients (RFC 3464 §2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


class Fate(Enum):
    """What became of a recipient, as far as it decides who is told.

    `HANDED_OVER`: another host took it and reports success itself. `SET_ASIDE`: it is held, for damage, which
    is no matter of the sender's.
    """

    FAILED = "failed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    HANDED_OVER = "handed over"
    DELAYED = "delayed"
    EXPANDED = "expanded"
    SET_ASIDE = "set aside"


# By a fate: the report of it, the word of NOTIFY that asks for that, and whether it is owed without NOTIFY.
_OWED = {
    Fate.FAILED: (Action.FAILED, "FAILURE", True),
    Fate.DELIVERED: (Action.DELIVERED, "SUCCESS", False),
    Fate.RELAYED: (Action.RELAYED, "SUCCESS", False),
    Fate.EXPANDED: (Action.EXPANDED, "SUCCESS", False),
    Fate.DELAYED: (Action.DELAYED, "DELAY", True),
}


def find_owed(fate: Fate, notify: str, *, has_sender: bool) -> Action | None:
    """Tell which report is owed to the sender of a message; of one with the null sender there is none."""
    if not has_sender or fate not in _OWED:
        return None
    action, word, is_owed_unasked = _OWED[fate]
    is_owed = word in notify.split(",") if notify else is_owed_unasked
    return action if is_owed else None


def asks_for_success(notify: str) -> bool:
    """Tell whether a report of success was asked for."""
    return "SUCCESS" in notify.split(",")


def drop_success(notify: str) -> str:
    """Ask for what was asked for, success apart; who asked for that alone wants no report of a failure.

    For one recipient that is replaced by several (RFC 3461 §5.2.7.3).
    """
    if not notify:
        return ""
    return ",".join(word for word in notify.split(",") if word != "SUCCESS") or "NEVER"
