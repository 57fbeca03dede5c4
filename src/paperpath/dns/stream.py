"""A question by TCP, for an answer that is too long for a datagram (RFC 1035 §4.2.2, RFC 7766).

Used by channel.py. One connection for each question: few answers are that long.
"""

import asyncio

from paperpath.config.endpoint import Endpoint
from paperpath.dns.wire import Question, Reading, make_query, read_answer, read_number

_LENGTH_OCTETS = 2


class _Stream(asyncio.Protocol):
    """Gathers one message; what comes behind it is dropped."""

    def __init__(self) -> None:
        self.message: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._octets = bytearray()

    def data_received(self, data: bytes) -> None:
        if self.message.done():
            return
        self._octets += data
        end = _LENGTH_OCTETS + int.from_bytes(self._octets[:_LENGTH_OCTETS], "big")
        if len(self._octets) >= max(end, _LENGTH_OCTETS):
            self.message.set_result(bytes(self._octets[_LENGTH_OCTETS:end]))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.message.done():
            self.message.set_exception(exc or ConnectionResetError("closed without an answer"))
            self.message.exception()  # which nobody waits for who was cancelled meanwhile


async def ask_by_stream(server: Endpoint, question: Question, number: int) -> Reading:
    """Ask, and wait for the answer as long as it takes. Raises: OSError, also for what is no answer."""
    query = make_query(question, number)
    transport, protocol = await asyncio.get_running_loop().create_connection(
        _Stream, server.host, server.port
    )
    try:
        transport.write(len(query).to_bytes(_LENGTH_OCTETS, "big") + query)
        message = await protocol.message
    finally:
        transport.abort()
    reading = read_answer(message, question, trusted=server.is_loopback)
    if reading is None or read_number(message) != number:
        raise ConnectionAbortedError("what came is no answer")
    return reading
