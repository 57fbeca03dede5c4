"""The sink over sockets: each way of failing, TLS and its lies, and the command."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from paperpath.testing.sink import Sink, sink_in_thread
from paperpath.testing.sink_options import SinkOptions, StartTls
from paperpath.testing.sink_script import LIES, WAYS, Stage
from tests.support.installation import find_free_port, program_path
from tests.support.tls import AUTHORITY, make_client_context, write_certificate
from tests.support.wire import Wire

pytestmark = pytest.mark.slow

EHLO = b"EHLO client.example"
MAIL = b"MAIL FROM:<a@b.example>"
CONTENT = b"Subject: x\r\n\r\nHi\r\n"
QUIET_S = 0.2


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    with sink_in_thread(SinkOptions(chunking=True)) as sink:
        yield sink


def begin(wire: Wire, local: str) -> bytes:
    """Go as far as RCPT; return the reply to it, without its first line's end where it ends otherwise."""
    assert wire.reply()[:3] == b"220"
    assert wire.ask(EHLO)[:3] == b"250"
    assert wire.ask(MAIL)[:3] == b"250"
    return wire.ask(f"RCPT TO:<{local}@x.example>".encode())


def send(wire: Wire, local: str) -> bytes:
    """Send a message; return the reply to its end."""
    assert begin(wire, local)[:3] == b"250"
    assert wire.ask(b"DATA")[:3] == b"354"
    wire.send(CONTENT + b".\r\n")
    return wire.reply()


@pytest.mark.parametrize(
    ("local", "code"), [("tempfail.1", b"450"), ("permfail+x", b"550"), ("452-at-rcpt", b"452")]
)
def test_recipients_are_refused(sink: Sink, local: str, code: bytes) -> None:
    with Wire(sink.port) as wire:
        assert begin(wire, local)[:3] == code
        assert wire.ask(b"RCPT TO:<joe@x.example>")[:3] == b"250"


def test_senders_are_refused(sink: Sink) -> None:
    with Wire(sink.port) as wire:
        assert wire.reply()[:3] == b"220"
        wire.ask(EHLO)
        assert wire.ask(b"MAIL FROM:<451-at-mail@b.example>")[:3] == b"451"


def test_421_closes_at_data(sink: Sink) -> None:
    with Wire(sink.port) as wire:
        assert begin(wire, "421-at-data")[:3] == b"250"
        assert wire.ask(b"DATA")[:3] == b"421"
        assert wire.reply() == b""


def test_a_message_is_refused_at_its_end(sink: Sink) -> None:
    before = sink.books.messages
    with Wire(sink.port) as wire:
        assert send(wire, "552-at-dot") == b"552 5.0.0 As told: 552-at-dot\r\n"
    assert sink.books.messages == before


@pytest.mark.parametrize("word", ["disconnect", "reset"])
@pytest.mark.parametrize("stage", ["at-rcpt", "at-data", "at-content", "at-dot", "after-dot"])
def test_connections_are_cut(sink: Sink, word: str, stage: str) -> None:
    before = sink.books.messages
    with Wire(sink.port) as wire:
        wire.send(EHLO + b"\r\n" + MAIL + f"\r\nRCPT TO:<{word}-{stage}@x.example>\r\nDATA\r\n".encode())
        with suppress(ConnectionResetError):  # it may have been cut by now
            wire.send(CONTENT + b".\r\n" if stage != "at-content" else CONTENT)
        said = wire.read_all()
    assert (b"354" in said) is (word == "disconnect" and stage in ("at-content", "at-dot", "after-dot"))
    assert b"Taken" not in said
    assert sink.books.messages - before == (stage == "after-dot")
    if stage == "after-dot":
        assert not sink.taken[-1].answered


def test_a_connection_is_cut_while_it_is_idle(sink: Sink) -> None:
    with Wire(sink.port) as wire:
        assert send(wire, "421-at-idle")[:3] == b"250"
        assert wire.reply()[:3] == b"421"
        assert wire.reply() == b""


@pytest.mark.parametrize("stage", ["at-rcpt", "at-data", "at-content", "at-dot", "after-dot"])
def test_replies_never_come(sink: Sink, stage: str) -> None:
    with Wire(sink.port) as wire:
        wire.send(EHLO + b"\r\n" + MAIL + f"\r\nRCPT TO:<stall-{stage}@x.example>\r\nDATA\r\n".encode())
        said = b"".join(
            wire.reply() for _ in range(3 + (stage != "at-rcpt") + (stage[-4:] not in ("rcpt", "data")))
        )
        assert said.count(b"250 ") == (2 if stage == "at-rcpt" else 3)
        wire.send(CONTENT + b".\r\n")
        assert wire.is_quiet(QUIET_S)


def test_a_stall_ends_some_day() -> None:
    with sink_in_thread(SinkOptions(stall_s=0.1)) as sink, Wire(sink.port) as wire:
        assert begin(wire, "stall") == b""


def test_replies_come_late(sink: Sink) -> None:
    with Wire(sink.port) as wire:
        began_s = time.monotonic()
        assert begin(wire, "slow-300ms")[:3] == b"250"
        assert time.monotonic() - began_s >= 0.3
        assert wire.ask(b"NOOP")[:3] == b"250"


def test_replies_have_several_lines(sink: Sink) -> None:
    with Wire(sink.port) as wire:
        assert begin(wire, "multiline").count(b"\r\n") == 3


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("lies-two-replies", b"250 2.1.5 Recipient taken\r\n" * 2 + b"221"),
        ("lies-garbage", b"\x00\xff\xfe"),
        ("lies-mixed-codes", b"250-One thing\r\n550 And another\r\n221"),
        ("lies-bare-code", b"250\r\n221"),
        ("lies-bare-newline", b"250 2.1.5 Recipient taken\n221"),
    ],
)
def test_replies_are_lies(sink: Sink, word: str, said: bytes) -> None:
    with Wire(sink.port) as wire:
        wire.reply()
        wire.ask(EHLO)
        wire.ask(MAIL)
        wire.send(f"RCPT TO:<{word}@x.example>\r\nQUIT\r\n".encode())
        assert wire.read_all().startswith(said)


@pytest.mark.parametrize("word", ["lies-endless-reply", "lies-endless-line"])
def test_replies_never_end(sink: Sink, word: str) -> None:
    with Wire(sink.port) as wire:
        wire.reply()
        wire.ask(EHLO)
        wire.ask(MAIL)
        wire.send(f"RCPT TO:<{word}@x.example>\r\n".encode())
        got = 0
        while got < 2**20:
            octets = wire.read_some()
            assert octets
            assert b"250 " not in octets
            got += len(octets)


def test_lies_take_turns(sink: Sink) -> None:
    for _ in LIES:
        with Wire(sink.port) as wire:
            wire.send(EHLO + b"\r\n" + MAIL + b"\r\nRCPT TO:<lies@x.example>\r\nDATA\r\n")
            for _ in range(3):
                wire.reply()
    assert set(LIES) <= set(sink.books.deeds)


def test_every_way_of_chance_leaves_the_sink_alive(sink: Sink) -> None:
    for word in WAYS[Stage.RCPT]:
        with Wire(sink.port) as wire:
            wire.send(EHLO + b"\r\n" + MAIL + f"\r\nRCPT TO:<{word}@x.example>\r\nDATA\r\n".encode())
            wire.reply()
    with Wire(sink.port) as wire:
        assert send(wire, "joe")[:3] == b"250"


@pytest.mark.parametrize(
    ("greeting", "said"),
    [("421", b"421"), ("554", b"554"), ("disconnect", b""), ("lies-garbage", b"\x00\xff\xfe")],
)
def test_greetings(greeting: str, said: bytes) -> None:
    with sink_in_thread(SinkOptions(greeting=greeting)) as sink, Wire(sink.port) as wire:
        wire.half_close()
        octets = wire.read_all()
        assert octets.startswith(said)
        assert bool(octets) is bool(said)


def test_greetings_that_stall_or_come_late() -> None:
    with sink_in_thread(SinkOptions(greeting="stall")) as sink, Wire(sink.port) as wire:
        assert wire.is_quiet(QUIET_S)
    with sink_in_thread(SinkOptions(greeting_delay_s=0.3)) as sink, Wire(sink.port) as wire:
        assert wire.is_quiet(QUIET_S)
        assert wire.reply()[:3] == b"220"


def test_EHLO_is_refused_and_HELO_is_not() -> None:
    with sink_in_thread(SinkOptions(helo_only=True)) as sink, Wire(sink.port) as wire:
        wire.reply()
        assert wire.ask(EHLO)[:3] == b"502"
        assert wire.ask(b"HELO client.example")[:3] == b"250"
    with sink_in_thread(SinkOptions(ehlo="421")) as sink, Wire(sink.port) as wire:
        wire.reply()
        assert wire.ask(EHLO)[:3] == b"421"
        assert wire.reply() == b""


def start_tls(wire: Wire) -> bytes:
    wire.reply()
    assert b"STARTTLS" in wire.ask(EHLO)
    return wire.ask(b"STARTTLS")


def test_messages_come_over_tls(tmp_path: Path) -> None:
    chain, key = write_certificate(tmp_path, "mail.example.org")
    for options in (
        SinkOptions(tls=True, certificate=chain, key=key),
        SinkOptions(tls_at_once=True, certificate=chain, key=key),
    ):
        with sink_in_thread(options) as sink, Wire(sink.port) as wire:
            if options.tls:
                assert start_tls(wire)[:3] == b"220"
            context = make_client_context()
            AUTHORITY.configure_trust(context)
            wire.start_tls(context)
            if options.tls:
                assert b"STARTTLS" not in wire.ask(EHLO)
            else:
                wire.reply()
                wire.ask(EHLO)
            wire.ask(MAIL)
            wire.ask(b"RCPT TO:<joe@x.example>")
            wire.ask(b"DATA")
            wire.send(CONTENT + b".\r\n")
            assert wire.reply()[:3] == b"250"
            wire.ask(b"QUIT")
            assert (sink.taken[0].tls, sink.violations) == ("TLSv1.3", [])


@pytest.mark.parametrize(
    ("how", "said", "then"),
    [
        (StartTls.REFUSE, b"454", b"250 "),
        (StartTls.THEN_PLAIN, b"220", b"500 "),
        (StartTls.INJECT, b"220", b"250-evil"),
        (StartTls.CUT, b"220", b""),
    ],
)
def test_S12_STARTTLS_lies(how: StartTls, said: bytes, then: bytes) -> None:
    with sink_in_thread(SinkOptions(tls=True, starttls=how)) as sink, Wire(sink.port) as wire:
        assert start_tls(wire)[:3] == said
        reply = wire.ask(b"NOOP") if then != b"" else wire.reply()
        assert reply.startswith(then)
        assert bool(reply) is bool(then)


def test_STARTTLS_stalls() -> None:
    with sink_in_thread(SinkOptions(tls=True, starttls=StartTls.STALL)) as sink, Wire(sink.port) as wire:
        assert start_tls(wire)[:3] == b"220"
        wire.send(b"\x16\x03\x01\x00\x05")
        assert wire.is_quiet(QUIET_S)


def test_what_is_taken_is_kept(tmp_path: Path) -> None:
    for number in (1, 2):
        with sink_in_thread(SinkOptions(keep=tmp_path / "kept")) as sink, Wire(sink.port) as wire:
            assert send(wire, "joe") == f"250 2.0.0 Taken as {number}\r\n".encode()
    lines = [json.loads(line) for line in (tmp_path / "kept" / "index.jsonl").read_text().splitlines()]
    assert [line["file"] for line in lines] == ["00000001.eml", "00000002.eml"]
    assert {line["digest"] for line in lines} == {sha256(CONTENT).hexdigest()}
    assert lines[0]["recipients"] == [{"address": "joe@x.example", "parameters": []}]
    assert (tmp_path / "kept" / "00000002.eml").read_bytes() == CONTENT


@contextmanager
def command(*options: str) -> Iterator["subprocess.Popen[str]"]:
    """Run `paperpath sink` until the block ends, or it ended itself."""
    arguments = [program_path("paperpath"), "sink", *options]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_command_tells_what_happens() -> None:
    port = find_free_port()
    with command("--listen", f"127.0.0.1:{port}", "--json", "--no-pipelining") as process:
        assert process.stdout is not None

        def read(event: str) -> dict[str, Any]:
            assert process.stdout is not None
            for line in process.stdout:
                told: dict[str, Any] = json.loads(line)
                if told["event"] == event:
                    return told
            raise AssertionError(event)

        assert read("listening")["addresses"] == [f"127.0.0.1:{port}"]
        with Wire(port) as wire:
            assert send(wire, "disconnect-after-dot") == b""
        assert read("rcpt")["address"] == "disconnect-after-dot@x.example"
        assert read("deed")["word"] == "disconnect-after-dot"
        process.send_signal(signal.SIGUSR1)
        assert read("summary")["messages"] == 1
        process.send_signal(signal.SIGTERM)
        assert read("summary")["deeds"] == {"disconnect-after-dot": 1}
        assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--listen", "192.0.2.1:2626"), "--remote allows it"),
        (("--listen", "localhost"), "expected"),
        (("--greeting", "often"), "no word"),
        (("--user", "joe"), "belong together"),
    ],
)
def test_the_command_refuses_what_is_wrong(options: tuple[str, ...], says: str) -> None:
    with command(*options) as process:
        said, _ = process.communicate(timeout=20)
        assert says in said
        assert process.returncode == os.EX_USAGE or process.returncode == 2
