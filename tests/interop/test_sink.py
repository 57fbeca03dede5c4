"""Senders of other projects deliver into the sink."""

import subprocess
from collections.abc import Iterator

import pytest

from paperpath.testing.sink import Sink, sink_in_thread
from paperpath.testing.sink_options import SinkOptions
from tests.support.peers import find_peer

pytestmark = [pytest.mark.interop, pytest.mark.slow]


@pytest.fixture
def sink() -> Iterator[Sink]:
    with sink_in_thread(SinkOptions(tls=True, user="joe", password="secret")) as sink:
        yield sink


@pytest.mark.parametrize("kept", [True, False], ids=["kept connections", "a connection each"])
def test_smtp_source_delivers(kept: bool) -> None:
    with sink_in_thread() as sink:
        command = [find_peer("smtp-source"), "-s", "5", "-m", "200", "-l", "4096", "-f", "a@else.example"]
        command += ["-t", "joe@here.example", *(["-d"] if kept else []), f"127.0.0.1:{sink.port}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert (sink.books.messages, len(sink.taken)) == (200, 200)
        assert sink.books.connections == (5 if kept else 200)


def test_swaks_delivers_over_tls_with_a_password(sink: Sink) -> None:
    options = ["--server", "127.0.0.1", "--port", str(sink.port), "--ehlo", "swaks.example", "--tls"]
    options += ["--from", "swaks@else.example", "--to", "u@here.example,v@here.example"]
    options += ["--auth", "PLAIN", "--auth-user", "joe", "--auth-password", "secret"]
    command = [find_peer("swaks"), *options, "--body", "first line\n.second line\n"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    (taken,) = sink.taken
    assert [recipient.address for recipient in taken.recipients] == ["u@here.example", "v@here.example"]
    assert (taken.sender, taken.hello, taken.user) == ("swaks@else.example", "swaks.example", "joe")
    assert taken.tls.startswith("TLSv1.")
    assert b"\r\nfirst line\r\n.second line\r\n" in taken.content
    assert sink.violations == []


def test_swaks_hears_the_refusal(sink: Sink) -> None:
    options = ["--server", "127.0.0.1", "--port", str(sink.port), "--from", "swaks@else.example"]
    options += ["--to", "552-at-dot@here.example", "--auth-user", "joe", "--auth-password", "secret"]
    done = subprocess.run([find_peer("swaks"), *options], capture_output=True, text=True, check=False)
    assert done.returncode == 26, done.stdout  # "error sending the data"
    assert "552 5.0.0 As told: 552-at-dot" in done.stdout
