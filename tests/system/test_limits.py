"""Too much of everything, live: each limit holds, says so, and the session goes on where it may."""

import hashlib
import itertools
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.installation import content_of, wait_until
from tests.support.peers import skip_or_fail
from tests.support.process import resident_kib
from tests.support.relay import LOOPS, Relay, running_relay
from tests.support.wire import Wire, stuffed

pytestmark = pytest.mark.slow
SIZE = 4 * 2**20
TAKEN = b"250 2.0.0 Taken as "
TRANSACTION = (b"MAIL FROM:<a@b.example>", b"RCPT TO:<u@here.example>")
TRACE = b"Received: from a by b; Sun, 22 Nov 2026 00:00:00 +0000\r\n"


@pytest.fixture(scope="module", params=LOOPS)
def relay(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Relay]:
    with running_relay(tmp_path_factory.mktemp("limits"), request.param, size=SIZE) as relay:
        yield relay


@pytest.fixture
def wire(relay: Relay) -> Iterator[Wire]:
    """A session that has introduced itself; afterwards it is still fit for a message."""
    with Wire(relay.port) as wire:
        assert wire.reply().startswith(b"220 ")
        assert wire.ask(b"EHLO c.example").startswith(b"250-")
        yield wire
        assert send(wire, b"Subject: after all that\r\n").startswith(TAKEN)
    relay.assert_well()


def send(wire: Wire, content: bytes, *, by: str = "DATA") -> bytes:
    """Send a message in a session; return the reply to it."""
    for line in TRANSACTION:
        assert wire.ask(line).startswith(b"250 ")
    if by == "DATA":
        assert wire.ask(b"DATA").startswith(b"354 ")
        wire.send(stuffed(content))
    else:
        wire.send(b"BDAT %d LAST\r\n" % len(content) + content)
    return wire.reply()


def assert_arrives(relay: Relay, wire: Wire, content: bytes, *, by: str = "DATA") -> None:
    """Send a message; see that it comes to the mailbox as it is."""
    before = set(relay.delivered())
    assert send(wire, content, by=by).startswith(TAKEN)
    wait_until(lambda: len(relay.delivered()) > len(before), "the delivery")
    (file,) = set(relay.delivered()) - before
    arrived = content_of(file.read_bytes())
    assert (len(arrived), digest(arrived)) == (len(content), digest(content))


def digest(octets: bytes) -> str:
    return hashlib.sha256(octets).hexdigest()


def test_A13_10_000_unknown_recipients_in_one_go_are_refused_one_by_one(wire: Wire) -> None:
    assert wire.ask(b"MAIL FROM:<a@b.example>").startswith(b"250 ")
    lines = [b"RCPT TO:<nobody%d@here.example>\r\n" % number for number in range(5_000)]
    lines += [b"RCPT TO:<u@there%d.example>\r\n" % number for number in range(5_000)]
    wire.send(b"".join(lines) + b"DATA\r\n")
    assert {wire.reply()[:10] for _ in range(5_000)} == {b"550 5.1.1 "}
    assert {wire.reply()[:10] for _ in range(5_000)} == {b"550 5.7.1 "}
    assert wire.reply().startswith(b"503 ")
    assert wire.ask(b"RSET").startswith(b"250 ")


def test_A32_of_10_000_recipients_in_one_go_a_hundred_are_taken(relay: Relay, wire: Wire) -> None:
    before = relay.books().accepted
    assert wire.ask(b"MAIL FROM:<a@b.example>").startswith(b"250 ")
    names = itertools.product(*zip("postmaster", "POSTMASTER", strict=True))  # each is one of its own
    recipients = itertools.islice(itertools.cycle("".join(name).encode() for name in names), 10_000)
    wire.send(b"".join(b"RCPT TO:<%s@here.example>\r\n" % name for name in recipients))
    assert {wire.reply()[:10] for _ in range(100)} == {b"250 2.1.5 "}
    assert {wire.reply()[:10] for _ in range(9_900)} == {b"452 4.5.3 "}
    wire.send(b"DATA\r\n.\r\n")
    assert wire.reply().startswith(b"354 ")
    assert wire.reply().startswith(TAKEN)
    assert relay.books().accepted == before + 100


def test_A32_10_000_times_the_same_recipient_is_one_copy(relay: Relay, wire: Wire) -> None:
    before = relay.books().accepted
    assert wire.ask(b"MAIL FROM:<a@b.example>").startswith(b"250 ")
    wire.send(b"RCPT TO:<u@here.example>\r\n" * 10_000 + b"DATA\r\n.\r\n")
    replies = [wire.reply()[:4] for _ in range(10_000)]
    assert (replies.count(b"250 "), replies.count(b"452 ")) == (100, 9_900)
    assert wire.reply().startswith(b"354 ")
    assert wire.reply().startswith(TAKEN)
    assert relay.books().accepted == before + 1


@pytest.mark.parametrize("by", ["DATA", "BDAT"])
@pytest.mark.parametrize(
    "content",
    [
        b"".join(b"X-Field-%d: x\r\n" % number for number in range(10_000)) + b"\r\nbody\r\n",
        b"".join(b"X-Long-%d: %s\r\n" % (number, b"x" * 1000) for number in range(2_100)) + b"\r\nbody\r\n",
        b"X-Folded: x\r\n" + b" y\r\n" * 500_000 + b"\r\nbody\r\n",
        b"x" * 2**20 + b"\r\n" + b"y" * 2**20 + b"\r\n\r\n" + b"." * 2**20 + b"\r\n",
        b"Subject: \x00\r\n\x00\r\n\r\n" + b"\x00" * 300_000 + b"\r\n",
        b"\x00\r\n" * 300_000,
        b".\r\n" * 300_000,
        b"\r\n" * 500_000,
        b"\r\n",
        b"",
    ],
    ids=[
        "10,000 fields",
        "a header of 2 MiB",
        "a field of 500,000 lines",
        "lines of 1 MiB",
        "NULs",
        "lines of NUL",
        "lines of a dot",
        "empty lines",
        "an empty line",
        "nothing",
    ],
)
def test_S10_A31_A40_A42_odd_content_arrives_as_it_is(
    relay: Relay, wire: Wire, content: bytes, by: str
) -> None:
    assert_arrives(relay, wire, content, by=by)


def test_S10_P6_headers_that_never_end_are_not_held_in_memory(relay: Relay) -> None:
    header = (b"X-Long: " + b"x" * 1000 + b"\r\n") * 1_500
    before_kib = resident_kib(relay.smtprd)
    with ExitStack() as stack:
        wires = [stack.enter_context(Wire(relay.port)) for _ in range(40)]
        for wire in wires:
            begin(wire, header)
        assert resident_kib(relay.smtprd) < before_kib + 40 * 256
        for wire in wires:
            finish(wire)
    relay.assert_well()


def test_A31_a_command_line_of_a_mebibyte_is_one_error(wire: Wire) -> None:
    wire.send(b"NOOP " + b"x" * 2**20 + b"\r\n")
    assert wire.reply().startswith(b"500 5.5.2 ")
    wire.send(b"\x00" * 2**20 + b"\r\nNOOP\r\n")
    assert wire.reply().startswith(b"500 5.5.2 ")
    assert wire.reply().startswith(b"250 ")


@pytest.mark.parametrize("by", ["DATA", "BDAT"])
@pytest.mark.parametrize("end", [b"\r\n", b"\r\n\r\n", b"\r\n\r\nbody\r\n"])
def test_A51_a_hundred_hops_are_too_many_and_99_are_not(
    relay: Relay, wire: Wire, by: str, end: bytes
) -> None:
    hop = b"Received: from a by b\r\n Received: folded; Sun, 22 Nov 2026 00:00:00 +0000\r\n"
    fewer = hop * 99 + b"X-Received: " + b"Received: x" * 100
    assert_arrives(relay, wire, fewer + end + (TRACE * 500 if end.count(b"\r\n") > 1 else b""), by=by)
    before = relay.books().accepted
    for more in (hop * 99 + b"rEcEiVeD\t : x", b"X-Before: x\r\n" * 10_000 + hop * 99 + TRACE[:-2]):
        assert send(wire, more + end, by=by).startswith(b"554 5.4.6 ")
    assert relay.books().accepted == before


def test_more_than_size_allows_is_refused_at_its_end(wire: Wire) -> None:
    assert wire.ask(b"MAIL FROM:<a@b.example> SIZE=%d" % (SIZE + 1)).startswith(b"552 5.3.4 ")
    assert send(wire, b"x" * (SIZE - 1) + b"\r\n").startswith(b"552 5.3.4 ")
    assert send(wire, b"x" * (SIZE - 1) + b"\r\n", by="BDAT").startswith(b"552 5.3.4 ")


@pytest.mark.parametrize("loop", LOOPS)
def test_S3_what_is_beyond_the_spool_is_refused_and_then_there_is_room_again(
    tmp_path: Path, loop: str
) -> None:
    big = b"x" * 89_998 + b"\r\n"
    with running_relay(tmp_path, loop, more_relay='spool = "300 KiB"\nidle_timeout_s = 2') as relay:
        for leave in (finish, Wire.reset, Wire.close, begin_anew, exceed, fall_silent, forget):
            with ExitStack() as stack:
                wires = [stack.enter_context(Wire(relay.port)) for _ in range(5)]
                for wire in wires:
                    begin(wire, big)
                replies = [wire.ask(b"BDAT 0 LAST")[:9] for wire in wires[3:]]
                assert replies == [b"452 4.3.1"] * 2
                for wire in wires[:3]:
                    leave(wire)
            relay.assert_well(expected="not stored")


def begin(wire: Wire, octets: bytes) -> None:
    """Come so far as to have octets on their way in."""
    assert wire.reply().startswith(b"220 ")
    for line in (b"EHLO c.example", *TRANSACTION):
        assert wire.ask(line).startswith(b"250")
    wire.send(b"BDAT %d\r\n" % len(octets) + octets)
    assert wire.reply().startswith(b"250 2.0.0 ")


def finish(wire: Wire) -> None:
    assert wire.ask(b"BDAT 0 LAST").startswith(TAKEN)


def begin_anew(wire: Wire) -> None:
    assert wire.ask(b"RSET").startswith(b"250 ")


def forget(wire: Wire) -> None:
    assert wire.ask(b"EHLO c.example").startswith(b"250-")


def exceed(wire: Wire) -> None:
    wire.send(b"BDAT 20000 LAST\r\n" + b"x" * 20_000)
    assert wire.reply().startswith(b"552 5.3.4 ")


def fall_silent(wire: Wire) -> None:
    assert wire.reply().startswith(b"421 4.4.2 ")


@pytest.mark.parametrize("loop", LOOPS)
def test_A45_both_versions_of_ip_at_once_and_the_trace_field_names_them(tmp_path: Path, loop: str) -> None:
    require_ipv6()
    with running_relay(tmp_path, loop, more_hosts=("[::1]",)) as relay:
        known = set(relay.delivered())
        for host, literal in (("::1", b"[IPv6:::1]"), ("127.0.0.1", b"[127.0.0.1]")):
            with Wire(relay.port, host=host) as wire:
                wire.open_transaction()
                wire.send(stuffed(b"Subject: over IP\r\n"))
                assert wire.reply().startswith(TAKEN)
            wait_until(lambda: set(relay.delivered()) - known, "the delivery")
            (file,) = set(relay.delivered()) - known
            known.add(file)
            assert b"\nReceived: from client.example (" + literal + b")\n" in file.read_bytes()
        relay.assert_well()


def require_ipv6() -> None:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError as error:
        skip_or_fail(f"there is no IPv6 on loopback: {error}")


@pytest.mark.parametrize("loop", LOOPS)
def test_P6_S2_too_many_connections_of_one_client_are_sent_away(tmp_path: Path, loop: str) -> None:
    more = """most_connections = 5
most_connections_per_client = 3
access = [{ clients = ["127.0.0.2"], service = "privileged" }]"""
    with running_relay(tmp_path, loop, more_relay=more) as relay, ExitStack() as stack:

        def greeting(source: str) -> bytes:
            client = socket.create_connection(("127.0.0.1", relay.port), 20, (source, 0))
            return stack.enter_context(stack.enter_context(client).makefile("rb")).readline()

        assert [greeting("127.0.0.1")[:4] for _ in range(3)] == [b"220 "] * 3
        refused = [greeting("127.0.0.1") for _ in range(40)]
        assert set(refused) == {b"421 4.3.2 Too many connections from your address; closing\r\n"}
        assert greeting("127.0.0.2").startswith(b"220 ")
        assert greeting("127.0.0.3").startswith(b"220 ")
        assert greeting("127.0.0.2").startswith(b"421 4.3.2 Too many connections; ")
        stack.close()
        relay.assert_well()
        assert relay.output().count("warning turned away") == 2
        assert "without a session" in relay.run("why", "--config", str(relay.file), "127.0.0.1")
