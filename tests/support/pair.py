"""Our client core talking to our server core, in process: what one sends the other receives."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from paperpath.mail.address import Mailbox, parse_mailbox
from paperpath.mail.envelope import NO_PARAMETERS, Recipient, SenderParameters
from paperpath.mail.reply import Reply
from paperpath.smtp import events, replies
from paperpath.smtp.client import ClientConnection
from paperpath.smtp.client_events import (
    Answer,
    Broken,
    ContentWanted,
    Ready,
    Refused,
    TLSWanted,
    TransactionEnded,
)
from paperpath.smtp.client_settings import ClientSettings
from paperpath.smtp.server import ServerConnection
from paperpath.smtp.settings import Settings
from paperpath.smtp.transaction import Transaction

CLIENT = ClientSettings("out.here.example")
SERVER = Settings("mx.peer.example", size=1_000_000, recipients=100, tls=True, dsn=True, binary=True)


def address(text: str) -> Mailbox:
    return parse_mailbox(text)


def transaction(
    *recipients: str | Recipient,
    sender: str | None = "a@here.example",
    size: int = 100,
    parameters: SenderParameters = NO_PARAMETERS,
    has_8bit: bool = False,
    has_8bit_header: bool = False,
) -> Transaction:
    return Transaction(
        None if sender is None else address(sender),
        [entry if isinstance(entry, Recipient) else Recipient(address(entry)) for entry in recipients],
        size,
        parameters,
        has_8bit,
        has_8bit_header,
    )


@dataclass
class Taken:
    """A message as the server took it."""

    sender: events.SenderReceived
    recipients: list[Recipient] = field(default_factory=list)
    content: bytes = b""


@dataclass
class Peer:
    """A server that takes everything but addresses with a verdict of their own."""

    core: ServerConnection
    verdicts: dict[str, Reply] = field(default_factory=dict)
    messages: list[Taken] = field(default_factory=list)
    begun: list[Taken] = field(default_factory=list)

    def answer(self, octets: bytes) -> bytes:
        self.core.receive(octets)
        while (event := self.core.next_event()) is not None:
            match event:
                case events.SenderReceived():
                    self.begun.append(Taken(event))
                    self.core.reply(replies.R250_SENDER)
                case events.RecipientReceived(recipient):
                    verdict = self.verdicts.get(str(recipient.address), replies.R250_RECIPIENT)
                    if verdict.is_positive:
                        self.begun[-1].recipients.append(recipient)
                    self.core.reply(verdict)
                case events.ContentReceived(content):
                    self.begun[-1].content += content
                case events.ContentEnded(content):
                    self.begun[-1].content += content
                    self.messages.append(self.begun[-1])
                    self.core.reply(replies.queued("Q"))
                case events.TLSRequested():
                    self.core.reply(replies.R220_START_TLS)
        return self.core.octets_to_send()


@dataclass
class Outcome:
    """What the client's driver was told."""

    events: list[object] = field(default_factory=list)
    sent: bytes = b""

    @property
    def answers(self) -> list[tuple[Answer | None, ...]]:
        return [event.answers for event in self.events if isinstance(event, TransactionEnded)]

    @property
    def codes(self) -> list[list[int | None]]:
        return [
            [None if answer is None else answer.reply.code for answer in answers] for answers in self.answers
        ]


def converse(
    client: ClientConnection, peer: Peer, messages: Iterable[tuple[Transaction, Iterable[bytes]]]
) -> Outcome:
    """Deliver messages over one connection, then quit."""
    outcome = Outcome()
    waiting = iter(messages)
    chunks: Iterator[bytes] = iter(())
    octets = peer.core.octets_to_send()
    while octets or client.wants_content:
        client.receive(octets)
        while (event := client.next_event()) is not None:
            outcome.events.append(event)
            match event:
                case TLSWanted():
                    client.tls_started()
                    peer.core.tls_started()
                case Ready() | TransactionEnded():
                    following = next(waiting, None)
                    if following is None:
                        client.quit()
                    elif client.can_begin:
                        chunks = iter(following[1])
                        client.begin(following[0])
                case ContentWanted():
                    _send(client, chunks)
                case Refused() | Broken():
                    client.quit()
        sent = client.octets_to_send()
        outcome.sent += sent
        octets = peer.answer(sent)
    return outcome


def _send(client: ClientConnection, chunks: Iterator[bytes]) -> None:
    for chunk in chunks:
        client.send(chunk)
        if not client.wants_content:
            return
    client.end_content()
