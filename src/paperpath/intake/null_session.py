"""A client that gets no service: Null SMTP over a connection, until it quits or its time is over.

Made by the beginning of a session (opening.py). It asks nobody anything: no maildrop, list or file is touched
for such a client (requirement A-102). Memory is bounded, for the core answers so many commands and no more.
"""

from paperpath.intake.arrival import Arrival
from paperpath.intake.chronicle import Command
from paperpath.intake.conversation import Conversation
from paperpath.intake.counting import Counting
from paperpath.intake.service import Service
from paperpath.intake.sessions import Sessions
from paperpath.mail.reply import Reply
from paperpath.service.tls.layer import TlsError
from paperpath.smtp import replies
from paperpath.smtp.events import CommandRefused
from paperpath.smtp.null import NullConnection


class NullSession(Conversation[NullConnection]):
    """One connection from its greeting on. `sessions` holds it for as long as it lives."""

    def __init__(self, service: Service, sessions: Sessions, arrival: Arrival) -> None:
        """Take over a client that is to be greeted."""
        core = NullConnection(service.settings.hostname, Counting(service.metrics))
        super().__init__(service, arrival.wire, core)
        self._sessions = sessions
        self._arrival = arrival

    # Called by the beginning

    def greet(self) -> None:
        """Say that there is no service."""
        self._arrival.log.info("no service")
        self._send()

    def take(self, octets: bytes) -> None:
        """Take what the client says, if anything, and answer it."""
        self._service.metrics.octets_in += len(octets)
        self._core.receive(octets)
        while (event := self._core.next_event()) is not None:
            if isinstance(event, CommandRefused):
                self._tell(event)
        self._send()
        if self._wire.has_ended:
            self._hang_up()

    # Called by the event loop

    def data_received(self, data: bytes) -> None:
        """Take octets, in the clear or inside TLS."""
        self._overdue_s = self._loop.time() + self._service.idle_timeout_s
        try:
            octets = self._wire.receive(data)
        except TlsError as error:
            self._arrival.log.info("TLS failed", reason=str(error))
            self._hang_up()
            return
        self.take(octets)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let the client go."""
        self._service.metrics.open_connections -= 1
        self._service.connections.leave(self._arrival.network)
        self._sessions.discard(self)
        self._arrival.chronicle.end()

    # Called by the program

    def end(self) -> None:
        """End from our side."""
        self._close(replies.R421_SHUTTING_DOWN)

    def check_time(self, now_s: float) -> None:
        """Close the session if the client is silent for too long; called every now and then."""
        if now_s < self._overdue_s:
            return
        if self._wire.is_closing:
            self._wire.abort()
        else:
            self._arrival.log.info("overdue", reply=replies.R421_IDLE)
            self._close(replies.R421_IDLE)

    # Inside

    def _close(self, reply: Reply) -> None:
        self._core.close(reply)
        self._send()

    def _tell(self, event: CommandRefused) -> None:
        shown = f"{event.verb}({event.length})"
        self._arrival.chronicle.refuse(
            "", "", Command(event.verb, event.argument, event.length, shown), event.reply
        )
