"""A connection to the sink: carries out what its dialogue wants done, pauses and cuts included.

Made by the sink for each client; called by the event loop.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, cast

from paperpath.service.tls.layer import TlsError, TlsLayer
from paperpath.service.wire import Wire
from paperpath.testing.sink_books import Books
from paperpath.testing.sink_dialogue import Dialogue
from paperpath.testing.sink_options import SinkOptions
from paperpath.testing.sink_script import Act, Director, Ending

_MOST_PENDING_OCTETS = 65536  # of what comes while a reply waits
_FLOOD_OCTETS = 65536
_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: closing throws away what waits, and sends a RST


@dataclass
class SinkService:
    """What all connections of a sink share."""

    options: SinkOptions
    director: Director
    books: Books
    make_layer: Callable[[], TlsLayer] | None
    connections: set["SinkConnection"] = field(default_factory=set)


class SinkConnection(asyncio.Protocol):
    """One client."""

    def __init__(self, service: SinkService) -> None:
        """Wait for the event loop to connect it."""
        self._service = service
        self._output: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None  # while a reply waits, or a stall
        self._is_deaf = False  # nothing that comes is of interest any more
        self._is_ending = False  # by us
        self._flood = b""
        self._may_write = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport = cast("asyncio.Transport", transport)
        self._wire = Wire(self._transport)
        service = self._service
        service.connections.add(self)
        host, port = self._wire.peer
        peer = f"{host}:{port}" if host else "local"
        self._dialogue = Dialogue(service.options, service.director, service.books, peer)
        service.books.tell("connected", self._dialogue.number, peer=peer)
        if service.options.tls_at_once:
            self._start_tls()
        else:
            self._greet()

    def data_received(self, data: bytes) -> None:
        """Hand octets to the dialogue, and do what it wants."""
        if self._is_deaf:
            return
        was_in_handshake = self._wire.in_handshake
        try:
            octets = self._wire.receive(data)
        except TlsError as error:
            self._service.books.note_violation(self._dialogue.number, "TLS failed", str(error))
            self.abort()
            return
        if was_in_handshake and not self._wire.in_handshake:
            self._leave_handshake()
        self._dialogue.receive(octets, answered=self._timer is None)
        if self._timer is None:
            self._work()
        elif self._dialogue.pending_octets > _MOST_PENDING_OCTETS:
            self._wire.set_reading(wanted=False)
        if self._wire.has_ended:
            self._transport.close()

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        self._may_write = False

    def resume_writing(self) -> None:
        """Go on with a reply that never ends."""
        self._may_write = True
        self._go_on_flooding()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client."""
        if self._timer is not None:
            self._timer.cancel()
        self._flood = b""
        self._dialogue.lost(by_client=not self._is_ending)
        self._service.connections.discard(self)

    def abort(self) -> None:
        """Close at once."""
        self._is_deaf = self._is_ending = True
        self._wire.abort()

    def _greet(self) -> None:
        self._carry_out(self._dialogue.greet())
        self._send()

    def _work(self) -> None:
        while self._timer is None and not self._is_deaf:
            act = self._dialogue.next_act()
            if act is None:
                break
            self._carry_out(act)
        self._send()

    def _carry_out(self, act: Act) -> None:
        if act.pause_s:
            self._send()
            self._timer = asyncio.get_running_loop().call_later(act.pause_s, self._wake_up, act)
        else:
            self._do(act)

    def _wake_up(self, act: Act) -> None:
        self._timer = None
        self._do(act)
        self._wire.set_reading(wanted=True)
        self._work()

    def _do(self, act: Act) -> None:
        self._output.append(act.octets)
        if act.ending is not Ending.GO_ON:
            self._send()
            self._ENDINGS[act.ending](self, act)

    def _send(self) -> None:
        if self._output:
            self._wire.send(b"".join(self._output))
            self._output.clear()

    def _close(self, act: Act) -> None:
        self._is_deaf = self._is_ending = True
        self._wire.close()

    def _reset(self, act: Act) -> None:
        connection = self._transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.abort()

    def _stall(self, act: Act) -> None:
        """Say nothing more; what comes is read, so that the client's end is seen."""
        self._is_deaf = True
        self._timer = asyncio.get_running_loop().call_later(self._service.options.stall_s, self.abort)

    def _stop_reading(self, act: Act) -> None:
        self._stall(act)
        self._wire.set_reading(wanted=False)

    def _begin_flood(self, act: Act) -> None:
        self._is_deaf = True
        self._flood = act.octets * (_FLOOD_OCTETS // len(act.octets))
        self._go_on_flooding()

    def _go_on_flooding(self) -> None:
        if self._flood and self._may_write and not self._wire.is_closing:
            self._wire.send(self._flood)
            asyncio.get_running_loop().call_soon(self._go_on_flooding)

    def _begin_tls(self, act: Act) -> None:
        self._start_tls()

    def _start_tls(self) -> None:
        assert self._service.make_layer is not None
        self._wire.start_tls(self._service.make_layer())

    def _leave_handshake(self) -> None:
        facts = self._wire.tls_facts
        assert facts is not None
        self._dialogue.tls_started(facts.version)
        self._service.books.tell("tls", self._dialogue.number, version=facts.version, name=facts.server_name)
        if self._service.options.tls_at_once:
            self._greet()

    _ENDINGS: ClassVar[dict[Ending, Callable[["SinkConnection", Act], None]]] = {
        Ending.CLOSE: _close,
        Ending.RESET: _reset,
        Ending.STALL: _stall,
        Ending.DEAF: _stop_reading,
        Ending.FLOOD: _begin_flood,
        Ending.START_TLS: _begin_tls,
    }
