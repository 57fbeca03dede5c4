"""Clients that mean harm or break off: the relay keeps what it took, forgets the rest, and serves on."""

import http.client
import itertools
import re
import resource
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass

import pytest

from tests.support.installation import content_of, wait_until
from tests.support.process import count_descriptors, resident_kib
from tests.support.relay import LOOPS, Relay, running_relay, send_one
from tests.support.wire import Wire

pytestmark = pytest.mark.slow
IDLE_S = 3
TAKEN = b"250 2.0.0 Taken as "
_numbers = itertools.count(100_000)


@pytest.fixture(scope="module", params=LOOPS)
def relay(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Relay]:
    folder = tmp_path_factory.mktemp("hostile")
    more = f"idle_timeout_s = {IDLE_S}\nmost_connections = 3000\nmost_connections_per_client = 3000"
    with running_relay(folder, request.param, more_relay=more) as relay:
        yield relay


@dataclass
class Script:
    """A transaction in the steps that a client takes, each of which is answered; and who sends it."""

    number: int
    steps: list[bytes]

    @property
    def octets(self) -> bytes:
        return b"".join(self.steps)

    @property
    def end(self) -> int:
        """How many octets there are up to the end of the message."""
        return len(self.octets) - len(self.steps[-1])


def content(number: int) -> bytes:
    return b"X-Number: %d\r\n\r\nwhole\r\n" % number


def write_script(command: str) -> Script:
    number = next(_numbers)
    steps = [b"EHLO c.example\r\n", b"MAIL FROM:<a@b.example>\r\n", b"RCPT TO:<u@here.example>\r\n"]
    octets = content(number)
    if command == "DATA":
        steps += [b"DATA\r\n", octets + b".\r\n"]
    else:
        steps += [b"BDAT %d\r\n" % 10 + octets[:10], b"BDAT %d LAST\r\n" % (len(octets) - 10) + octets[10:]]
    return Script(number, [*steps, b"QUIT\r\n"])


def play(wire: Wire, script: Script, cut: int, *, in_step: bool) -> bytes:
    """Send so many octets of a script, all at once, or step by step with a look at each reply."""
    heard = wire.reply()
    if not in_step:
        wire.send(script.octets[:cut])
        return heard
    for step in script.steps:
        if cut < len(step):
            wire.send(step[:cut])
            break
        wire.send(step)
        heard += wire.reply()
        cut -= len(step)
    return heard


def count_stored(relay: Relay) -> Counter[int]:
    """Count the messages of scripts in the mailbox; each is whole."""
    stored: Counter[int] = Counter()
    for file in relay.delivered():
        octets = content_of(file.read_bytes())
        found = re.match(rb"X-Number: (\d+)\r\n", octets)
        if found is not None:
            number = int(found[1])
            assert octets == content(number)
            stored[number] += 1
    return stored


@pytest.mark.parametrize("command", ["DATA", "BDAT"])
def test_D7_P2_a_reset_at_any_octet_stores_the_whole_message_or_nothing(relay: Relay, command: str) -> None:
    never, always, once = set[int](), set[int](), set[int]()
    for in_step in (False, True):
        for cut in range(len(write_script(command).octets) + 1):
            script = write_script(command)
            wire = Wire(relay.port)
            heard = play(wire, script, cut, in_step=in_step)
            wire.reset()
            whole = always if TAKEN in heard else once
            (never if cut < script.end else whole).add(script.number)
    relay.assert_well()
    stored = count_stored(relay)
    assert not never & set(stored)
    assert always <= set(stored)
    assert len(always) > 5
    assert {number for number in always | once if stored[number] > 1} == set()


@pytest.mark.parametrize("command", ["DATA", "BDAT"])
def test_D7_P2_a_half_close_at_any_octet_stores_what_is_acknowledged(relay: Relay, command: str) -> None:
    for in_step in (False, True):
        scripts = {}
        for cut in range(len(write_script(command).octets) + 1):
            script = write_script(command)
            with Wire(relay.port) as wire:
                heard = play(wire, script, cut, in_step=in_step)
                with suppress(OSError):  # closed already, behind QUIT
                    wire.half_close()
                heard += wire.read_all()
            scripts[script.number] = cut >= script.end
            assert (TAKEN in heard) is (cut >= script.end), (cut, heard)
        relay.assert_well()
        stored = count_stored(relay)
        assert {number: stored[number] for number in scripts} == scripts


def drop_at_once(clients: list[Wire]) -> None:
    """Do nothing."""


def drop_after_greeting(clients: list[Wire]) -> None:
    for client in clients:
        assert client.reply().startswith(b"220 ")


def drop_after_hello(clients: list[Wire]) -> None:
    for client in clients:
        client.send(b"EHLO c.example\r\n")
    for client in clients:
        client.reply()
        assert client.reply().startswith(b"250-")


@pytest.mark.timeout(300)
def test_P6_100_000_connections_opened_and_dropped_leave_nothing_behind(relay: Relay) -> None:
    connections = 100_000 if relay.loop == "uvloop" else 30_000
    manners = itertools.cycle(
        itertools.product((drop_at_once, drop_after_greeting, drop_after_hello), (Wire.close, Wire.reset))
    )
    churn(relay, manners, 5_000)
    before_kib = resident_kib(relay.smtprd)
    churn(relay, manners, connections - 5_000)
    relay.assert_well()
    assert resident_kib(relay.smtprd) < before_kib + 4096


Manner = tuple[Callable[[list[Wire]], None], Callable[[Wire], None]]


def churn(relay: Relay, manners: Iterator[Manner], connections: int) -> None:
    for _ in range(connections // 250):
        behave, drop = next(manners)
        clients = [Wire(relay.port) for _ in range(250)]
        behave(clients)
        for client in clients:
            drop(client)
    wait_until(
        lambda: count_descriptors(relay.smtprd) <= relay.descriptors_at_rest, "the connections to be gone"
    )


def test_S2_P6_clients_that_never_read_cost_little_and_are_cut_off(relay: Relay) -> None:
    commands = [b"EHLO c.example\r\n", b"HELP\r\n", b"NOOP\r\n"] * 2
    before_kib = resident_kib(relay.smtprd)
    with ExitStack() as stack:
        for command in commands:
            stack.enter_context(deaf_client(relay.port, command))
        assert send_one(relay, b"Subject: in between\r\n").startswith(TAKEN)
        assert resident_kib(relay.smtprd) < before_kib + 2048 * len(commands)
        relay.assert_well()  # while they still wait


def deaf_client(port: int, command: bytes) -> socket.socket:
    """Connect, and send commands until the server takes no more; their replies are never read."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    client.settimeout(0.2)
    sent = 0
    many = command * (2**16 // len(command))
    with suppress(TimeoutError, ConnectionError):
        while sent < 2**26:
            sent += client.send(many)
    assert sent < 2**26
    return client


def test_A18_silence_ends_in_421_at_any_point_and_an_octet_now_and_then_is_no_silence(relay: Relay) -> None:
    to_recipient = b"EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<u@here.example>\r\n"
    to_data = to_recipient + b"DATA\r\n"
    to_chunk = to_recipient + b"BDAT 100\r\n"
    before = relay.books().accepted
    with ExitStack() as stack:
        silent = []
        for sent, replies in (
            (b"", 1),
            (b"EHLO", 1),
            (b"EHLO c\r", 1),
            (to_recipient, 4),
            (to_data, 5),
            (to_data + b"x\r\n.", 5),
            (to_chunk + b"x", 4),
        ):
            wire = stack.enter_context(Wire(relay.port))
            wire.send(sent)
            assert b"4" not in [wire.reply()[:1] for _ in range(replies)]
            silent.append(wire)
        trickling = stack.enter_context(Wire(relay.port))
        assert trickling.reply().startswith(b"220 ")
        began_s = time.monotonic()
        trickle(trickling, b"NOOP ")
        for wire in silent:
            assert wire.reply().startswith(b"421 4.4.2 ")
            assert IDLE_S - 0.5 < time.monotonic() - began_s < IDLE_S + 1.5
            assert wire.reply() == b""
        trickle(trickling, b"bits")
        assert time.monotonic() - began_s > IDLE_S + 1.5
        assert trickling.ask(b"").startswith(b"250 ")
    relay.assert_well()
    assert relay.books().accepted == before + 1


def trickle(wire: Wire, octets: bytes) -> None:
    for octet in octets:
        wire.send(bytes([octet]))
        assert wire.is_quiet(0.5)


def test_S2_more_than_a_thousand_crumbs_end_the_session(relay: Relay) -> None:
    with Wire(relay.port) as wire:
        wire.send(b"EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<u@here.example>\r\n")
        wire.send(b"BDAT 1\r\nx" * 1001)
        replies = [wire.reply()[:9] for _ in range(1004)]
        assert replies[3:] == [b"250 2.1.5"] + [b"250 2.0.0"] * 1000
        assert wire.reply().startswith(b"421 4.7.0 ")
        assert wire.read_all() == b""
    with Wire(relay.port) as wire:  # as many as may be
        wire.send(b"EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<u@here.example>\r\n")
        wire.send(b"BDAT 1\r\nx" * 999 + b"BDAT 0 LAST\r\n")
        replies = [wire.reply() for _ in range(1004)]
        assert replies[-1].startswith(TAKEN)
    before = relay.books().accepted
    relay.assert_well()
    assert relay.books().accepted == before + 1


def test_S1_a_post_of_http_ends_the_session_and_stores_nothing(relay: Relay) -> None:
    before = relay.books().accepted
    mail = b"EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<u@here.example>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n"
    browser = http.client.HTTPConnection("127.0.0.1", relay.port, timeout=20)
    browser.request("POST", "/", mail, {"Content-Type": "text/plain"})
    assert browser.sock is not None
    with browser.sock.makefile("rb") as stream:
        assert stream.readline().startswith(b"220 ")
        assert stream.readline().startswith(b"421 4.7.0 ")
        assert stream.read() == b""
    browser.close()
    assert relay.books().accepted == before
    relay.assert_well()


def test_P6_without_descriptors_the_relay_waits_until_some_are_free(relay: Relay) -> None:
    most = resource.prlimit(relay.smtprd, resource.RLIMIT_NOFILE)
    resource.prlimit(relay.smtprd, resource.RLIMIT_NOFILE, (relay.descriptors_at_rest + 20, most[1]))
    try:
        clients = [Wire(relay.port) for _ in range(60)]
        assert clients[0].reply().startswith(b"220 ")
        wait_until(
            lambda: count_descriptors(relay.smtprd) >= relay.descriptors_at_rest + 20, "all to be in use"
        )
        for client in clients:
            client.close()
    finally:
        resource.prlimit(relay.smtprd, resource.RLIMIT_NOFILE, most)
    relay.assert_well(expected="Too many open files")
