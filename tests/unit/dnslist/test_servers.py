"""The servers of dnslistd over transports of a test's own: pieces, bounds, silence (P6)."""

import asyncio
from collections.abc import Coroutine
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.dnslist.datagrams import DatagramServer
from paperpath.dnslist.streams import StreamServer, Visits
from tests.support.lists import Skipping

PEER = ("192.0.2.1", 5353)


def echo(octets: bytes) -> bytes | None:
    """Answer with the query; what begins with an exclamation mark deserves none."""
    return None if octets.startswith(b"!") else b"<" + octets + b">"


def framed(octets: bytes) -> bytes:
    return len(octets).to_bytes(2, "big") + octets


class Transport(asyncio.Transport):
    """Keeps what is written; says after so many messages that it takes no more."""

    def __init__(self, room: int = 1_000_000) -> None:
        super().__init__()
        self.server: StreamServer | DatagramServer | None = None
        self.room = room
        self.written = bytearray()
        self.sent: list[tuple[bytes, object]] = []
        self.reads = True
        self.pauses = 0
        self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data
        self.room -= 1
        if self.room == 0:
            assert self.server is not None
            self.server.pause_writing()

    def sendto(self, data: bytes, addr: object) -> None:
        if addr == ("192.0.2.1", 0):
            raise OSError("Invalid argument")
        self.sent.append((data, addr))

    def abort(self) -> None:
        self.is_closed = True
        assert isinstance(self.server, StreamServer)
        self.server.connection_lost(None)

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None:
        self.reads = False
        self.pauses += 1

    def resume_reading(self) -> None:
        self.reads = True


def connect(visits: Visits, room: int = 1_000_000) -> tuple[StreamServer, Transport]:
    server, transport = StreamServer(visits), Transport(room)
    transport.server = server
    server.connection_made(transport)
    return server, transport


def run(work: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=Skipping) as runner:
        runner.run(work)


@given(st.lists(st.binary(max_size=40).filter(lambda one: not one.startswith(b"!")), max_size=5), st.data())
def test_queries_by_tcp_are_answered_in_order_however_they_are_cut(queries, data):
    async def work() -> None:
        server, transport = connect(Visits(echo))
        octets = b"".join(map(framed, queries))
        while octets:
            size = data.draw(st.integers(1, len(octets)))
            server.data_received(octets[:size])
            octets = octets[size:]
        assert transport.written == b"".join(framed(b"<" + query + b">") for query in queries)
        transport.abort()

    run(work())


def test_who_says_what_deserves_no_answer_is_sent_away():
    async def work() -> None:
        visits = Visits(echo)
        server, transport = connect(visits)
        server.data_received(framed(b"a") + framed(b"!") + framed(b"b"))
        assert transport.written == framed(b"<a>")
        assert transport.is_closed
        assert len(visits) == 0

    run(work())


def test_P6_who_reads_no_answers_is_not_read_from():
    async def work() -> None:
        server, transport = connect(Visits(echo), room=2)
        server.data_received(framed(b"a") * 1000)
        assert transport.written == framed(b"<a>") * 2
        assert transport.pauses == 1
        transport.room = 5
        server.resume_writing()
        assert transport.written == framed(b"<a>") * 7
        assert transport.pauses == 2
        transport.room = 1000
        server.resume_writing()
        assert transport.written == framed(b"<a>") * 1000
        assert transport.pauses == 2
        assert transport.reads
        transport.abort()

    run(work())


def test_P6_who_is_silent_is_not_waited_for():
    async def work() -> None:
        server, transport = connect(Visits(echo, silence_s=10))
        await asyncio.sleep(9)
        server.data_received(framed(b"a"))
        await asyncio.sleep(9)
        server.data_received(b"\0")  # of a query that never comes whole
        assert not transport.is_closed
        await asyncio.sleep(1.5)
        assert transport.is_closed

    run(work())


def test_P6_who_comes_when_all_places_are_taken_has_that_of_the_most_silent():
    async def work() -> None:
        visits = Visits(echo, most=2)
        first, one = connect(visits)
        _, two = connect(visits)
        first.data_received(framed(b"a"))
        _, three = connect(visits)
        assert [each.is_closed for each in (one, two, three)] == [False, True, False]
        assert len(visits) == 2
        visits.end()
        assert all(each.is_closed for each in (one, two, three))
        assert len(visits) == 0

    run(work())


def test_a_datagram_is_answered_where_it_came_from_or_not_at_all():
    server, transport = DatagramServer(echo), Transport()
    server.datagram_received(b"early", PEER)
    server.connection_made(cast("asyncio.BaseTransport", transport))
    for query in (b"a", b"!", b""):
        server.datagram_received(query, PEER)
    server.datagram_received(b"a", ("192.0.2.1", 0))
    server.error_received(ConnectionRefusedError())
    assert transport.sent == [(b"<a>", PEER), (b"<>", PEER)]


@pytest.mark.parametrize("queries", [1, 1000])
def test_P6_datagrams_are_dropped_while_no_answer_can_go_out(queries):
    server, transport = DatagramServer(echo), Transport()
    server.connection_made(cast("asyncio.BaseTransport", transport))
    server.pause_writing()
    for _ in range(queries):
        server.datagram_received(b"a", PEER)
    assert transport.sent == []
    server.resume_writing()
    server.datagram_received(b"b", PEER)
    assert transport.sent == [(b"<b>", PEER)]
