"""SMTP client core: octets in, events out (RFC 5321, 1870, 2033, 2920, 3030, 3207, 3461, 4954, 6152, 6531, 9422).

Driven by the relay client and by the tests; knows no socket, clock, maildrop or policy.
Promise: no octets from the peer raise; they yield events, one `TransactionEnded` per transaction, and hold at
most one reply of bounded size beyond what was just given.

The driver's loop: send `octets_to_send()`, `receive(octets)`, then `next_event()` until it gives `None`; so on
until `waits_for` is `NOTHING`. Between transactions `begin`, or `quit`.
"""

from paperpath.mail.reply import Reply
from paperpath.smtp.client_events import Event
from paperpath.smtp.client_settings import ClientSettings
from paperpath.smtp.client_states import Wait
from paperpath.smtp.observer import NOBODY, Observer
from paperpath.smtp.transaction import Transaction


class ClientConnection:
    """One SMTP session seen from the client."""

    def __init__(
        self, settings: ClientSettings, observer: Observer = NOBODY, *, encrypted: bool = False
    ) -> None:
        """Begin by waiting for the greeting; `encrypted`: on a port that speaks TLS from the start.

        The observer is given whole command lines, secrets left out, and "." for the end of content.
        """
        raise NotImplementedError

    @property
    def waits_for(self) -> Wait:
        """What is due next; the driver takes its timeout from it."""
        raise NotImplementedError

    @property
    def can_begin(self) -> bool:
        """Whether `begin` may be called: the session is open, idle, and the peer takes another message."""
        raise NotImplementedError

    @property
    def is_exhausted(self) -> bool:
        """Whether the peer takes no further message on this connection (MAILMAX, RFC 9422)."""
        raise NotImplementedError

    @property
    def wants_content(self) -> bool:
        """Whether `send` and `end_content` may be called now.

        By DATA from `ContentWanted` to the end; by BDAT not between a chunk and the reply to it, behind which
        `ContentWanted` comes again.
        """
        raise NotImplementedError

    def receive(self, octets: bytes) -> None:
        """Take what came from the peer."""
        raise NotImplementedError

    def receive_end(self) -> None:
        """Take note that the connection was lost, or closed by the peer."""
        raise NotImplementedError

    def break_off(self, reply: Reply) -> None:
        """End everything from our side with a temporary reply of ours: a time-out, a shutdown.

        What recipients get is the same as when the connection is lost, but for the reply.
        """
        raise NotImplementedError

    def next_event(self) -> Event | None:
        """Return the next event; `None` when more octets, or something from the driver, are needed first."""
        raise NotImplementedError

    def octets_to_send(self) -> bytes:
        """Return what is to be sent, and forget it."""
        raise NotImplementedError

    def tls_started(self) -> None:
        """Go on inside TLS: what the peer said before is forgotten (RFC 3207 §4.2)."""
        raise NotImplementedError

    def begin(self, transaction: Transaction) -> None:
        """Begin a transaction; it ends with `TransactionEnded`, at once where nothing can be sent.

        What the peer does not offer and the message needs is answered by us, and nothing is sent.
        """
        raise NotImplementedError

    def send(self, content: bytes) -> None:
        """Send some content, of any length and cut anywhere: lines as they are, no dots added.

        A bare CR or LF is never sent outside BODY=BINARYMIME: the transaction ends with a permanent reply of
        ours for all who are pending, and the connection is `Broken`, since content cannot be taken back.
        """
        raise NotImplementedError

    def end_content(self) -> None:
        """End the content; from now on the peer may have taken it, whatever becomes of the connection."""
        raise NotImplementedError

    def quit(self) -> None:
        """Say QUIT where that makes sense; `waits_for` is `NOTHING` when its reply has come."""
        raise NotImplementedError
