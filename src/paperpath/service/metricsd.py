"""metricsd: serves the metrics of all programs to Prometheus, under the supervisor.

It asks every program on its control socket, when it is asked itself, and sets the program's name beside each
number. A program of its own, so that the supervisor, which may be root, reads no HTTP. The server is the
standard library's, in a thread: one scrape every few seconds is all it is for.
"""

import asyncio
import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from socketserver import ThreadingMixIn
from threading import BoundedSemaphore
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client.core import Metric
from prometheus_client.exposition import make_wsgi_app
from prometheus_client.registry import Collector, CollectorRegistry

from paperpath.config.endpoint import Endpoint
from paperpath.service.asking import Object
from paperpath.service.control import ask, control_folder, list_programs
from paperpath.service.errors import ServiceError
from paperpath.service.metrics import Family, parse_family
from paperpath.service.program import Life, make_command

NAME = "metricsd"
_ASK_S = 3.0  # Prometheus itself gives up after ten
_CLIENT_S = 10.0
_ASKED_AT_ONCE = 16
_MOST_CLIENTS = 16
_Request = socket.socket | tuple[bytes, socket.socket]  # as socketserver has it; ours are sockets


def open_port(life: Life) -> None:
    """Listen, with the privileges that are dropped then. Raises: ServiceError."""
    if life.configuration.metrics is None:
        raise ServiceError("there is no table [metrics] in the configuration", os.EX_CONFIG)
    life.listen([life.configuration.metrics.listen])


async def serve_metrics(life: Life) -> None:
    """Serve until the end is asked for."""
    registry = CollectorRegistry()
    registry.register(Programs(control_folder(life.configuration)))
    with _Server(life.listeners[0]) as server:
        server.set_app(make_wsgi_app(registry))
        serving = asyncio.create_task(asyncio.to_thread(server.serve_forever))
        host, port = life.listeners[0].getsockname()[:2]
        life.ready(f"metrics on http://{Endpoint(host, port)}/metrics")
        await life.wait_for_end()
        await asyncio.to_thread(server.shutdown)
        await serving


class Programs(Collector):
    """The metrics of all programs that run in a folder of control sockets."""

    def __init__(self, folder: Path) -> None:
        """Name the folder."""
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        """Ask all programs at once; who does not answer is down."""
        programs = list_programs(self._folder)
        with ThreadPoolExecutor(_ASKED_AT_ONCE) as askers:
            answers = list(askers.map(self._ask, programs))
        up = Metric("paperpath_up", "Whether the program answers.", "gauge")
        merged = {up.name: up}
        for program, answer in zip(programs, answers, strict=True):
            up.add_sample(up.name, {"program": program}, 0 if answer is None else 1)
            for family in [] if answer is None else map(parse_family, answer["families"]):
                _add(merged, family, program)
        yield from merged.values()

    def _ask(self, program: str) -> Object | None:
        try:
            return ask(self._folder, program, "metrics", _ASK_S)
        except ServiceError:
            return None


def _add(merged: dict[str, Metric], family: Family, program: str) -> None:
    metric = merged.setdefault(family.name, Metric(family.name, family.help, family.kind))
    for sample in family.samples:
        metric.add_sample(family.name + sample.suffix, {"program": program, **sample.labels}, sample.value)


class _Handler(WSGIRequestHandler):
    timeout = _CLIENT_S

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - so it is called there
        """Say nothing: a scrape is no event."""


class _Server(ThreadingMixIn, WSGIServer):
    """Serves a few clients at once; more are sent away without a word (promise P6)."""

    daemon_threads = True  # a client that says nothing does not keep us from ending

    def __init__(self, listener: socket.socket) -> None:
        self._places = BoundedSemaphore(_MOST_CLIENTS)
        address = listener.getsockname()[:2]
        super().__init__(address, _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.server_name, self.server_port = address
        self.setup_environ()

    def process_request(self, request: _Request, client_address: object) -> None:
        """Serve a client in a thread, if there is a place for it."""
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._places.release()
            raise

    def process_request_thread(self, request: _Request, client_address: object) -> None:
        """Serve a client, and give its place up."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()


main = make_command(NAME, "Serves the metrics of all programs to Prometheus.", serve_metrics, open_port)

if __name__ == "__main__":
    main()
