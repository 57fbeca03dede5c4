"""The beginning of a session: from the connection to the greeting, or to an end without one.

The event loop calls an `Opening` for each connection, which gives it to a `Session` when it greets. What it
does stands in `_take_steps`, in order. A step that has to wait yields what for, and goes on when more has
come or somebody calls `_go_on`; where none has to, all is done before `connection_made` returns.
Promise: each wait has its deadline, what a client says before it is asked stays with the kernel but for one
reading of it, and whoever leaves or is sent away leaves nothing behind (promise P6).
"""

import asyncio
import math
from collections.abc import Generator, Iterator
from enum import Enum
from typing import cast

from paperpath.intake.arrival import Arrival
from paperpath.intake.chronicle import Chronicle
from paperpath.intake.guest import Door, Guest
from paperpath.intake.limits import Limit
from paperpath.intake.service import Service
from paperpath.intake.session import Session
from paperpath.intake.sessions import Sessions
from paperpath.journal.events import TurnedAway
from paperpath.mail.reply import Reply
from paperpath.service.log import Log
from paperpath.service.tls.layer import TlsError
from paperpath.service.wire import Wire
from paperpath.smtp import replies


class Waiting(Enum):
    """What a beginning waits for."""

    HANDSHAKE = "the end of the TLS handshake"


class _SentAwayError(Exception):
    """There is no greeting: a reply in its place, or nothing at all."""

    def __init__(self, reply: Reply | None) -> None:
        super().__init__(reply)
        self.reply = reply


class Opening(asyncio.Protocol):
    """One connection until it is greeted; `sessions` holds it for as long as it waits."""

    def __init__(self, service: Service, sessions: Sessions, door: Door = Door.CLEAR) -> None:
        """Wait for the connection."""
        self._service = service
        self._sessions = sessions
        self._door = door
        self._guest = Guest("")
        self._has_place = False
        self._arrival: Arrival | None = None
        self._held = b""  # what came before it was wanted
        self._waiting: Waiting | None = None
        self._overdue_s = math.inf
        self._steps = self._take_steps()

    # Called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._wire = Wire(cast("asyncio.Transport", transport))
        self._loop = asyncio.get_running_loop()
        self._go_on()

    def data_received(self, data: bytes) -> None:
        """Take octets for the step that waits for some."""
        self._go_on(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give up, and give back what was taken."""
        self._steps.close()
        self._sessions.discard(self)
        arrival, service = self._arrival, self._service
        if arrival is not None:
            service.metrics.open_connections -= 1
            if arrival.lookup is not None:
                arrival.lookup.give_up()
        if self._has_place:
            service.connections.leave(None if arrival is None else arrival.network)

    # Called by the program

    def end(self) -> None:
        """End from our side."""
        self._send_away(replies.R421_SHUTTING_DOWN)

    def check_time(self, now_s: float) -> None:
        """End what waits for too long; called every now and then."""
        if now_s < self._overdue_s:
            return
        if not self._wire.is_closing:
            self._tell_overdue()
        self._wire.abort()

    # The steps

    def _take_steps(self) -> Generator[Waiting]:
        """Do what is to be done before the greeting; yield whenever there is something to wait for.

        Raises: TlsError, _SentAwayError.
        """
        address, port = self._wire.peer
        self._take_place(address)
        self._admit(address)
        self._arrive(port)
        if self._door is Door.TLS:
            yield from self._start_tls()
        self._look_for_early_talk()

    def _take_place(self, address: str) -> None:
        """Be one of all connections, whoever it is."""
        self._guest = Guest(address, uid=self._wire.peer_uid if self._door is Door.LOCAL else None)
        if (limit := self._service.connections.take_place()) is not None:
            self._reach(limit)
        self._has_place = True

    def _admit(self, address: str) -> None:
        """Find out what service the client gets, and whether there are too many of its kind."""
        service = self._service
        guest = self._guest = service.way_in.welcome(address, self._guest.uid)
        network = self._network
        refusal = service.guard.check(Limit.CONNECTION_RATE, guest, network, self._loop.time())
        if refusal is not None:
            self._refuse(refusal)
        if (limit := service.connections.enter(network, guest.service)) is not None:
            self._reach(limit)

    def _arrive(self, port: int) -> None:
        """Count the client in; have the lists asked about it while it greets (requirement C-24)."""
        service, guest = self._service, self._guest
        service.metrics.connections += 1
        service.metrics.open_connections += 1
        session_id = self._sessions.new_id()
        log = service.log.bind(session=session_id, client=guest.key)
        chronicle = Chronicle(service.tell, log, session_id, guest.key)
        lookup = None if service.lists is None else service.lists.look_up(guest.address, log)
        self._arrival = Arrival(self._wire, guest, port, self._network, log, chronicle, lookup)

    def _start_tls(self) -> Iterator[Waiting]:
        """Have TLS in force from the start (RFC 8314 §3.3)."""
        service, wire = self._service, self._wire
        assert service.tls is not None
        wire.start_tls(service.tls.make_layer())
        held, self._held = self._held, b""
        self._read(held)
        self._overdue_s = self._loop.time() + service.handshake_s
        while wire.in_handshake:
            yield Waiting.HANDSHAKE
        assert self._arrival is not None
        self._arrival.note_tls()

    def _look_for_early_talk(self) -> None:
        """Tell the log of a client that did not wait for the greeting (RFC 5321 §3.1)."""
        if self._held or (self._door is not Door.TLS and self._wire.has_octets_waiting):
            self._log.info("early talker", before="the greeting")

    # Inside

    @property
    def _network(self) -> str:
        """As what the client is counted."""
        return self._service.guard.find_network(self._guest.key)

    @property
    def _log(self) -> Log:
        if self._arrival is not None:
            return self._arrival.log
        return self._service.log.bind(client=self._guest.key)

    def _go_on(self, octets: bytes = b"") -> None:
        """Take step after step, until one has to wait, or to the greeting or what there is in its place."""
        if self._wire.is_closing:
            return
        try:
            self._read(octets)
            self._waiting = next(self._steps, None)
        except TlsError as error:
            self._log.info("TLS failed", reason=str(error))
            self._wire.close()
        except _SentAwayError as error:
            self._send_away(error.reply)
        else:
            if self._waiting is None:
                self._greet()
            else:
                self._sessions.add(self)
                self._wire.set_reading(wanted=not self._held)

    def _read(self, octets: bytes) -> None:
        """Take octets as what they say. Raises: TlsError."""
        if octets:
            self._held += self._wire.receive(octets)

    def _greet(self) -> None:
        """Give the connection to a session."""
        arrival = self._arrival
        assert arrival is not None
        session = Session(self._service, self._sessions, arrival)
        self._sessions.add(session)
        self._sessions.discard(self)
        self._wire.give_to(session)
        self._wire.set_reading(wanted=True)
        session.greet()
        session.take(self._held)

    def _reach(self, limit: Limit) -> None:
        """Count and tell that there are too many. Raises: _SentAwayError."""
        self._refuse(self._service.guard.reach(limit))

    def _refuse(self, reply: Reply) -> None:
        """Count and tell that the client is turned away. Raises: _SentAwayError."""
        service, client = self._service, self._guest.key
        service.metrics.replies.add((reply.code, reply.status))
        network = self._network
        if count := service.guard.turn_away(network, reply, self._loop.time()):
            service.log.warning("turned away", client=client, reply=reply, count=count)
            service.tell(TurnedAway(client, "" if network == client else network, str(reply), count))
        raise _SentAwayError(reply)

    def _send_away(self, reply: Reply | None) -> None:
        """Say why, if anything, and nothing else; not even that where TLS should come first."""
        wire = self._wire
        if reply is not None and (self._door is not Door.TLS or wire.tls_facts is not None):
            wire.send(reply.octets)
        wire.close()

    def _tell_overdue(self) -> None:
        self._log.info("TLS failed", reason="the handshake takes too long")
