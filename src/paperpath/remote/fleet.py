"""The relay clients of smtprcd: their processes, what each has to do, and which of them does what.

A destination has a client of its own among them, so that one message after the other finds the connection
that was kept; under load its share of the others' connections is used as well.
"""

import asyncio
import socket
import sys
import zlib
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from paperpath.config.loader import Document
from paperpath.remote.channel import Channel
from paperpath.remote.jobs import Ahead, Drain, FromClient, Hello, Job, Settings, read_from_client
from paperpath.service.log import Log

_MODULE = "paperpath.remote.smtprc"
_FIRST_PAUSE_S = 0.1
_MOST_PAUSE_S = 30.0
_STEADY_S = 10.0  # who has lived that long is started again at once
_END_S = 2.0

Take = Callable[[FromClient], None]
Lose = Callable[[list[int]], None]


class RelayClient:
    """One process of smtprc, started anew when it dies."""

    def __init__(self, number: int, take: Take, lose: Lose, log: Log) -> None:
        """Prepare; `take` gets what it says, `lose` the numbers of the jobs that it died with."""
        self.number = number
        self.jobs: dict[int, str] = {}  # destinations by number of job
        self.by_destination: Counter[str] = Counter()
        self._take = take
        self._lose = lose
        self._log = log
        self._channel: Channel | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._gone = asyncio.Event()

    @property
    def is_there(self) -> bool:
        """Whether it can be given something to do."""
        return self._channel is not None

    def send(self, job: Job) -> None:
        """Give it a job."""
        assert self._channel is not None
        self.jobs[job.number] = job.destination
        self.by_destination[job.destination] += 1
        self._channel.send(job)

    def configure(self, settings: Settings) -> None:
        """Have new connections made as a configuration says."""
        if self._channel is not None:
            self._channel.send(settings)

    def drain(self) -> None:
        """Have it begin nothing more."""
        if self._channel is not None:
            self._channel.send(Drain())

    async def keep_alive(self, settings: Callable[[], Settings]) -> None:
        """Start it, wait for it to die, start it again, and so on."""
        loop = asyncio.get_running_loop()
        pause_s = 0.0
        while True:
            began_s = loop.time()
            try:
                await self._start(settings())
                await self._gone.wait()
            except OSError as error:  # a full process table passes
                self._log.error("cannot start a relay client", client=self.number, reason=str(error))
            finally:
                await self._end()
            pause_s = 0.0 if loop.time() - began_s > _STEADY_S else pause_s
            self._log.warning("a relay client is gone", client=self.number, again_in_s=pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(max(pause_s * 2, _FIRST_PAUSE_S), _MOST_PAUSE_S)

    async def _start(self, settings: Settings) -> None:
        self._gone.clear()
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    _MODULE,
                    "--channel",
                    str(theirs.fileno()),
                    stdin=asyncio.subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),),
                    start_new_session=True,  # smtprcd ends it, in order
                )
            except BaseException:
                ours.close()
                raise
        channel = await Channel.open(ours, self._read, self._lost)
        channel.send(Hello())
        channel.send(settings)
        self._channel = channel

    def _read(self, record: bytes) -> None:
        value = read_from_client(record)
        if isinstance(value, Ahead):
            if value.number not in self.jobs:
                return
        elif not isinstance(value, Hello):
            destination = self.jobs.pop(value.number, None)
            if destination is None:
                return
            self.by_destination[destination] -= 1
            if not self.by_destination[destination]:
                del self.by_destination[destination]
        self._take(value)

    def _lost(self, trouble: str) -> None:
        if trouble:
            self._log.error("a relay client is not understood", client=self.number, reason=trouble)
        self._channel = None
        lost = list(self.jobs)
        self.jobs.clear()
        self.by_destination.clear()
        self._gone.set()
        self._lose(lost)

    async def _end(self) -> None:
        """Let the process go: it ends by itself when the channel does."""
        if self._channel is not None:
            self._channel.close()
        process = self._process
        if process is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(_END_S):
                await process.wait()
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


class Fleet:
    """All relay clients, for the length of an `async with`."""

    def __init__(self, document: Document, take: Take, lose: Lose, log: Log) -> None:
        """Prepare as many as the configuration says."""
        self._document = document
        count = document.configuration.remote.clients
        self.clients = [RelayClient(number, take, lose, log) for number in range(count)]
        self._keepers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._keepers = [asyncio.create_task(client.keep_alive(self._settings)) for client in self.clients]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)

    def check(self) -> None:
        """Raise what has ended the keeping of a client: none ends by itself, and mail would wait for ever."""
        for keeper in self._keepers:
            if keeper.done():
                keeper.result()

    @property
    def is_there(self) -> bool:
        """Whether anybody can be given anything to do."""
        return any(client.is_there for client in self.clients)

    def choose(self, destination: str, most_connections: int) -> tuple[RelayClient, int]:
        """Choose who is to do something for a destination; and return its share of the connections.

        That is whoever has least to do for its share, and of several the destination's own.
        """
        there = [client for client in self.clients if client.is_there]
        first = zlib.crc32(destination.encode()) % len(there)
        shares = share_out(most_connections, len(there), first)
        loads = [
            ((client.by_destination[destination] + 1) / share, (number - first) % len(there), number)
            for number, (client, share) in enumerate(zip(there, shares, strict=True))
            if share
        ]
        _, _, number = min(loads)
        return there[number], shares[number]

    def configure(self, document: Document) -> None:
        """Have another configuration in force; there are as many clients as before."""
        self._document = document
        for client in self.clients:
            client.configure(self._settings())

    def drain(self) -> None:
        """Have nothing more begun."""
        for client in self.clients:
            client.drain()

    def _settings(self) -> Settings:
        return Settings(str(self._document.path.absolute()), self._document.text)


def share_out(most: int, count: int, first: int) -> list[int]:
    """Share connections out among clients; what is left over goes to the first, and on from there."""
    even, rest = divmod(most, count)
    return [even + ((number - first) % count < rest) for number in range(count)]
