"""The envelope: what is known of a message apart from its content (RFC 5321 §2.3.1).

Built by the ways in, kept by the maildrop, read by everything behind it.
"""

from dataclasses import dataclass

from paperpath.mail.address import Mailbox


@dataclass(frozen=True, slots=True)
class Client:
    """Who handed the message in: address and port of its end, the name it gave, the protocol spoken."""

    address: str
    port: int
    hello: str
    protocol: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """Sender, recipients in the order given, and where the message came from.

    `sender` is `None` for the null sender; `body` is the BODY parameter (RFC 6152), empty where absent.
    """

    sender: Mailbox | None
    recipients: tuple[Mailbox, ...]
    client: Client
    body: str = ""
