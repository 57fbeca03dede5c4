"""TLS clients of other projects, over loopback, on a server of a few lines that uses the TLS layer."""

import asyncio
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest

from paperpath.service.tls.cipher import format_cipher
from paperpath.service.tls.contexts import ServerTls
from paperpath.service.tls.layer import TlsError, TlsFacts, TlsState
from tests.support.peers import find_peer
from tests.support.tls import VERSIONS, TlsClient, make_client_context, write_certificate
from tests.unit.config.example import RIGHT, configure

pytestmark = [pytest.mark.interop, pytest.mark.slow]
PATIENCE_S = 20.0
TLS_1_1 = ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]


class Shouter(asyncio.Protocol):
    """Gives everything back in capitals; ends when the client ends or has said QUIT."""

    def __init__(self, server: "Server") -> None:
        self._server = server
        self._layer = server.tls.make_layer()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        try:
            plaintext = self._layer.receive(data)
        except TlsError as error:
            self._server.seen.append(str(error))
            self._end()
            return
        if plaintext:
            self._layer.send(plaintext.upper())
        if b"QUIT" in plaintext or self._layer.state is TlsState.HALF_CLOSED:
            self._end()
        self._transport.write(self._layer.octets_to_send())

    def connection_lost(self, exc: Exception | None) -> None:
        if self._layer.state is TlsState.HANDSHAKE:
            self._server.seen.append("no handshake")
        if self._layer.facts is not None:
            self._server.seen.append(self._layer.facts)
        self._server.gone.release()

    def _end(self) -> None:
        self._layer.close()
        self._transport.write(self._layer.octets_to_send())
        self._transport.close()


class Server:
    """The server, in a thread of its own. `seen` is what came of each connection, in order of their ends."""

    def __init__(self, tls: ServerTls) -> None:
        self.tls = tls
        self.port = 0
        self.seen: list[TlsFacts | str] = []
        self.gone = threading.Semaphore(0)

    @contextmanager
    def serve(self) -> Iterator[None]:
        started: Future[None] = Future()
        thread = threading.Thread(target=asyncio.run, args=(self._run(started),))
        thread.start()
        started.result(PATIENCE_S)
        yield
        self._loop.call_soon_threadsafe(self._end.set)
        thread.join(PATIENCE_S)

    async def _run(self, started: "Future[None]") -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        server = await self._loop.create_server(lambda: Shouter(self), "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        started.set_result(None)
        await self._end.wait()
        server.close()

    def outcome(self) -> TlsFacts | str:
        """Wait for the end of a connection; return what came of it."""
        assert self.gone.acquire(timeout=PATIENCE_S)
        return self.seen.pop(0)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE_S)

    def s_client(
        self, *options: str | bytes, typed: bytes = b"hello\nQUIT\n"
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run OpenSSL's client; it ends when the server does."""
        command = [find_peer("openssl"), "s_client", "-connect", f"127.0.0.1:{self.port}", *options]
        return subprocess.run(command, input=typed, capture_output=True, timeout=PATIENCE_S, check=False)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    chain, key = write_certificate(tmp_path, "mail.example.org")
    table = f'[[tls.certificate]]\nchain = "{chain}"\nkey = "{key}"\n'
    server = Server(ServerTls(configure(RIGHT + table)))
    with server.serve():
        yield server


@pytest.mark.parametrize("version", VERSIONS)
def test_pythons_client(server: Server, version: ssl.TLSVersion) -> None:
    content = b"abcdefgh" * 8_000
    with server.connect() as plain, make_client_context(version).wrap_socket(plain) as client:
        for _ in range(20):
            client.sendall(content)
            got = b""
            while len(got) < len(content):
                got += client.recv(65536)
            assert got == content.upper()
        client.unwrap()  # raises where the server does not tell its end, too
    assert isinstance(server.outcome(), TlsFacts)


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (["-noservername"], ""),
        (["-servername", "mail.example.org"], "mail.example.org"),
        (["-servername", "nonsense.example"], "nonsense.example"),
        (["-servername", b"\xff\x1b(.example"], "???.example"),
    ],
)
def test_A75_openssls_client_completes_whatever_name_it_asks_for(
    server: Server, version: str, name: list[str | bytes], shown: str
) -> None:
    done = server.s_client(version, "-quiet", *name)
    assert (done.returncode, done.stdout) == (0, b"HELLO\nQUIT\n")
    facts = server.outcome()
    assert isinstance(facts, TlsFacts)
    assert facts.server_name == shown


def test_S8_openssls_client_sees_no_compression_no_request_and_no_ticket(server: Server) -> None:
    for version in ("-tls1_2", "-tls1_3"):
        shown = server.s_client(version, "-ign_eof").stdout
        assert b"\nNo client certificate CA names sent\n" in shown
        assert b"\nCompression: NONE\n" in shown
        assert (b"TLS session ticket:" in shown) is (version == "-tls1_2")
        server.outcome()


def test_A76_a_hello_of_TLS_1_1_is_refused_with_an_alert(server: Server) -> None:
    done = server.s_client(*TLS_1_1)
    assert done.returncode != 0
    assert b"alert protocol version" in done.stderr
    assert server.outcome() == "unsupported protocol"


def test_S8_renegotiation_is_refused(server: Server) -> None:
    done = server.s_client("-tls1_2", typed=b"R\n")
    assert b"RENEGOTIATING\n" in done.stderr
    assert b"no renegotiation" in done.stderr
    server.outcome()


@pytest.mark.parametrize("first", [b"EHLO client.example\r\n", b"\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00"])
def test_A72_text_and_garbage_instead_of_a_hello_end_the_connection(server: Server, first: bytes) -> None:
    with server.connect() as client:
        client.sendall(first)
        while client.recv(4096):
            pass
    assert server.outcome() in {"what came is not TLS", "unexpected message"}


@pytest.mark.parametrize("hello_octets", [0, 1, 5, 100])
def test_a_handshake_cut_off_harms_nobody(server: Server, hello_octets: int) -> None:
    with server.connect() as client:
        client.sendall(TlsClient().hello()[:hello_octets])
    assert server.outcome() == "no handshake"
    assert server.s_client("-quiet").stdout == b"HELLO\nQUIT\n"
    server.outcome()


def test_ciphers_have_the_names_that_openssl_knows_as_IANAs() -> None:
    listing = subprocess.run(
        [find_peer("openssl"), "ciphers", "-stdname", "ALL"], capture_output=True, text=True, check=True
    ).stdout
    names = {line.split()[2]: line.split()[0] for line in listing.splitlines()}
    ours = [cipher["name"] for cipher in make_client_context().get_ciphers()]
    assert {name: format_cipher(name) for name in ours} == {name: names[name] for name in ours}
