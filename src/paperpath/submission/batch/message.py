"""One message of a batch, from MAIL to the end of its content, with those of its recipients who are refused.

Used by the reader. A batch hears no replies, so who is refused is kept until the sender can be told.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from paperpath.intake.transaction import MailTransaction
from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import Client, Envelope, Recipient, SenderParameters
from paperpath.mail.reply import Reply
from paperpath.submission.reception import SubmissionReception


@dataclass(frozen=True, slots=True)
class RefusedRecipient:
    """A recipient who does not get the message, and why."""

    recipient: Recipient
    reply: Reply


class BatchMessage:
    """Collects what is said of a message, and the first `most_returned` octets of its content."""

    def __init__(
        self, sender: Mailbox | None, parameters: SenderParameters, refusal: Reply | None, most_returned: int
    ) -> None:
        """Begin with the sender; `refusal` is that of the whole message, if it is known already."""
        self.refused: list[RefusedRecipient] = []
        self.refusal = refusal
        self.octets = 0
        self.reception: SubmissionReception | None = None
        self.taken = 0
        self._transaction = MailTransaction(sender, parameters, math.inf)
        self._most_returned = most_returned
        self._beginning = bytearray()

    @property
    def sender(self) -> Mailbox | None:
        """The sender, as far as it was taken."""
        return self._transaction.sender

    @property
    def parameters(self) -> SenderParameters:
        """What came with the sender."""
        return self._transaction.parameters

    @property
    def beginning(self) -> bytes:
        """The content's first octets."""
        return bytes(self._beginning)

    def take(self, recipient: Recipient) -> None:
        """Take a recipient."""
        self._transaction.add(recipient)
        self.taken += 1

    def refuse(self, recipient: Recipient, reply: Reply) -> None:
        """Refuse a recipient."""
        self.refused.append(RefusedRecipient(recipient, reply))

    def make_envelope(self, client: Client) -> Envelope:
        """Write the envelope for those who were taken."""
        return self._transaction.make_envelope(client)

    def refuse_taken(self, client: Client, reply: Reply) -> Sequence[RefusedRecipient]:
        """Return those who were taken as refused: the whole message is."""
        return [RefusedRecipient(recipient, reply) for recipient in self.make_envelope(client).recipients]

    def add(self, octets: bytes, most_octets: int) -> None:
        """Take content; of what exceeds `most_octets` nothing is kept."""
        self.octets += len(octets)
        if (room := self._most_returned - len(self._beginning)) > 0:
            self._beginning += octets[:room]
        if self.reception is not None and self.octets <= most_octets:
            self.reception.add(octets)

    def discard(self) -> None:
        """Give the message up."""
        if self.reception is not None:
            self.reception.discard()
            self.reception = None
