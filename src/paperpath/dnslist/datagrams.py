"""Queries by UDP: each is answered where it came from, or not at all (RFC 1035 §4.2.1)."""

import asyncio
from contextlib import suppress
from typing import cast

from paperpath.dnslist.answering import Speak


class DatagramServer(asyncio.DatagramProtocol):
    """One socket. While the kernel takes no more answers, queries are dropped: who asks will ask again."""

    def __init__(self, answer: Speak) -> None:
        """Answer by `answer`."""
        self._answer = answer
        self._transport: asyncio.DatagramTransport | None = None
        self._is_full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket."""
        # Neither asyncio's own before Python 3.12 nor uvloop's is an instance of that.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer a query."""
        if self._is_full or self._transport is None:
            return
        octets = self._answer(data)
        if octets is not None:
            with suppress(OSError):  # such as to port 0, which nobody asks from but to make mischief
                self._transport.sendto(octets, addr)

    def error_received(self, exc: Exception) -> None:
        """Pass over who is not there any more."""

    def pause_writing(self) -> None:
        """Drop queries from now on."""
        self._is_full = True

    def resume_writing(self) -> None:
        """Answer again."""
        self._is_full = False
