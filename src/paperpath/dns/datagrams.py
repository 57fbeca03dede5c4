"""Questions by UDP, to one server (RFC 1035 §4.2.1, RFC 5452).

Used by channel.py. The socket is connected, so the kernel drops what other addresses send. Whoever forges an
answer must guess the query's number and, where the server is not on this host, the port as well. What is no
answer to a question that is in flight is dropped, and the question stays in flight.
"""

import asyncio
from random import Random
from typing import cast

from paperpath.config.endpoint import Endpoint
from paperpath.dns.wire import Question, Reading, make_query, read_answer, read_number


class Datagrams(asyncio.DatagramProtocol):
    """A socket and the questions that are in flight over it, by their numbers."""

    def __init__(self, random: Random, *, trusted: bool) -> None:
        """Ask nothing yet."""
        self._random = random
        self._trusted = trusted
        self._flying: dict[int, tuple[Question, asyncio.Future[Reading]]] = {}
        self._transport: asyncio.DatagramTransport | None = None

    @property
    def is_open(self) -> bool:
        """Whether questions can be asked."""
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, question: Question) -> Reading:
        """Ask, and wait for the answer as long as it takes. Raises: OSError, where nobody is there."""
        assert self._transport is not None
        number = self._choose_number()
        coming: asyncio.Future[Reading] = asyncio.get_running_loop().create_future()
        self._flying[number] = question, coming
        try:
            self._transport.sendto(make_query(question, number))
            return await coming
        finally:
            del self._flying[number]

    def close(self) -> None:
        """Close the socket; what is in flight fails."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket."""
        # Neither asyncio's own before Python 3.12 nor uvloop's is an instance of that.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Give an answer to whoever waits for it."""
        question, coming = self._flying.get(read_number(data), (None, None))
        if question is None or coming is None or coming.done():
            return
        reading = read_answer(data, question, trusted=self._trusted)
        if reading is not None:
            coming.set_result(reading)

    def error_received(self, exc: Exception) -> None:
        """Tell all who wait that nobody is there (ICMP)."""
        self._fail(exc)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell all who wait that the socket is gone."""
        self._transport = None
        self._fail(exc or ConnectionAbortedError("closed"))

    def _choose_number(self) -> int:
        while (number := self._random.randrange(2**16)) in self._flying:
            pass
        return number

    def _fail(self, error: Exception) -> None:
        for _, coming in self._flying.values():
            if not coming.done():
                coming.set_exception(error)


async def open_datagrams(server: Endpoint, random: Random) -> Datagrams:
    """Open a socket, from a port that the kernel chooses at random. Raises: OSError."""
    _, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Datagrams(random, trusted=server.is_loopback), remote_addr=(server.host, server.port)
    )
    return protocol
