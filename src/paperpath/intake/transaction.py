"""What a client has said of one message, from MAIL to its end."""

from paperpath.mail.address import Mailbox
from paperpath.mail.domain import domain_key
from paperpath.mail.envelope import Client, Envelope, Recipient, SenderParameters


class MailTransaction:
    """The open transaction of a session (RFC 5321 §3.3)."""

    __slots__ = ("_recipients", "counted", "is_told_held_back", "overdue_s", "parameters", "sender")

    def __init__(self, sender: Mailbox | None, parameters: SenderParameters, overdue_s: float) -> None:
        """Begin with the sender; `overdue_s` is when its time is over."""
        self.sender = sender
        self.parameters = parameters
        self.overdue_s = overdue_s
        self.counted = 0  # recipients, as far as they count for the tarpit
        self.is_told_held_back = False  # to the log, once
        self._recipients: dict[tuple[str, str], Recipient] = {}

    def add(self, recipient: Recipient) -> None:
        """Take a recipient; who is named twice gets one copy."""
        address = recipient.address
        self._recipients.setdefault((address.local, domain_key(address.domain)), recipient)

    def make_envelope(self, client: Client) -> Envelope:
        """Write the envelope of what was said so far."""
        return Envelope(self.sender, tuple(self._recipients.values()), client, self.parameters)
