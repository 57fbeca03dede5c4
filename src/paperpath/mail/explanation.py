"""The part of a report that is for people: what happened, to which address, what was said, what to do.

Called by report.py. Pure. Whoever reads it has most often never seen a mail system from inside.
"""

from paperpath.mail.address import format_mailbox, format_path
from paperpath.mail.advice import find_advice
from paperpath.mail.letter import Letterhead, Part, fold
from paperpath.mail.notification import Action
from paperpath.mail.reported import ReportedMessage, ReportedRecipient, is_given_up
from paperpath.mail.trace import format_date

_FROM_NOBODY = (
    "A message that names nobody to tell, as reports of failure do, could not be delivered to the "
    "recipients below. You get this as the postmaster."
)
_BEGINNINGS = {
    Action.FAILED: "could not be delivered to the recipients below. Nothing is said here about others.",
    Action.DELAYED: "could not be delivered yet to the recipients below. You need do nothing: it will be "
    "tried again.",
    Action.DELIVERED: "was delivered to the recipients below, and you wanted to be told of that.",
    Action.RELAYED: "was handed on for the recipients below, and you wanted to be told of success. The host "
    "that has it now does not report that, so more will not be known here.",
    Action.EXPANDED: "was handed on for the recipients below, each of whom stands for several addresses. "
    "You wanted to be told of success; of that at each of them you will not hear.",
}
_FINAL = "It will not be tried again for these recipients. "


def explain(head: Letterhead, message: ReportedMessage, returned: Part | None) -> list[str]:
    """Write the lines of the text; `returned` is what comes back of the message."""
    lines = [f"This is the mail system of {head.host}.", ""]
    lines += fold(_beginning(message), rest="")
    lines.append("")
    for recipient in message.recipients:
        lines.append(f"  {format_mailbox(recipient.address)}")
        for sentence in _sentences(message.action, recipient):
            lines += fold(sentence, first="    ", rest="    ")
        lines.append("")
    lines += fold(
        f"The message came in on {format_date(message.arrived)} and was known here as {message.queue_id}. "
        f"{_FINAL if message.action is Action.FAILED else ''}{_ending(returned)}",
        rest="",
    )
    return lines


def _beginning(message: ReportedMessage) -> str:
    if message.sender is None:
        return _FROM_NOBODY
    return f"The message of {format_path(message.sender)} {_BEGINNINGS[message.action]}"


def _sentences(action: Action, recipient: ReportedRecipient) -> list[str]:
    reply = recipient.reply
    said = f"{recipient.host} said: {reply}" if recipient.host else str(reply)
    if action is Action.DELAYED:
        until = recipient.retry_until
        end = [] if until is None else [f"It will be tried until {format_date(until)}."]
        return [f"The last answer was: {said}", *end]
    if action is not Action.FAILED:
        return [said]
    if is_given_up(action, reply):
        tried = "It was tried for as long as it may be. The last answer was:"
        return [f"{tried} {said}", *(_advise(reply.status) or _advise("5.4.7"))]
    return [said, *_advise(reply.status)]


def _advise(status: str) -> list[str]:
    advice = find_advice(status)
    return [advice] if advice else []


def _ending(returned: Part | None) -> str:
    if returned is None:
        return "Below is the same for mail programs."
    what = "its header" if "headers" in returned.kind else "the message"
    return f"Below is the same for mail programs, then {what}."
