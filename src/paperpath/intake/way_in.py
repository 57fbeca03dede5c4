"""What a way in is to its sessions: who may do what, and what becomes of a message.

smtprd and smtpsd have one each, made anew at each reload; sessions end with the one they began with. All of
it is asked on the event loop's thread and answers at once; a reception may take time to store a message.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from paperpath.intake.access_file import Access
from paperpath.intake.guest import Guest
from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import Envelope
from paperpath.mail.reply import Reply
from paperpath.mail.trace import Stamp
from paperpath.mail.value import value
from paperpath.maildrop.values import Origin


@value
class Stored:
    """What became of a message: the reply for the client, how many octets were stored, what went wrong."""

    reply: Reply
    size: int = 0
    trouble: str = ""


class Reception(Protocol):
    """One message on its way into the maildrop, from 354 to the reply that takes responsibility."""

    @property
    def envelope(self) -> Envelope:
        """The envelope, as it goes into the maildrop."""

    @property
    def origin(self) -> Origin:
        """By which way in the message comes."""

    @property
    def queue_id(self) -> str:
        """The id under which the message will be known."""

    @property
    def message_id(self) -> str:
        """The message's own id as far as it has come in, for the journal."""

    @property
    def changes(self) -> Sequence[str]:
        """What was done to the header, in words."""

    def add(self, octets: bytes) -> None:
        """Take a chunk of content."""

    def discard(self) -> None:
        """Give the message up; nothing of it stays."""

    def store(self, done: Callable[[Stored], None]) -> None:
        """Put the message into the maildrop, then call `done`; with a 250 it is flushed (promise P2)."""


class WayIn(Protocol):
    """One way in, by one configuration."""

    @property
    def access(self) -> Access:
        """Its rules for clients."""

    def welcome(self, address: str, uid: int | None, names: Sequence[str] = ()) -> Guest:
        """Say what service a client gets, by its address and its host's names, or as a user of this host."""

    def judge_sender(self, sender: Mailbox | None, guest: Guest) -> tuple[Reply, Mailbox | None]:
        """Return the reply to a sender, and the address that it stands for."""

    def judge_recipient(self, recipient: Mailbox, guest: Guest) -> tuple[Reply, Mailbox]:
        """Return the reply to a recipient, and the address that it stands for."""

    def receive(self, envelope: Envelope, stamp: Stamp, guest: Guest) -> Reception:
        """Begin with a message; `stamp` has the queue id that the maildrop gave for it."""
