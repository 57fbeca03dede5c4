"""The beginning of a session: from the connection to the greeting, or to an end without one.

The event loop calls an `Opening` for each connection, which gives it to a `Session` when it greets. What it
does stands in `_take_steps`, in order. A step that has to wait yields what for, and goes on when more has
come or somebody calls `_go_on`; where none has to, all is done before `connection_made` returns.
Promise: each wait has its deadline, what a client says before it is asked stays with the kernel but for one
reading of it, and whoever leaves or is sent away leaves nothing behind (promise P6).
"""

import asyncio
import math
from collections.abc import Generator, Iterator, Sequence
from enum import Enum
from typing import cast

from paperpath.config.network import is_in_one
from paperpath.intake.access import ServiceClass
from paperpath.intake.arrival import Arrival
from paperpath.intake.chronicle import Chronicle
from paperpath.intake.guest import Door, Guest
from paperpath.intake.limits import Limit
from paperpath.intake.null_session import NullSession
from paperpath.intake.proxy_header import ProxyHeaderError, parse_proxy_header
from paperpath.intake.service import Service
from paperpath.intake.session import Session
from paperpath.intake.sessions import Sessions
from paperpath.intake.ucspi import Visitor
from paperpath.journal.events import TurnedAway
from paperpath.mail.reply import Reply
from paperpath.service.log import Log
from paperpath.service.tls.layer import TlsError
from paperpath.service.wire import Wire
from paperpath.smtp import replies


class Waiting(Enum):
    """What a beginning waits for."""

    HEADER = "for whom the proxy speaks"
    NAMES = "the names of the client's host"
    HANDSHAKE = "the end of the TLS handshake"
    GREETING = "time to pass before the greeting"


class _SentAwayError(Exception):
    """There is no greeting: a reply in its place, or nothing at all."""

    def __init__(self, reply: Reply | None) -> None:
        super().__init__(reply)
        self.reply = reply


class Opening(asyncio.Protocol):
    """One connection until it is greeted; `sessions` holds it for as long as it lives."""

    def __init__(
        self, service: Service, sessions: Sessions, door: Door = Door.CLEAR, visitor: Visitor | None = None
    ) -> None:
        """Wait for the connection; `visitor`: who it is, where the connection itself does not tell."""
        self._service = service
        self._sessions = sessions
        self._door = door
        self._visitor = visitor
        self._guest = Guest("")
        self._proxy = ""  # that spoke for the client
        self._has_place = False
        self._entered: str | None = None  # the network as one of which it was let in
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
        self._sessions.add(self)
        self._go_on()

    def data_received(self, data: bytes) -> None:
        """Take octets for the step that waits for some."""
        self._go_on(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give up, and give back what was taken."""
        if self._waiting is Waiting.HEADER:
            self._refuse_header("the connection ended before it")
        self._steps.close()
        self._sessions.discard(self)
        arrival, service = self._arrival, self._service
        if arrival is not None:
            service.metrics.open_connections -= 1
            if arrival.lookup is not None:
                arrival.lookup.give_up()
        if self._has_place:
            service.connections.leave(self._entered)

    # Called by the program

    def end(self) -> None:
        """End from our side."""
        self._send_away(None if self._waiting is Waiting.HEADER else replies.R421_SHUTTING_DOWN)

    def check_time(self, now_s: float) -> None:
        """End what waits for too long; called every now and then."""
        if now_s < self._overdue_s:
            return
        if self._waiting is Waiting.HEADER:
            self._refuse_header("it takes too long")
            return
        if not self._wire.is_closing:
            self._log.info("TLS failed", reason="the handshake takes too long")
        self._wire.abort()

    # The steps

    def _take_steps(self) -> Generator[Waiting]:
        """Do what is to be done before the greeting; yield whenever there is something to wait for.

        Raises: ProxyHeaderError, TlsError, _SentAwayError.
        """
        visitor = self._visitor
        address, port = self._wire.peer if visitor is None else (visitor.address, visitor.port)
        self._take_place(address)
        if self._door.is_for_proxies:
            address, port = yield from self._read_header(address, port)
        names = yield from self._find_names(address)
        self._admit(address, names)
        self._arrive(port)
        if self._door.begins_with_tls:
            yield from self._start_tls()
        if self._is_to_wait:
            yield from self._let_time_pass()
        self._look_for_early_talk()

    def _take_place(self, address: str) -> None:
        """Be one of all connections, whoever it is."""
        self._guest = Guest(address, uid=self._find_uid())
        if (limit := self._service.connections.take_place()) is not None:
            self._reach(limit)
        self._has_place = True

    def _read_header(self, peer: str, port: int) -> Generator[Waiting, None, tuple[str, int]]:
        """Return address and port of the client that a proxy speaks for, if it is a proxy of ours."""
        if not is_in_one(peer, self._service.proxies):
            raise ProxyHeaderError("this is no proxy of ours")
        self._overdue_s = self._loop.time() + self._service.header_s
        while (header := parse_proxy_header(self._held)) is None:
            yield Waiting.HEADER
        self._held, self._overdue_s = self._held[header.length :], math.inf
        if not header.address:
            return peer, port
        self._proxy = peer
        return header.address, header.port

    def _find_names(self, address: str) -> Generator[Waiting, None, Sequence[str]]:
        """Return the names of the client's host, where a rule for hosts could decide about it.

        Whoever is to be asked about is bounded as anybody is, for it may be his own servers that take long.
        """
        desk = self._service.names
        decided = self._door is Door.NULL or (self._visitor is not None and self._visitor.service is not None)
        if desk is None or decided or not desk.are_wanted(address):
            return ()
        if (known := desk.recall(address)) is not None:
            return known
        self._guest = Guest(address)
        self._enter()
        finding = self._loop.create_task(desk.find(address, self._log))
        finding.add_done_callback(lambda _: self._hear_names())
        try:
            while not finding.done():
                yield Waiting.NAMES
        finally:
            finding.cancel()
        if (error := finding.exception()) is not None:
            self._log.error("defect", what="the names of a client were not asked for", error=repr(error))
            return ()
        return finding.result()

    def _admit(self, address: str, names: Sequence[str]) -> None:
        """Find out what service the client gets, and whether there are too many of its kind."""
        self._guest = self._welcome(address, names)
        if self._guest.service is ServiceClass.DENY:
            self._deny()
        if self._entered is None:
            self._enter()

    def _enter(self) -> None:
        """Be one of the client's network, unless there are too many. Raises: _SentAwayError."""
        service, guest, network = self._service, self._guest, self._network
        refusal = service.guard.check(Limit.CONNECTION_RATE, guest, network, self._loop.time())
        if refusal is not None:
            self._refuse(refusal)
        if (limit := service.connections.enter(network, guest.service)) is not None:
            self._reach(limit)
        self._entered = network

    def _arrive(self, port: int) -> None:
        """Count the client in; have the lists asked about it while it greets (requirement C-24)."""
        service, guest = self._service, self._guest
        service.metrics.connections += 1
        service.metrics.open_connections += 1
        session_id = self._sessions.new_id()
        log = service.log.bind(session=session_id, client=guest.key)
        if self._proxy:
            log = log.bind(proxy=self._proxy)
        chronicle = Chronicle(service.tell, log, session_id, guest.key)
        lists = None if guest.service is ServiceClass.NULL else service.lists
        lookup = None if lists is None else lists.look_up(guest.address, log)
        assert self._entered is not None
        self._arrival = Arrival(self._wire, guest, port, self._entered, log, chronicle, lookup)

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

    def _let_time_pass(self) -> Iterator[Waiting]:
        """Wait for as long as the greeting is to be waited for, or until the client talks."""
        has_passed = False

        def greet() -> None:
            nonlocal has_passed
            has_passed = True
            self._go_on()

        self._overdue_s = math.inf  # there is a timer
        timer = self._loop.call_later(self._service.greeting_wait_s, greet)
        try:
            while not (has_passed or self._held):
                yield Waiting.GREETING
        finally:
            timer.cancel()

    def _look_for_early_talk(self) -> None:
        """Tell of a client that has not waited for the greeting; refuse it if it should (RFC 5321 §3.1)."""
        if self._is_on_a_pipe:
            return
        if not self._held and (self._door.begins_with_tls or not self._wire.has_octets_waiting):
            return
        self._service.metrics.early_talkers += 1
        self._log.info("early talker", before="the greeting")
        if self._is_to_wait:
            self._refuse(replies.R554_EARLY_TALK)

    # Inside

    def _find_uid(self) -> int | None:
        if self._visitor is not None:
            return self._visitor.uid
        return self._wire.peer_uid if self._door is Door.LOCAL else None

    def _welcome(self, address: str, names: Sequence[str]) -> Guest:
        """Ask who it is, and what it may; whoever started us for it, or the door, may have decided that."""
        guest = self._service.way_in.welcome(address, self._guest.uid, names)
        if self._visitor is not None and self._visitor.service is not None:  # requirement C-9
            guest.service = self._visitor.service
        elif self._door is Door.NULL and guest.service is not ServiceClass.DENY:
            guest.service = ServiceClass.NULL
        return guest

    @property
    def _is_on_a_pipe(self) -> bool:
        """Whether this may be a script, of which it says nothing that it does not wait."""
        return self._visitor is not None and not self._visitor.address

    @property
    def _is_to_wait(self) -> bool:
        """Whether there are rules for who talks first, which who is trusted does not need."""
        must_wait = self._service.greeting_wait_s > 0 and not self._guest.is_admitted
        return must_wait and not self._is_on_a_pipe

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
        self._waiting = None
        try:
            self._read(octets)
            self._waiting = next(self._steps, None)
        except ProxyHeaderError as error:
            self._refuse_header(str(error))
        except TlsError as error:
            self._log.info("TLS failed", reason=str(error))
            self._wire.close()
        except _SentAwayError as error:
            self._send_away(error.reply)
        else:
            if self._waiting is None:
                self._greet()
            else:
                is_wanted = self._waiting is Waiting.HEADER or not self._held
                self._wire.set_reading(wanted=is_wanted)

    def _hear_names(self) -> None:
        """Go on with the names, unless what the client said came just before and has seen them already."""
        if self._waiting is Waiting.NAMES:
            self._go_on()

    def _read(self, octets: bytes) -> None:
        """Take octets as what they say. Raises: TlsError."""
        if octets:
            self._held += self._wire.receive(octets)

    def _greet(self) -> None:
        """Give the connection to a session."""
        arrival = self._arrival
        assert arrival is not None
        kind = NullSession if arrival.guest.service is ServiceClass.NULL else Session
        session = kind(self._service, self._sessions, arrival)
        self._sessions.add(session)
        self._sessions.discard(self)
        self._wire.give_to(session)
        self._wire.set_reading(wanted=True)
        session.greet()
        session.take(self._held)

    def _reach(self, limit: Limit) -> None:
        """Count and tell that there are too many. Raises: _SentAwayError."""
        self._refuse(self._service.guard.reach(limit))

    def _deny(self) -> None:
        """Count and tell that the rules deny the client any word (L-16). Raises: _SentAwayError."""
        self._service.metrics.denied_connections += 1
        self._tell_turned_away(None)
        raise _SentAwayError(None)

    def _refuse(self, reply: Reply) -> None:
        """Count and tell that the client is turned away. Raises: _SentAwayError."""
        self._service.metrics.replies.add((reply.code, reply.status))
        self._tell_turned_away(reply)
        raise _SentAwayError(reply)

    def _refuse_header(self, reason: str) -> None:
        """Close without a word: whoever this is, it is nobody whom we know (requirement A-99)."""
        self._waiting = None
        if count := self._service.guard.refuse_header(self._network, reason, self._loop.time()):
            self._log.info("PROXY header refused", reason=reason, count=count)
        self._wire.abort()

    def _tell_turned_away(self, reply: Reply | None) -> None:
        service, client, network = self._service, self._guest.key, self._network
        said = "" if reply is None else str(reply)
        if count := service.guard.turn_away(network, reply, self._loop.time()):
            service.log.warning("turned away", client=client, reply=said or "none", count=count)
            service.tell(TurnedAway(client, "" if network == client else network, said, count))

    def _send_away(self, reply: Reply | None) -> None:
        """Say why, if anything, and nothing else; not even that where TLS should come first."""
        wire = self._wire
        if reply is not None and (not self._door.begins_with_tls or wire.tls_facts is not None):
            wire.send(reply.octets)
        wire.close()
