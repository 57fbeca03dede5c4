"""The way to one server: by UDP, then by TCP where the answer is too long for that.

Used by the resolver. For a server on this host one socket serves all questions: nobody between can see or
forge anything. For any other, each question has a socket, and with it a port, of its own (RFC 5452 §9.2).
"""

import asyncio
from random import Random

from paperpath.config.endpoint import Endpoint
from paperpath.dns.datagrams import Datagrams, open_datagrams
from paperpath.dns.stream import ask_by_stream
from paperpath.dns.wire import Question, Reading


class Channel:
    """Asks one server."""

    def __init__(self, server: Endpoint, random: Random) -> None:
        """Open nothing yet."""
        self.server = server
        self._random = random
        self._shared: Datagrams | None = None
        self._opening = asyncio.Lock()

    async def ask(self, question: Question) -> Reading:
        """Ask, and wait for the answer as long as it takes. Raises: OSError, where there will be none."""
        reading = await (self._ask_shared if self.server.is_loopback else self._ask_fresh)(question)
        if reading.is_truncated:
            return await ask_by_stream(self.server, question, self._random.randrange(2**16))
        return reading

    def close(self) -> None:
        """Close the socket, if there is one."""
        if self._shared is not None:
            self._shared.close()

    async def _ask_shared(self, question: Question) -> Reading:
        async with self._opening:
            if self._shared is None or not self._shared.is_open:
                self._shared = await open_datagrams(self.server, self._random)
            datagrams = self._shared
        return await datagrams.ask(question)

    async def _ask_fresh(self, question: Question) -> Reading:
        datagrams = await open_datagrams(self.server, self._random)
        try:
            return await datagrams.ask(question)
        finally:
            datagrams.close()
