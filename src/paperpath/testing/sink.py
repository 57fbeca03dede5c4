"""A server of SMTP or LMTP that takes mail and fails as it is told, to see what a mail system does with it.

For tests, inside an event loop or in a thread of its own, and for `paperpath sink`. How it fails stands in
the addresses (docs/sink.md); `SinkOptions` says the rest. What it took and saw is in `Sink.books`.
"""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from paperpath.config.endpoint import Endpoint
from paperpath.service.errors import ServiceError
from paperpath.service.listener import open_listeners
from paperpath.service.socket_folder import SocketFolder
from paperpath.service.tls.certificates import read_certificate
from paperpath.service.tls.contexts import ContextSet
from paperpath.service.tls.layer import TlsLayer
from paperpath.service.tls.self_signed import provide_self_signed
from paperpath.testing.sink_books import Books, Taken, Teller, Violation
from paperpath.testing.sink_connection import SinkConnection, SinkService
from paperpath.testing.sink_options import SinkOptions
from paperpath.testing.sink_script import Director

_PATIENCE_S = 20.0
_ANY_TIME = datetime.min.replace(tzinfo=UTC)  # by which a certificate has not expired: hosts show such, too


class Sink:
    """A sink that serves for the length of an `async with`; afterwards its books stay.

    Raises, on entering: ServiceError, where it cannot listen or the certificate cannot be used.
    """

    def __init__(self, options: SinkOptions | None = None, tell: Teller | None = None) -> None:
        """Take the options; `tell` is called with each event, in the loop's thread."""
        self.options = options or SinkOptions()
        self.books = Books(self.options.keep, tell, remembers=self.options.remembers)
        self.endpoints: tuple[Endpoint, ...] = ()
        self._servers: list[asyncio.Server] = []

    async def __aenter__(self) -> Self:
        options = self.options
        director = Director(Random(options.seed), options.random, always=options.all_random)  # noqa: S311
        self._service = SinkService(options, director, self.books, _choose_layer(options))
        listeners = open_listeners("sink", options.listen)
        self.endpoints = tuple(Endpoint(*listener.getsockname()[:2]) for listener in listeners)
        loop = asyncio.get_running_loop()
        make = partial(SinkConnection, self._service)
        self._servers = [await loop.create_server(make, sock=listener) for listener in listeners]
        if options.socket is not None:
            self._servers.append(await loop.create_unix_server(make, sock=_open_socket(options.socket)))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.close()
        for connection in list(self._service.connections):
            connection.abort()
        for server in self._servers:
            await server.wait_closed()

    @property
    def port(self) -> int:
        """The port of the first address."""
        return self.endpoints[0].port

    @property
    def taken(self) -> Sequence[Taken]:
        """The messages that were taken, in order."""
        return self.books.taken

    @property
    def violations(self) -> Sequence[Violation]:
        """What clients did wrong, the first thousand of it."""
        return self.books.violations


@contextmanager
def sink_in_thread(options: SinkOptions | None = None) -> Iterator[Sink]:
    """Run a sink in a thread, for the length of the block, for tests that have no event loop."""
    sink, end = Sink(options), asyncio.Event()
    started: Future[asyncio.AbstractEventLoop] = Future()
    thread = threading.Thread(target=asyncio.run, args=(_serve(sink, started, end),), name="sink")
    thread.start()
    loop = started.result(_PATIENCE_S)
    try:
        yield sink
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(_PATIENCE_S)


async def _serve(sink: Sink, started: "Future[asyncio.AbstractEventLoop]", end: asyncio.Event) -> None:
    try:
        async with sink:
            started.set_result(asyncio.get_running_loop())
            await end.wait()
    except ServiceError as error:
        started.set_exception(error)


def _open_socket(path: Path) -> socket.socket:
    """Open a UNIX socket, for nobody but ourselves. Raises: ServiceError."""
    try:
        with closing(SocketFolder(path.parent, make=False)) as folder:
            listener = folder.bind(path.name, socket.SOCK_STREAM, "sink")
            listener.listen()
    except OSError as error:
        raise ServiceError(f"sink cannot listen on {path}: {error.strerror}") from error
    return listener


def _choose_layer(options: SinkOptions) -> Callable[[], TlsLayer] | None:
    """Return what makes the TLS of a connection; nothing where there is none."""
    if not (options.tls or options.tls_at_once):
        return None
    if options.certificate is not None:
        key = options.key or options.certificate
        certificate = read_certificate(options.certificate, key, _ANY_TIME)
    else:
        with TemporaryDirectory() as folder:
            certificate = provide_self_signed(Path(folder), options.hostname, datetime.now(UTC))
    contexts = ContextSet([certificate])
    return lambda: TlsLayer(contexts.choose)
