"""Queries by TCP, one after another over a connection (RFC 1035 §4.2.2, RFC 7766), within bounds (P6).

There are so many connections at once; who comes when all are taken takes the place of who has been silent
for longest. A client that does not read its answers is not read from either.
"""

import asyncio
from collections import OrderedDict
from typing import cast

from paperpath.dnslist.answering import Speak

MOST_CONNECTIONS = 200
SILENCE_S = 10.0
"""Seconds between queries; RFC 7766 §6.2.3 asks for some."""
_LENGTH_OCTETS = 2


class Visits:
    """The connections that are open, who has been silent for longest first."""

    def __init__(self, answer: Speak, most: int = MOST_CONNECTIONS, silence_s: float = SILENCE_S) -> None:
        """Answer by `answer`."""
        self.answer = answer
        self.silence_s = silence_s
        self._most = most
        self._visits: OrderedDict[StreamServer, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._visits)

    def enter(self, visit: "StreamServer") -> None:
        """Let one in, and another one out if there are too many."""
        self._visits[visit] = None
        if len(self._visits) > self._most:
            next(iter(self._visits)).end()

    def hear(self, visit: "StreamServer") -> None:
        """Note that one has said something."""
        self._visits.move_to_end(visit)

    def leave(self, visit: "StreamServer") -> None:
        """Let one out."""
        self._visits.pop(visit, None)

    def end(self) -> None:
        """End all."""
        for visit in list(self._visits):
            visit.end()


class StreamServer(asyncio.Protocol):
    """One connection."""

    def __init__(self, visits: Visits) -> None:
        """Answer as the others do."""
        self._visits = visits
        self._octets = bytearray()
        self._transport: asyncio.Transport | None = None
        self._silence: asyncio.TimerHandle | None = None
        self._is_full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for a query, but not for ever."""
        self._transport = cast("asyncio.Transport", transport)
        self._visits.enter(self)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Answer what is complete."""
        self._octets += data
        self._answer_all()

    def connection_lost(self, exc: Exception | None) -> None:
        """Make room."""
        self._transport = None
        if self._silence is not None:
            self._silence.cancel()
        self._visits.leave(self)

    def pause_writing(self) -> None:
        """Read no more until our answers are read."""
        self._is_full = True
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Answer what has come meanwhile."""
        self._is_full = False
        self._answer_all()
        if not self._is_full and self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def end(self) -> None:
        """Close, whatever is on its way."""
        self._visits.leave(self)
        if self._transport is not None:
            self._transport.abort()

    def _answer_all(self) -> None:
        start = 0
        while not self._is_full and self._transport is not None:
            begin = start + _LENGTH_OCTETS
            end = begin + int.from_bytes(self._octets[start:begin], "big")
            if len(self._octets) < max(begin, end):
                break
            octets = self._visits.answer(bytes(self._octets[begin:end]))
            if octets is None:  # who says what deserves no answer says no more
                self.end()
                return
            start = end
            self._transport.write(len(octets).to_bytes(_LENGTH_OCTETS, "big") + octets)
        if start:
            del self._octets[:start]
            self._visits.hear(self)
            self._wait()

    def _wait(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
        self._silence = asyncio.get_running_loop().call_later(self._visits.silence_s, self.end)
