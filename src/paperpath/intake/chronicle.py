"""What one session has to tell: what it refused, and what became of its messages (promise P9).

Used by the session; what it tells stands in the log and in the journal. At most 100 refused commands are
told to the journal, and of more the number, so that a client cannot drive out the history of others with what
costs it one line (attack S-2). As many changes of a header are, for it may have 100,000 fields.
"""

from dataclasses import dataclass

from paperpath.intake.client_lists import ListRuling
from paperpath.intake.way_in import Reception, Stored
from paperpath.journal.events import (
    Accepted,
    BrokenOff,
    Changed,
    Listed,
    MessageRefused,
    RefusalsLeftOut,
    Refused,
    SessionEnded,
    Tell,
    show_address,
    show_addresses,
)
from paperpath.mail.envelope import Envelope
from paperpath.mail.reply import Reply
from paperpath.mail.shown import show_path
from paperpath.service.log import Log

MOST_REFUSALS = 100
MOST_CHANGES = 100  # of one header


@dataclass(frozen=True, slots=True)
class Command:
    """A command line as far as it may be told; without an argument there is the line's length."""

    verb: str
    argument: str
    length: int
    shown: str
    """What stands for it in the log."""


class Chronicle:
    """Tells of one session."""

    def __init__(self, tell: Tell, log: Log, session: str, client: str) -> None:
        """Begin; the journal is told nothing of a session in which there is nothing to explain."""
        self._tell = tell
        self._log = log
        self._session = session
        self._client = client
        self._refusals = 0
        self._has_ruling = False

    def refuse(self, hello: str, sender: str, command: Command, reply: Reply) -> None:
        """Tell of a refused command; `sender` is empty where no transaction is open."""
        self._log.info("refused", what=command.shown, reply=reply)
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

    def rule(self, ruling: ListRuling) -> None:
        """Tell, once, which list decided about the client; nothing if none did."""
        look = ruling.look
        if look is not None and not self._has_ruling:
            self._has_ruling = True
            self._tell(Listed(self._session, self._client, str(look.client_list), str(look.finding)))

    def end_by_us(self, reply: Reply) -> None:
        """Tell that we ended the session for what the client did in it."""
        self._log.info("ended", reply=reply)
        self._tell(SessionEnded(self._session, self._client, str(reply)))

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

    def drop(self, reception: Reception | None, reply: Reply) -> None:
        """Tell of content that was refused before it was asked whether it can be stored."""
        self._log.info("refused", what="content", reply=reply)
        if reception is not None:
            self._refuse_message(reception, reply)

    def conclude(self, reception: Reception, stored: Stored) -> None:
        """Tell what became of a message that came to its end."""
        envelope = reception.envelope
        facts = {
            "message": reception.queue_id,
            "sender": show_path(envelope.sender),
            "recipients": len(envelope.recipients),
            "reply": stored.reply,
        }
        if stored.reply.is_positive:
            self._log.info("accepted", **facts, size=stored.size)
            self._accept(reception, stored.size)
            return
        self._refuse_message(reception, stored.reply)
        if stored.trouble:
            self._log.error("not stored", **facts, reason=stored.trouble)
        else:  # it is the message's own fault
            self._log.info("refused", what="content", **facts)

    def end(self) -> None:
        """Tell how many refusals were not told."""
        if self._refusals > MOST_REFUSALS:
            self._tell(RefusalsLeftOut(self._session, self._client, self._refusals - MOST_REFUSALS))

    def _refuse_message(self, reception: Reception, reply: Reply) -> None:
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

    def _accept(self, reception: Reception, size: int) -> None:
        envelope = reception.envelope
        recipients, more = _show_recipients(envelope)
        self._tell(
            Accepted(
                reception.queue_id,
                self._session,
                reception.origin.value,
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
        if changes := reception.changes:
            more = max(len(changes) - MOST_CHANGES, 0)
            self._tell(Changed(reception.queue_id, tuple(changes[:MOST_CHANGES]), more))


def _show_recipients(envelope: Envelope) -> tuple[tuple[str, ...], int]:
    return show_addresses([recipient.address for recipient in envelope.recipients])
