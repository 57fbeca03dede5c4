"""One IMAP connection: octets between the event loop and the dialogue, places and time (promise P6).

Called by the event loop, and once a second for its time. The dialogue works in one task, which ends when
there is nothing to do: a session that waits costs none.
Promise: memory is bounded whatever the client sends or does not read, and no session outlives its time.
"""

import asyncio
import math
import traceback
from typing import cast

from paperpath.imap.compression import CompressionError, Deflate
from paperpath.imap.desk.desk import BrokenOffError
from paperpath.imap.desk.sharing import SharedLook
from paperpath.imap.dialogue import Dialogue
from paperpath.imap.server import ServerConnection
from paperpath.imap.service import CLOSE_S, HANDSHAKE_S, READ_S, REST_S, STRANGER_S, Service
from paperpath.intake.access import ServiceClass
from paperpath.intake.guest import Door, Guest
from paperpath.intake.limits import Networks
from paperpath.service.tls.layer import TlsError
from paperpath.service.wire import Wire

MOST_PENDING_OCTETS = 128 * 1024
_NETWORKS = Networks(32, 64)
_FULL = b"* BYE [UNAVAILABLE] Too many connections\r\n"
_OVERDUE = "You were silent for too long"
_ENDING = "The server ends"


class Session(asyncio.Protocol):
    """One connection. Keeps the contracts of `Living`, of `Waiting`, and of the dialogue's `Link`."""

    def __init__(self, service: Service, door: Door) -> None:
        """Wait for the connection."""
        self._service = service
        self._door = door
        self._log = service.log
        self._guest = Guest("")
        self._dialogue: Dialogue | None = None
        self._work: asyncio.Task[None] | None = None
        self._deflate: Deflate | None = None
        self._can_write = asyncio.Event()
        self._can_write.set()
        self._has_place = False
        self._network: str | None = None
        self._overdue_s = math.inf
        self._rests_s = math.inf
        self._farewell = ""  # to be said once the work is done
        self.is_gone = False
        """Whether nobody is there any more to be told anything."""

    # Called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, if there is room."""
        service = self._service
        self._wire = Wire(cast("asyncio.Transport", transport))
        self._loop = asyncio.get_running_loop()
        service.metrics.connections += 1
        service.metrics.open_connections += 1
        service.sessions.add(self)
        self._guest = Guest(self._wire.peer[0])
        self._log = service.log.bind(session=service.sessions.new_id(), client=self._guest.key)
        if not self._enter():
            self._turn_away()
        elif self._door.begins_with_tls:
            self.start_tls()
        else:
            self._greet(encrypted=False)

    def data_received(self, data: bytes) -> None:
        """Take octets, in the clear or inside TLS."""
        was_starting = self._wire.in_handshake
        try:
            octets = self._wire.receive(data)
        except TlsError as error:
            self._log.info("TLS failed", reason=str(error))
            self._wire.close()
            return
        if was_starting and not self._wire.in_handshake:
            self._go_on_encrypted()
        if octets:
            self._take(octets)
        if self._wire.has_ended and not self.eof_received():
            self._wire.close()

    def pause_writing(self) -> None:
        """Make no more until the client has read what there is (attack S-2)."""
        self._can_write.clear()
        self._overdue_s = min(self._overdue_s, self._loop.time() + READ_S)
        self._control_reading()

    def resume_writing(self) -> None:
        """Go on."""
        self._can_write.set()
        self._prolong()
        self._control_reading()

    def eof_received(self) -> bool:
        """Close when the client sends no more, once its last command is answered."""
        if self._work is None:
            return False
        self._farewell = self._farewell or "Bye"
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Give back what was taken, behind the work that is under way."""
        self.is_gone = True
        self._can_write.set()
        service = self._service
        service.metrics.open_connections -= 1
        if self._has_place:
            service.connections.leave(self._network)
        if self._work is None:
            self._start_work()

    # Called by the program

    def end(self) -> None:
        """End from our side, when what is under way is done."""
        self._say_farewell(_ENDING)

    def wake(self, shared: SharedLook) -> None:
        """Look for news in the mailbox that is selected."""
        if self._dialogue is not None:
            self._dialogue.note_news(shared)
            self._advance()

    def check_time(self, now_s: float) -> None:
        """End what waits for too long, and have who is silent rest."""
        if self._is_known and self._work is not None and self._can_write.is_set():
            self._prolong()
        elif now_s >= self._overdue_s:
            is_stuck = self._wire.is_closing or self._wire.in_handshake or not self._can_write.is_set()
            if is_stuck or self._work is not None:  # that of a stranger: logins, one after another
                self._wire.abort()
            else:
                self._say_farewell(_OVERDUE)
        elif now_s >= self._rests_s:
            self._rest()

    # Called by the dialogue

    def send(self, octets: bytes) -> None:
        """Send octets."""
        if not octets or self.is_gone:
            return
        if self._deflate is not None:
            octets = self._deflate.compress(octets)
        self._service.metrics.octets_out += len(octets)
        self._wire.send(octets)

    async def wait_until_read(self) -> None:
        """Wait until there is room for more to send, or nobody to send it to."""
        self._control_reading()
        await self._can_write.wait()

    def start_tls(self) -> None:
        """Take what comes from now on for TLS."""
        self._overdue_s = self._loop.time() + HANDSHAKE_S
        self._wire.start_tls(self._service.tls.make_layer())

    def start_compression(self) -> None:
        """Take what comes from now on for compressed, and compress what goes."""
        self._deflate = Deflate()

    def close(self) -> None:
        """Close once the client has read what was sent."""
        if not self._wire.is_closing:
            self._overdue_s = self._loop.time() + CLOSE_S
            self._wire.close()

    # Inside

    def _enter(self) -> bool:
        """Have a place among all connections and among those of the network, or tell that there is none."""
        connections = self._service.connections
        if connections.take_place() is not None:
            return False
        self._has_place = True
        network = _NETWORKS.find(self._guest.address)
        if connections.enter(network, ServiceClass.NORMAL) is not None:
            return False
        self._network = network
        return True

    def _turn_away(self) -> None:
        self._service.metrics.refused_connections += 1
        self._log.warning("turned away", reason="too many connections")
        if not self._door.begins_with_tls:
            self._wire.send(_FULL)
        self._wire.close()

    def _greet(self, *, encrypted: bool) -> None:
        self._overdue_s = self._loop.time() + STRANGER_S
        core = ServerConnection(self._service.settings, encrypted=encrypted)
        self._dialogue = Dialogue(self._service, self, core, self._guest, self._log)
        self._advance()

    def _go_on_encrypted(self) -> None:
        if self._dialogue is None:
            self._greet(encrypted=True)
        else:
            self._overdue_s = self._loop.time() + STRANGER_S
            self._dialogue.core.tls_started()

    def _take(self, octets: bytes) -> None:
        self._service.metrics.octets_in += len(octets)
        if self._dialogue is None:
            return
        self._prolong()
        if self._deflate is None:
            self._dialogue.core.receive(octets)
        else:
            self._deflate.receive(octets)
            self._inflate()
        if self._dialogue.core.is_amid_command:
            self._wire.acknowledge()
        self._control_reading()
        self._advance()

    def _inflate(self) -> bool:
        """Give the core no more at once than it would be given uncompressed; tell whether it was any."""
        if self._deflate is None or self._dialogue is None:
            return False
        core = self._dialogue.core
        given = False
        try:
            while core.pending_octets < MOST_PENDING_OCTETS and (octets := self._deflate.inflate()):
                core.receive(octets)
                given = True
        except CompressionError as error:
            self._log.info("compression failed", reason=str(error))
            self._wire.close()
        return given

    def _control_reading(self) -> None:
        if self._dialogue is None or self.is_gone:
            return
        self._inflate()
        is_full = self._dialogue.core.pending_octets >= MOST_PENDING_OCTETS
        self._wire.set_reading(wanted=self._can_write.is_set() and not is_full)

    @property
    def _is_known(self) -> bool:
        return self._dialogue is not None and self._dialogue.is_logged_in

    def _prolong(self) -> None:
        """Allow more time; who has not logged in has none but that from the beginning."""
        if self._is_known and not self._wire.is_closing:
            now_s = self._loop.time()
            self._overdue_s, self._rests_s = now_s + self._service.idle_timeout_s, now_s + REST_S

    def _rest(self) -> None:
        self._rests_s = math.inf
        if self._dialogue is not None:
            self._dialogue.note_silence()
            self._advance()

    def _say_farewell(self, text: str) -> None:
        if self._work is not None:
            self._farewell = text
        elif self._dialogue is None or self._wire.in_handshake:
            self._wire.abort()
        else:
            self._dialogue.core.close(text)
            self._advance()

    def _advance(self) -> None:
        """Have the dialogue go on, unless it does."""
        if self._work is None and not self.is_gone:
            self._start_work()

    def _start_work(self) -> None:
        self._work = self._loop.create_task(self._do_work())

    async def _do_work(self) -> None:
        was_stranger = self._dialogue is not None and not self._dialogue.is_logged_in
        try:
            await self._talk()
            if was_stranger and self._can_write.is_set():  # who has logged in meanwhile has more time
                self._prolong()
        except BrokenOffError as error:
            self._log.warning("broken off", reason=str(error), cause=repr(error.__cause__))
            self._wire.abort()
        except Exception as error:  # noqa: BLE001 - a defect of ours ends this session and no other
            self._log.error("defect", what="a session", error=repr(error), trace=traceback.format_exc())
            self._wire.abort()
        finally:
            self._work = None
        if self.is_gone:
            self._service.sessions.discard(self)

    async def _talk(self) -> None:
        dialogue = self._dialogue
        if dialogue is None:
            return
        while not self.is_gone:
            await dialogue.advance()
            if not self._inflate():
                break
        self._control_reading()  # what was passed over without an event has made room
        if self.is_gone:
            await dialogue.end()
        elif self._farewell:
            dialogue.core.close(self._farewell)
            await dialogue.advance()
