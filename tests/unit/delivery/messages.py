"""Claimed messages for tests of what is said about them."""

from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import NO_PARAMETERS
from paperpath.maildrop.values import ClaimedMessage, Content, Origin


def make_message(octets: bytes = b"Subject: x\r\n\r\n", origin: Origin = Origin.RELAY) -> ClaimedMessage:
    """Make a message that was claimed."""
    content = Content(len(octets), b"", octets, None)
    return ClaimedMessage(1, "Q", Mailbox("ann", "else.example"), NO_PARAMETERS, 0, content, origin)
