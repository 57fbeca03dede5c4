"""What is refused and not repaired: the reply that the user gets for each (B-6, RFC 6409 §4, §6).

The sentence names the field and says what would help, or what is wrong with it. Of what stands in a field at
most one address is repeated, and never one of a blind recipient: their fields are gone by then (B-15).
"""

from paperpath.mail.address import Mailbox
from paperpath.mail.reply import Reply, make_reply

_HEADER = "5.6.0"
_ADDRESS = "5.1.3"
_NOT_ASCII = "5.6.7"


class CanonicalError(Exception):
    """The message cannot be put into canonical form; `reply` says why, to who wrote it."""

    def __init__(self, reply: Reply) -> None:
        """Take the reply; `str()` is the same for a log."""
        super().__init__(str(reply))
        self.reply = reply


def refuse_header(text: str) -> CanonicalError:
    """Refuse a header, or a body, that cannot be repaired."""
    return CanonicalError(make_reply(554, _HEADER, text))


def refuse_field(name: str, reason: str) -> CanonicalError:
    """Refuse a field for what is wrong with it."""
    return refuse_header(f"{name}: {reason}")


def refuse_repeated(name: str, times: int) -> CanonicalError:
    """Refuse a field of which there may be one (B-17)."""
    return refuse_header(f"{name} stands {times} times in the header; there may be one")


def refuse_address(name: str, mailbox: Mailbox, reason: str) -> CanonicalError:
    """Refuse an address in a field, which could not be completed (B-19)."""
    return CanonicalError(make_reply(554, _ADDRESS, f"{name}: {mailbox} {reason}"))


def refuse_international(name: str) -> CanonicalError:
    """Refuse an address beyond ASCII, where SMTPUTF8 is not in force (B-25)."""
    text = f"{name}: an address beyond ASCII can only be sent with SMTPUTF8"
    return CanonicalError(make_reply(550, _NOT_ASCII, text))
