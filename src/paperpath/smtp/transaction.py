"""One message on its way to a peer: all that the client core must know of it apart from its content."""

from collections.abc import Sequence

from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import NO_PARAMETERS, Recipient, SenderParameters
from paperpath.mail.value import value


@value
class Transaction:
    """Envelope and facts about the content. `size` is in octets, with CRLF and without added dots.

    `has_8bit`: some octet of the content is above 7F. `has_8bit_header`: one in its header is; where that is
    not known, `has_8bit` is the safe side. It matters for what came with SMTPUTF8 alone.
    """

    sender: Mailbox | None
    recipients: Sequence[Recipient]
    size: int
    parameters: SenderParameters = NO_PARAMETERS
    has_8bit: bool = False
    has_8bit_header: bool = False
