"""The channel between smtprcd and one relay client: records over a socket pair, for either end.

Whoever dies closes its end, and the other notices: smtprcd settles what the client had begun, a client stops
before it ends another message (promise P2). What is sent in one turn of the event loop goes out together: a
turn of smtprcd is many jobs, and many answers come to a client at once.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Self, cast

from paperpath.remote.jobs import FromClient, FromScheduler, RecordError, RecordReader, write_record


class Channel(asyncio.Protocol):
    """One end. `take` gets each record; `end` is called once, with what broke it, if anything did."""

    def __init__(
        self, connection: socket.socket, take: Callable[[bytes], None], end: Callable[[str], None]
    ) -> None:
        """Wait for the event loop to have the connection."""
        self._socket = connection
        self._take = take
        self._end = end
        self._reader = RecordReader()
        self._waiting: list[bytes] = []
        self._trouble = ""

    @classmethod
    async def open(
        cls, connection: socket.socket, take: Callable[[bytes], None], end: Callable[[str], None]
    ) -> Self:
        """Speak over one of a pair of sockets, which is the channel's from now on."""
        loop = asyncio.get_running_loop()
        _, channel = await loop.create_unix_connection(lambda: cls(connection, take, end), sock=connection)
        return channel

    @property
    def is_whole(self) -> bool:
        """Whether the other end is there this very moment, whatever the event loop knows of it."""
        if self._transport.is_closing():
            return False
        try:
            return bool(self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def send(self, value: FromScheduler | FromClient) -> None:
        """Send a record, if there is somebody to send it to."""
        self._waiting.append(write_record(value))
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._write)

    def close(self) -> None:
        """Close once what was sent is on its way."""
        self._write()
        self._transport.close()

    # Called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Hand on what is whole; whoever sends nonsense is not listened to any more."""
        try:
            for record in self._reader.feed(data):
                self._take(record)
        except RecordError as error:
            self._trouble = str(error)
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell that it is over."""
        self._end(self._trouble or ("" if exc is None else str(exc)))

    # Inside

    def _write(self) -> None:
        records, self._waiting = self._waiting, []
        if records and not self._transport.is_closing():
            self._transport.writelines(records)
