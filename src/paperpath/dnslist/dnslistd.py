"""dnslistd, the DNS server for lists of one's own: answers by UDP and TCP for the zones of `[dnslistd]`.

It is no resolver, and knows nothing but its zones. Files are looked at every second and read in a thread, so
whoever asks meanwhile is answered by what was there before.
"""

import asyncio
import os
import socket
from collections.abc import Coroutine
from contextlib import ExitStack
from functools import partial

from paperpath.config.loader import Document
from paperpath.dnslist.answering import MOST_TCP_OCTETS, MOST_UDP_OCTETS, answer
from paperpath.dnslist.datagrams import DatagramServer
from paperpath.dnslist.ports import list_ports
from paperpath.dnslist.shelf import Change, Shelf
from paperpath.dnslist.streams import StreamServer, Visits
from paperpath.service.errors import ServiceError
from paperpath.service.listener import BACKLOG
from paperpath.service.log import Log
from paperpath.service.metrics import DnslistMetrics, Family
from paperpath.service.program import Life, make_command
from paperpath.service.tls.key_files import Reader

NAME = "dnslistd"
LOOK_EVERY_S = 1.0


def open_sockets(life: Life) -> None:
    """Open the ports, with the privileges that are dropped then. Raises: ServiceError."""
    if life.configuration.dnslistd is None:
        raise ServiceError("there is no table [dnslistd] in the configuration", os.EX_CONFIG)
    life.listen(list_ports(life.configuration))


async def publish(life: Life) -> None:
    """Answer until the end is asked for. Raises: ServiceError, where a list cannot be read."""
    desk = _Desk(await asyncio.to_thread(Shelf, life.configuration), life.log)
    life.measure(desk.measure)
    life.call_at_reload(desk.renew)
    with ExitStack() as opened:
        for listener in life.listeners:
            server = await _serve(listener, desk)
            opened.callback(server.close)
        opened.callback(desk.visits.end)
        entries = ", ".join(f"{name} ({count})" for name, count in desk.shelf.entries.items())
        life.ready(f"publishing {entries}")
        await desk.look_until(life.wait_for_end())


class _Desk:
    """The lists of the moment, and who answers by them."""

    def __init__(self, shelf: Shelf, log: Log) -> None:
        self.shelf = shelf
        self.visits = Visits(partial(self.answer, most_octets=MOST_TCP_OCTETS))
        self._metrics = DnslistMetrics()
        self._log = log
        self._looking = asyncio.Lock()

    def answer(self, octets: bytes, most_octets: int) -> bytes | None:
        """Answer a query; `None`: say nothing."""
        said = answer(octets, self.shelf.zones, most_octets)
        if said is None:
            self._metrics.unanswered += 1
            return None
        self._metrics.answers.add((said.zone, said.outcome.value))
        return said.octets

    def measure(self) -> list[Family]:
        """Return the numbers of this moment."""
        return self._metrics.families(self.shelf.entries, self.shelf.broken, len(self.visits))

    async def renew(self, document: Document, _: Reader) -> None:
        """Take the lists of another configuration. Raises: ServiceError; then the old ones stay."""
        made = await asyncio.to_thread(Shelf, document.configuration)
        async with self._looking:
            self.shelf = made

    async def look_until(self, end: Coroutine[None, None, None]) -> None:
        """Look every now and then whether a file was replaced."""
        ending = asyncio.ensure_future(end)
        while not ending.done():
            await asyncio.wait({ending}, timeout=LOOK_EVERY_S)
            async with self._looking:
                for change in await asyncio.to_thread(self.shelf.look):
                    self._tell(change)

    def _tell(self, change: Change) -> None:
        if change.zone is None:
            self._log.error("list refused, the old one stays", zone=change.name, reason=change.trouble)
        else:
            self._log.info("list read", zone=change.name, entries=change.zone.entries.entries)


async def _serve(listener: socket.socket, desk: _Desk) -> asyncio.Server | asyncio.BaseTransport:
    loop = asyncio.get_running_loop()
    if listener.type is socket.SOCK_DGRAM:
        by_udp = partial(desk.answer, most_octets=MOST_UDP_OCTETS)
        transport, _ = await loop.create_datagram_endpoint(partial(DatagramServer, by_udp), sock=listener)
        return transport
    return await loop.create_server(partial(StreamServer, desk.visits), sock=listener, backlog=BACKLOG)


main = make_command(NAME, "Publishes lists of one's own in the DNS.", publish, open_sockets)

if __name__ == "__main__":
    main()
