"""Counting, and what is made of the counts."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.core import CollectorRegistry
from prometheus_client.exposition import generate_latest, make_wsgi_app

from paperpath.config.endpoint import Endpoint
from paperpath.service.asking import Object
from paperpath.service.control import ControlServer
from paperpath.service.listener import open_listeners
from paperpath.service.metrics import Histogram, IntakeMetrics, Tally, parse_family
from paperpath.service.metricsd import _MOST_CLIENTS, Programs, _Server
from tests.support.installation import find_free_port, wait_until


def busy() -> IntakeMetrics:
    metrics = IntakeMetrics()
    metrics.connections += 3
    metrics.open_connections += 1
    metrics.octets_in += 1000
    metrics.octets_out += 50
    metrics.messages += 2
    metrics.spool_octets += 4096
    for verb in ("MAIL", "MAIL", "unknown"):
        metrics.commands.add(verb)
    metrics.replies.add((250, "2.0.0"))
    metrics.replies.add((354, ""))
    metrics.commits.observe(0.003)
    return metrics


def test_families_survive_the_control_socket() -> None:
    families = busy().families()
    carried = [parse_family(json.loads(json.dumps(asdict(family)))) for family in families]
    assert carried == families


def test_P6_keys_are_bounded_whatever_is_counted() -> None:
    tally: Tally[int] = Tally()
    for number in range(10_000):
        tally.add(number)
    tally.add(0)
    assert len(tally.counts) <= 200
    assert tally.counts[0] == 2
    assert sum(tally.counts.values()) + tally.rest == 10_001


@given(st.lists(st.floats(min_value=0, max_value=100)))
def test_a_histogram_counts_each_duration_once_at_its_bound(durations: list[float]) -> None:
    bounds = (0.5, 1.0, 10.0)
    histogram = Histogram(bounds)
    for duration in durations:
        histogram.observe(duration)
    *buckets, count, total = histogram.samples()
    for bound, bucket in zip((*bounds, float("inf")), buckets, strict=True):
        assert float(bucket.labels["le"]) == bound
        assert bucket.value == sum(duration <= bound for duration in durations)
    assert count.value == len(durations)
    assert total.value == pytest.approx(sum(durations))


@contextmanager
def answering(folder: Path, *programs: str) -> Iterator[None]:
    """Answer for programs that all counted the same, in a thread of their own."""

    async def answer(_: Object) -> Object:
        return {"families": [asdict(family) for family in busy().families()]}

    async def run() -> None:
        servers = [ControlServer(folder, program, {"metrics": answer}) for program in programs]
        for server in servers:
            await server.__aenter__()
        up.set()
        await asyncio.to_thread(done.wait)
        for server in servers:
            await server.__aexit__(None, None, None)

    up, done = threading.Event(), threading.Event()
    thread = threading.Thread(target=asyncio.run, args=[run()])
    thread.start()
    assert up.wait(10)
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_numbers_of_several_processes_stand_side_by_side(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    with answering(tmp_path, "smtprd.1", "smtprd.2"):
        (tmp_path / "smtppd.sock").touch()  # nobody is behind it
        registry.register(Programs(tmp_path))
        page = generate_latest(registry).decode()
    for line in (
        'paperpath_up{program="smtppd"} 0.0',
        'paperpath_up{program="smtprd.1"} 1.0',
        'paperpath_connections_total{program="smtprd.1"} 3.0',
        'paperpath_connections_total{program="smtprd.2"} 3.0',
        'paperpath_open_connections{program="smtprd.1"} 1.0',
        'paperpath_messages_accepted_total{program="smtprd.1"} 2.0',
        'paperpath_octets_total{direction="in",program="smtprd.1"} 1000.0',
        'paperpath_octets_total{direction="out",program="smtprd.1"} 50.0',
        'paperpath_spool_octets{program="smtprd.1"} 4096.0',
        'paperpath_commands_total{program="smtprd.1",verb="MAIL"} 2.0',
        'paperpath_replies_total{code="250",program="smtprd.1",status="2.0.0"} 1.0',
        'paperpath_replies_total{code="354",program="smtprd.1",status=""} 1.0',
        'paperpath_commit_seconds_bucket{le="0.002",program="smtprd.1"} 0.0',
        'paperpath_commit_seconds_bucket{le="0.005",program="smtprd.1"} 1.0',
        'paperpath_commit_seconds_count{program="smtprd.1"} 1.0',
    ):
        assert line in page.splitlines()
    assert page.count("# TYPE paperpath_connections_total counter") == 1


def test_P6_metricsd_serves_a_few_at_once_and_then_the_next() -> None:
    registry = CollectorRegistry()
    (listener,) = open_listeners("metricsd", [Endpoint("127.0.0.1", find_free_port())])
    address = listener.getsockname()
    with _Server(listener) as server, ExitStack() as stack:
        server.set_app(make_wsgi_app(registry))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        stack.callback(thread.join)
        stack.callback(server.shutdown)
        silent = [stack.enter_context(socket.create_connection(address, 20)) for _ in range(_MOST_CLIENTS)]
        with socket.create_connection(address, 20) as refused:
            assert refused.recv(1) == b""
        silent[0].shutdown(socket.SHUT_WR)
        assert silent[0].recv(1) == b""
        wait_until(lambda: has_page(address), "the place to be given to the next")


def has_page(address: tuple[str, int]) -> bool:
    with socket.create_connection(address, 20) as client:
        try:
            client.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            return client.recv(100).startswith(b"HTTP/1.0 200")
        except ConnectionError:
            return False
