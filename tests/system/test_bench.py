"""`paperpath bench` over sockets: its source and its sink, an installation of its own, and the command."""

import json
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from paperpath.commands.bench_target import find_server
from paperpath.config.endpoint import Endpoint
from paperpath.load.connection import Server
from paperpath.load.measurement import Measurement, make_run_name
from paperpath.load.plan import Load, Protocol, Security, Share
from paperpath.load.report import Report
from paperpath.load.sink import LoadSink
from paperpath.load.watch import MaildirWatch, SinkWatch, Watch, WatchError
from paperpath.service.listener import open_listeners
from paperpath.testing.sink import sink_in_thread
from paperpath.testing.sink_options import SinkOptions
from tests.support.installation import find_free_port, program_path, wait_until

pytestmark = pytest.mark.slow

LOAD = Load("a@b.example", ("me@here.example",), messages=60, connections=5)


@contextmanager
def load_sink() -> Iterator[tuple[LoadSink, int]]:
    """Run the load's sink in a thread."""
    (listener,) = open_listeners("test", [Endpoint("127.0.0.1", 0)])
    port = listener.getsockname()[1]
    sink = LoadSink([listener])
    thread = threading.Thread(target=sink.run)
    thread.start()
    try:
        yield sink, port
    finally:
        sink.stop()
        thread.join(20)


def measure(planned: Load, port: int, watch: Watch | None = None, run_name: str = "") -> Report:
    server = find_server(f"127.0.0.1:{port}", allowed="", secure=planned.security is not Security.NONE)
    return Measurement("test", "none", planned, server, run_name or make_run_name(), watch, wait_s=20).run()


def count_connections(port: int) -> int:
    """Count the connections that a server on loopback has."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1] == f"0100007F:{port:04X}" and row[3] == "01" for row in rows)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"pipelining": False},
        {"per_connection": 1},
        {"per_connection": 7, "recipients": 3},
        {"protocol": Protocol.LMTP, "recipients": 3},
        {"sizes": (Share(300, 3), Share(5 * 2**20, 1)), "messages": 12},
        {"rate": 60.0, "messages": None, "duration_s": 1.0},
    ],
)
def test_all_that_is_sent_arrives_in_the_sink(fields: dict[str, Any]) -> None:
    run_name, planned = make_run_name(), replace(LOAD, **fields)
    with load_sink() as (sink, port):
        report = measure(planned, port, SinkWatch(("127.0.0.1", port), run_name), run_name)
    assert report.is_complete, report.describe()
    assert report.delivered is not None
    assert report.delivered.lengths is not None
    assert report.sent == report.tally.accepted == sink.runs.messages == (planned.messages or report.sent)
    assert report.tally.recipients == sink.runs.recipients == report.sent * planned.recipients
    assert report.replies.sum().lengths.count == report.delivered.lengths.count == report.sent
    assert [each.name for each in report.programs] == ["source"]
    if planned.rate is not None:
        assert 1 <= report.sent <= 60  # how many of them is the machine's affair


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.AT_ONCE])
def test_people_log_in_inside_tls(security: Security) -> None:
    options = SinkOptions(
        tls=security is Security.STARTTLS,
        tls_at_once=security is Security.AT_ONCE,
        user="me",
        password="secret words",
    )
    planned = replace(LOAD, security=security, user="me", password="secret words", per_connection=6)
    with sink_in_thread(options) as sink:
        report = measure(planned, sink.port)
        assert report.is_complete, report.describe()
        assert len(sink.taken) == 60
        assert {taken.octets for taken in sink.taken} == {4096}
        assert sink.violations == []
        refused = measure(replace(planned, password="wrong"), sink.port)
    assert refused.tally.accepted == 0
    assert any(reason.startswith("535") for reason in refused.tally.reasons)


def test_groups_are_as_a_strict_server_wants_them() -> None:
    with sink_in_thread() as sink:
        assert measure(replace(LOAD, recipients=3), sink.port).is_complete
        assert sink.violations == []


def test_a_server_that_is_silent_or_gone_ends_the_load() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        report = measure(replace(LOAD, timeout_s=0.1, connections=20), silent.getsockname()[1])
    assert report.tally.accepted == 0
    assert set(report.tally.reasons) == {"no reply within 0.1 s"}
    report = measure(LOAD, find_free_port())
    assert set(report.tally.reasons) == {"Connection refused"}


def test_a_server_may_close_what_rests() -> None:
    planned = replace(LOAD, addresses=("421-at-idle@x.example",), rate=40.0, messages=12, connections=2)
    with sink_in_thread() as sink:
        report = measure(planned, sink.port)
        assert len(sink.taken) == report.tally.accepted > 0
    tally = report.tally
    assert (tally.accepted + tally.refused, tally.failed) == (12, 0), tally.reasons
    assert "the server closed an idle connection" in tally.reasons


def test_a_local_socket_is_a_server_too(tmp_path: Path) -> None:
    path = str(tmp_path / "lmtp")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        listener.setblocking(False)
        sink = LoadSink([listener])
        thread = threading.Thread(target=sink.run)
        thread.start()
        server = find_server(path, allowed="", secure=False)
        assert server == Server(socket.AF_UNIX, path, "localhost")
        report = Measurement("test", "none", LOAD, server, make_run_name()).run()
        sink.stop()
        thread.join(20)
    assert report.is_complete


def test_what_lay_in_a_maildir_before_is_no_arrival(tmp_path: Path) -> None:
    with pytest.raises(WatchError, match="new"):
        MaildirWatch(tmp_path)
    new = tmp_path / "new"
    new.mkdir()
    (new / "before").touch()
    watch = MaildirWatch(tmp_path)
    assert watch.look().copies == 0
    (new / "after").touch()
    seen = watch.look()
    assert seen.copies == 1
    assert abs(seen.last_us - time.monotonic_ns() // 1000) < 60e6


def test_clients_that_go_at_once_do_not_end_the_sink() -> None:
    with load_sink() as (sink, port):
        for _ in range(50):
            client = socket.create_connection(("127.0.0.1", port))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a RST
            client.close()
        assert measure(LOAD, port).is_complete
        assert sink.runs.messages == 60


def test_who_is_no_sink_of_ours_is_not_believed() -> None:
    with sink_in_thread() as sink, pytest.raises(WatchError, match="bench sink"):
        SinkWatch(("127.0.0.1", sink.port), "x")
    with pytest.raises(WatchError, match="refused"):
        SinkWatch(("127.0.0.1", find_free_port()), "x")


def test_an_installation_of_its_own_is_measured_both_ways_and_leaves_nothing(tmp_path: Path) -> None:
    plot = tmp_path / "speed.svg"
    (tmp_path / "work").mkdir()
    command = [program_path("paperpath"), "bench", "--messages", "40", "--connections", "3", "--json"]
    done = subprocess.run(
        [*command, "--dir", tmp_path / "work", "--plot", plot], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    told = json.loads(done.stdout)
    assert told["repeat"].startswith("paperpath bench --messages 40 --connections 3 --size 4KiB --dir ")
    assert [report["delivered"]["place"] for report in told["reports"]] == ["Maildir", "sink"]
    for report in told["reports"]:
        assert report["accepted"] == report["delivered"]["copies"] == 40
        assert report["durability"].startswith("flush")
        programs = {program["name"]: program for program in report["programs"]}
        assert {"smtprd", "smtppd", "smtpld", "smtprcd", "smtprc", "paperpath", "sink", "source"} == {
            *programs
        }
        assert programs["smtprd"]["cpu_us_per_message"] > 0
        assert all(program["resident_mib"] > 1 for program in programs.values())
    assert told["reports"][1]["delivered"]["messages"] == 40
    assert plot.read_text().startswith("<svg")
    assert list((tmp_path / "work").iterdir()) == []


def test_ctrl_c_ends_both_commands_with_what_was_seen() -> None:
    port = find_free_port()
    sink = subprocess.Popen(
        [program_path("paperpath"), "bench", "sink", "--listen", f"127.0.0.1:{port}"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert sink.stdout is not None
    assert sink.stdout.readline() == f"listening on 127.0.0.1:{port}; Ctrl-C ends\n"
    place = f"127.0.0.1:{port}"
    options = ["--duration", "600", "--rate", "50", "--sink", place, "--durability", "none", "--json"]
    source = subprocess.Popen(
        [program_path("paperpath"), "bench", place, "--to", "me@here.example", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_until(lambda: count_connections(port) > 3, "the source to send")
    finally:
        source.send_signal(signal.SIGINT)
        out, err = source.communicate(timeout=60)
        sink.send_signal(signal.SIGINT)
        counted, _ = sink.communicate(timeout=60)
    assert (source.returncode, sink.returncode) == (130, 0), err
    assert err == ""  # nothing of progress where nobody looks
    (report,) = json.loads(out)["reports"]
    assert report["interrupted"] is True
    assert report["durability"] == "none"
    assert counted == f"{report['sent']} messages for {report['sent']} recipients\n"
