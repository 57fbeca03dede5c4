"""What somebody can do whose message did not arrive: a sentence for each status that has one (RFC 3463).

Called by the text of a report. Pure. The class of a status does not matter: what is full is full, whether it
is waited for or not.
"""

_BY_DETAIL = {
    "1.1": "The name before the @ is not known there: look for a slip in it, or ask for the right address.",
    "1.2": "The part behind the @ does not exist: look for a slip in it.",
    "1.3": "The address is not written as addresses are: look for a slip in it.",
    "1.6": "The mailbox has moved away: ask its owner for the new address.",
    "1.10": "The part behind the @ takes no mail at all: ask the recipient for another address.",
    "2.1": "The mailbox is closed at present: ask the recipient by another way.",
    "2.2": "The mailbox is full: the recipient has to make room in it; send the message again then.",
    "2.3": "The message is larger than this mailbox takes: send less at once, or a link to it.",
    "3.1": "The system of the recipient is out of room: send the message again later.",
    "3.4": "The message is larger than the other side takes: send less at once, or a link to it.",
    "4.1": "The other side does not answer: try again later, or ask the recipient by another way.",
    "4.4": "No host is known for the part behind the @: look for a slip in it.",
    "4.6": "The message goes in a circle: the forwarding of this address is set up wrongly; tell its owner.",
    "4.7": "The other side did not take the message in time: ask the recipient by another way.",
    "5.3": "That is more recipients than are taken at once: send the message to fewer.",
    "6.1": "The other side does not take this kind of content: send it in another form.",
    "6.3": "The other side takes no 8-bit text: send the message again with such text encoded.",
    "6.7": "The other side takes no addresses beyond ASCII: use other addresses, for yourself too.",
    "6.9": "The other side takes no header beyond ASCII: use a plain subject and plain names.",
}
_BY_SUBJECT = {
    "6": "The other side cannot handle the form of the message: send it as plain text.",
    "7": "The other side refused the message by its rules: ask the recipient, or their postmaster, why.",
}


def find_advice(status: str) -> str:
    """Return what to do about a failure or delay with this enhanced status; empty where that is not known."""
    _, _, detail = status.partition(".")
    return _BY_DETAIL.get(detail) or _BY_SUBJECT.get(detail.partition(".")[0], "")
