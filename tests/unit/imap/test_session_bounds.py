"""A session over a transport of our own making: what it reads, what it holds, how long it lives (P6, S-2)."""

import asyncio
import socket
import zlib
from collections.abc import Awaitable, Callable
from typing import Any, cast

from paperpath.imap.extensions import Extension
from paperpath.imap.metrics import ImapMetrics
from paperpath.imap.service import STRANGER_S, Service
from paperpath.imap.session import MOST_PENDING_OCTETS, Session
from paperpath.imap.settings import Settings
from paperpath.imap.turns import Turns
from paperpath.imap.watch import Watch
from paperpath.intake.connections import Connections
from paperpath.intake.guest import Door
from paperpath.intake.sessions import Sessions
from paperpath.service.log import open_log

MORE = 2 * MOST_PENDING_OCTETS


class Transport(asyncio.Transport):
    """Notes what a session does with it, and with its socket, which it is as well.

    `is_slow`: whoever is at the other end does not read.
    """

    def __init__(self) -> None:
        super().__init__()
        self.session: Session
        self.written = b""
        self.reading = True
        self.is_slow = False
        self.aborted = False
        self.acknowledgements = 0

    def get_extra_info(self, name: str, default: object = None) -> object:
        return {"peername": ("192.0.2.1", 40000), "socket": self}.get(name, default)

    def fileno(self) -> int:
        return 1

    def setsockopt(self, level: int, option: int, value: int) -> None:
        assert (level, option, value) == (socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        self.acknowledgements += 1

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data
        if self.is_slow:
            self.session.pause_writing()

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True

    def is_reading(self) -> bool:
        return self.reading

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class NeverDone:
    """Judges logins for ever."""

    async def judge(self, event: object, guest: object) -> None:
        await asyncio.Event().wait()


def run(scene: Callable[[Transport], Awaitable[None]]) -> None:
    """Play a scene with a session that has greeted a client."""

    async def play() -> None:
        turns = Turns(1)
        settings = Settings(
            "imap.here.example", 1000, extensions=frozenset(Extension), tls=True, auth_in_clear=True
        )
        nobody = cast("Any", None)  # begins TLS
        service = Service(
            settings,
            nobody,
            cast("Any", NeverDone()),
            Sessions(),
            Connections(9, 9),
            turns,
            Watch(lambda: None),
            ImapMetrics(),
            open_log("test"),
            1800.0,
            lambda: 0,
        )
        transport = Transport()
        transport.session = Session(service, Door.CLEAR)
        transport.session.connection_made(transport)
        await settle()
        await scene(transport)
        transport.session.connection_lost(None)
        await settle()
        turns.close()

    asyncio.run(play())


async def settle() -> None:
    """Let what was begun come to an end."""
    for _ in range(50):
        await asyncio.sleep(0)


def test_K8_reading_goes_on_behind_a_long_literal_that_is_passed_over() -> None:
    async def scene(transport: Transport) -> None:
        transport.session.data_received(b"a NONSENSE {%d+}\r\n" % (2 * MORE) + bytes(MORE))
        assert not transport.is_reading()
        await settle()
        assert transport.is_reading()
        transport.session.data_received(bytes(MORE) + b"\r\nb NOOP\r\n")
        await settle()
        assert [line[:4] for line in transport.written.splitlines()[1:]] == [b"a BA", b"b OK"]

    run(scene)


def test_P6_reading_goes_on_behind_a_line_that_is_too_long() -> None:
    async def scene(transport: Transport) -> None:
        transport.session.data_received(b"a NOOP " + b"x" * MORE)
        await settle()
        assert transport.is_reading()
        transport.session.data_received(b"\r\nb NOOP\r\n")
        await settle()
        assert [line[:4] for line in transport.written.splitlines()[1:]] == [b"a BA", b"b OK"]

    run(scene)


def test_S2_what_is_compressed_comes_to_its_end_though_little_is_unpacked_at_a_time() -> None:
    async def scene(transport: Transport) -> None:
        transport.session.start_compression()
        packer = zlib.compressobj(wbits=-15)
        said = b"a NONSENSE {%d+}\r\n" % (20 * MORE) + bytes(20 * MORE) + b"\r\nb NOOP\r\n"
        transport.session.data_received(packer.compress(said) + packer.flush(zlib.Z_SYNC_FLUSH))
        before = transport.written
        await settle()
        heard = zlib.decompressobj(-15).decompress(transport.written[len(before) :])
        assert [line[:4] for line in heard.splitlines()] == [b"a BA", b"b OK"]

    run(scene)


def test_S2_no_more_is_answered_than_the_client_reads() -> None:
    async def scene(transport: Transport) -> None:
        transport.is_slow = True
        transport.session.data_received(b"a CAPABILITY\r\n" * 5000)
        await settle()
        assert transport.written.count(b"a OK") == 1
        transport.is_slow = False
        transport.session.resume_writing()
        for _ in range(1000):
            await settle()
        assert transport.written.count(b"a OK") == 5000

    run(scene)


def test_S2_who_reads_nothing_has_no_more_time_to_log_in_than_others() -> None:
    async def scene(transport: Transport) -> None:
        transport.session.pause_writing()
        transport.session.resume_writing()
        transport.session.pause_writing()
        now_s = asyncio.get_running_loop().time()
        transport.session.check_time(now_s + STRANGER_S - 1)
        assert not transport.aborted
        transport.session.check_time(now_s + STRANGER_S + 1)
        assert transport.aborted

    run(scene)


def test_S7_who_guesses_on_and_on_has_no_more_time_than_others() -> None:
    async def scene(transport: Transport) -> None:
        transport.session.data_received(b"a LOGIN tim guess\r\n")
        await settle()
        now_s = asyncio.get_running_loop().time()
        transport.session.check_time(now_s + STRANGER_S - 1)
        assert not transport.aborted
        transport.session.check_time(now_s + STRANGER_S + 1)
        assert transport.aborted

    run(scene)


def test_K30_who_sends_the_end_of_a_literal_by_itself_need_not_wait_for_the_kernel_to_acknowledge() -> None:
    async def scene(transport: Transport) -> None:
        acknowledged = []
        for octets in (b"a NOOP\r\n", b"b LOGIN {3}\r\n", b"j", b"oe", b" {6}\r\n", b"secret", b"\r\n"):
            before = transport.acknowledgements
            transport.session.data_received(octets)
            await settle()
            acknowledged += [octets] if transport.acknowledgements > before else []
        assert acknowledged == [b"j", b"oe", b" {6}\r\n", b"secret", b"\r\n"]

    run(scene)
