"""What one session has to tell the journal: what it refused, and what became of its messages (promise P9).

Used by the session. At most 100 refused commands are told, and of more the number, so that a client cannot
drive out the history of others with what costs it one line (attack S-2).
"""

from dataclasses import dataclass

from paperpath.intake.reception import Reception
from paperpath.journal.events import (
    Accepted,
    BrokenOff,
    MessageRefused,
    RefusalsLeftOut,
    Refused,
    Tell,
    show_address,
    show_addresses,
)
from paperpath.mail.envelope import Envelope
from paperpath.mail.reply import Reply

MOST_REFUSALS = 100


@dataclass(frozen=True, slots=True)
class Command:
    """A command line as far as it may be told; without an argument there is the line's length."""

    verb: str
    argument: str
    length: int


class Chronicle:
    """Tells of one session."""

    def __init__(self, tell: Tell, session: str, client: str) -> None:
        """Begin; nothing is told of a session in which there is nothing to explain."""
        self._tell = tell
        self._session = session
        self._client = client
        self._refusals = 0

    def refuse(self, hello: str, sender: str, command: Command, reply: Reply) -> None:
        """Tell of a refused command; `sender` is empty where no transaction is open."""
        self._refusals += 1
        if self._refusals <= MOST_REFUSALS:
            self._tell(
                Refused(
                    self._session,
                    self._client,
                    hello,
                    sender,
                    command.verb,
                    command.argument,
                    command.length,
                    str(reply),
                )
            )

    def break_off(self, envelope: Envelope, reply: Reply | None) -> None:
        """Tell of a transaction without a message; `None`: the client left."""
        recipients, more = _show_recipients(envelope)
        self._tell(
            BrokenOff(
                self._session,
                self._client,
                envelope.client.hello,
                show_address(envelope.sender),
                recipients,
                more,
                "" if reply is None else str(reply),
            )
        )

    def refuse_message(self, reception: Reception, reply: Reply) -> None:
        """Tell of a message that was refused at its end."""
        envelope = reception.envelope
        recipients, more = _show_recipients(envelope)
        self._tell(
            MessageRefused(
                reception.queue_id,
                self._session,
                self._client,
                envelope.client.hello,
                reception.message_id,
                show_address(envelope.sender),
                recipients,
                more,
                str(reply),
            )
        )

    def accept(self, reception: Reception, size: int) -> None:
        """Tell of a message that is ours now."""
        envelope = reception.envelope
        recipients, more = _show_recipients(envelope)
        self._tell(
            Accepted(
                reception.queue_id,
                self._session,
                "relay",
                self._client,
                envelope.client.hello,
                envelope.client.protocol,
                envelope.client.tls,
                envelope.client.account,
                reception.message_id,
                show_address(envelope.sender),
                recipients,
                more,
                size,
            )
        )

    def end(self) -> None:
        """Tell how many refusals were not told."""
        if self._refusals > MOST_REFUSALS:
            self._tell(RefusalsLeftOut(self._session, self._client, self._refusals - MOST_REFUSALS))


def _show_recipients(envelope: Envelope) -> tuple[tuple[str, ...], int]:
    return show_addresses([recipient.address for recipient in envelope.recipients])
