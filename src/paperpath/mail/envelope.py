"""The envelope: what is known of a message apart from its content (RFC 5321 §2.3.1).

Built by the ways in, kept by the maildrop, read by everything behind it. What a client asked for is kept as
it was written, octet for octet (RFC 3461 §5.2.1).
"""

from paperpath.mail.address import Mailbox
from paperpath.mail.value import value


@value
class Client:
    """Who handed the message in: address and port of its end, the name it gave, the protocol spoken.

    `tls` is version and cipher, empty in the clear; `service` is what access rules granted it, empty where
    there are none; `account` is who logged in, empty where nobody did.
    """

    address: str
    port: int
    hello: str
    protocol: str
    tls: str = ""
    service: str = ""
    account: str = ""


NO_CLIENT = Client("", 0, "", "")


@value
class SenderParameters:
    """What came with MAIL: BODY (RFC 6152, 3030), SMTPUTF8 (RFC 6531), RET and ENVID (RFC 3461).

    Empty where absent; `envid` is xtext as it came.
    """

    body: str = ""
    international: bool = False
    ret: str = ""
    envid: str = ""


NO_PARAMETERS = SenderParameters()


@value
class Recipient:
    """One recipient: its address, and what came with RCPT: NOTIFY and ORCPT (RFC 3461), empty if absent."""

    address: Mailbox
    notify: str = ""
    orcpt: str = ""


@value
class Envelope:
    """Sender, recipients in the order given, and where the message came from.

    `sender` is `None` for the null sender.
    """

    sender: Mailbox | None
    recipients: tuple[Recipient, ...]
    client: Client
    parameters: SenderParameters = NO_PARAMETERS
