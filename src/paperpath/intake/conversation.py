"""What a session is whatever service it gives: replies on their way out, and the end behind the last of them.

`Session` and `NullSession` are made of it. Promise: who does not read the last reply is not waited for longer
than he might have been silent.
"""

import asyncio
from typing import Generic, Protocol, TypeVar

from paperpath.intake.service import Service
from paperpath.service.wire import Wire
from paperpath.smtp.states import State

CLOSE_S = 30.0  # how long a client may take to read the last reply, if it may be silent for as long


class _Core(Protocol):
    @property
    def state(self) -> State: ...

    def octets_to_send(self) -> bytes: ...


_Speaker = TypeVar("_Speaker", bound=_Core)


class Conversation(asyncio.Protocol, Generic[_Speaker]):
    """One connection from its greeting on, as far as what is said."""

    def __init__(self, service: Service, wire: Wire, core: _Speaker) -> None:
        """Take over a connection; `core` has the greeting ready."""
        self._service = service
        self._wire = wire
        self._core = core
        self._loop = asyncio.get_running_loop()
        self._overdue_s = self._loop.time() + service.idle_timeout_s
        """When the client has been silent for too long, or has not read the last reply."""

    def _send(self) -> None:
        """Send what the core has to say; hang up if that was its last word."""
        octets = self._core.octets_to_send()
        if octets:
            self._service.metrics.octets_out += len(octets)
            self._wire.send(octets)
        if self._core.state is State.CLOSED:
            self._hang_up()

    def _hang_up(self) -> None:
        """Close once the client has read what was sent, or has had time enough to."""
        if not self._wire.is_closing:
            self._overdue_s = self._loop.time() + min(CLOSE_S, self._service.idle_timeout_s)
            self._wire.close()
