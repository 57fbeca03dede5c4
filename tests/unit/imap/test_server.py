"""The IMAP core beside its dialogues: TLS, compression, what a driver may do, bounds of many octets."""

from dataclasses import replace

import pytest

from paperpath.imap import events
from paperpath.imap.commands import Compress, Select
from paperpath.imap.completion import bad, no, ok
from paperpath.imap.extensions import Extension
from paperpath.imap.responses import write_exists
from paperpath.imap.server import ServerConnection
from paperpath.imap.states import State
from paperpath.smtp.events import KeysWanted, LoginFailed
from tests.fuzz.imap_wire import LOGIN
from tests.fuzz.session import segments
from tests.support.core import KEYS, SERVER_NONCE
from tests.support.imap_core import MINUS, SETTINGS, Heard, advance, converse

SCRAM = b"a AUTHENTICATE SCRAM-SHA-256 biwsbj11c2VyLHI9ck9wck5HZndFYmVSV2diTkVrcU8=\r\n"


def connect(settings=SETTINGS, *, encrypted=True, logged_in=True) -> ServerConnection:
    core = ServerConnection(settings, encrypted=encrypted)
    if logged_in:
        core.receive(LOGIN)
        advance(core, Heard())
    core.octets_to_send()
    return core


def tell(core: ServerConnection, octets: bytes) -> events.Event | None:
    core.receive(octets)
    return core.next_event()


def test_K3_what_stands_behind_STARTTLS_in_the_clear_is_never_executed():
    core = connect(encrypted=False, logged_in=False)
    assert tell(core, b"a STARTTLS\r\nb LOGIN tim tanstaaftanstaaf\r\nc NO") == events.TLS_REQUESTED
    core.complete(ok("Go ahead"))
    assert core.state is State.HANDSHAKE
    assert tell(core, b"d LOGIN tim tanstaaftanstaaf\r\n") is None
    core.receive(b"e LOGIN tim tanstaaftanstaaf\r\n")
    core.tls_started()
    assert core.octets_to_send() == b"a OK Go ahead\r\n"
    assert core.encrypted
    assert core.next_event() is None
    assert tell(core, b"f CAPABILITY\r\n") == events.CAPABILITIES_TOLD
    answer = core.octets_to_send()
    assert b"STARTTLS" not in answer
    assert b"AUTH=PLAIN" in answer
    assert isinstance(tell(core, b"g STARTTLS\r\n"), events.CommandRefused)
    assert core.octets_to_send() == b"g BAD This is TLS already\r\n"


def test_K3_tls_that_is_not_available_leaves_the_session_in_the_clear():
    core = connect(encrypted=False, logged_in=False)
    tell(core, b"a STARTTLS\r\nb CAPABILITY\r\n")
    core.complete(no("Not now", "UNAVAILABLE"))
    assert core.next_event() == events.CAPABILITIES_TOLD
    assert b"STARTTLS LOGINDISABLED\r\nb OK" in core.octets_to_send()


def test_K27_behind_the_OK_to_COMPRESS_all_is_compressed():
    core = connect()
    event = tell(core, b"a COMPRESS DEFLATE\r\nb LOGOUT\r\n")
    assert event == events.CommandReceived("a", Compress())
    core.complete(ok("Go ahead"))
    assert core.next_event() is None
    core.compression_started()
    assert isinstance(tell(core, b"c COMPRESS DEFLATE\r\nd CAPABILITY\r\n"), events.CommandRefused)
    assert core.next_event() == events.CAPABILITIES_TOLD
    answers = core.octets_to_send()
    assert b"c NO [COMPRESSIONACTIVE]" in answers
    assert b"COMPRESS=DEFLATE" not in answers
    assert b"b OK" not in answers
    assert core.state is State.AUTHENTICATED


def test_K6_what_is_sent_stays_in_order_with_the_answers():
    core = connect()
    assert tell(core, b"a SELECT INBOX\r\nb CAPABILITY\r\n") == events.CommandReceived("a", Select("INBOX"))
    assert core.next_event() is None
    core.send(write_exists(3))
    core.complete(ok("Selected", "READ-WRITE"))
    assert core.next_event() == events.CAPABILITIES_TOLD
    assert core.octets_waiting > 0
    lines = core.octets_to_send().split(b"\r\n")
    assert lines[:2] == [b"* 3 EXISTS", b"a OK [READ-WRITE] Selected"]
    assert lines[3] == b"b OK That is all"
    assert core.octets_waiting == 0


def test_K17_what_is_new_is_told_while_a_client_idles():
    core = connect()
    tell(core, b"a IDLE\r\n")
    core.go_ahead()
    core.send(write_exists(4))
    assert core.octets_to_send() == b"+ Idling\r\n* 4 EXISTS\r\n"
    assert tell(core, b"DONE\r\n") == events.IDLE_ENDED
    assert core.octets_to_send() == b"a OK No longer idle\r\n"


def test_K17_IDLE_can_be_refused():
    core = connect()
    tell(core, b"a IDLE\r\n")
    with pytest.raises(RuntimeError, match="goes ahead"):
        core.complete(ok("Done"))
    tell(core, b"b IDLE\r\n")
    core = connect()
    tell(core, b"a IDLE\r\nb NOOP\r\n")
    core.complete(no("Too many"))
    assert isinstance(core.next_event(), events.CommandReceived)


def test_K23_the_first_use_of_mod_sequences_switches_CONDSTORE_on():
    uses = (
        b"FETCH 1 MODSEQ", b"FETCH 1 FLAGS (CHANGEDSINCE 1)", b"STORE 1 (UNCHANGEDSINCE 1) FLAGS x",
        b"SEARCH NOT (ALL OR MODSEQ 1 ALL)", b"STATUS x (HIGHESTMODSEQ)", b"SELECT x (CONDSTORE)",
        b"SORT (DATE) UTF-8 MODSEQ 1", b'LIST "" x RETURN (STATUS (HIGHESTMODSEQ))',
    )  # fmt: skip
    for use in uses:
        core = connect()
        advance(core, Heard())
        core.receive(b"s SELECT INBOX\r\ns FETCH 1 FLAGS\r\ns SEARCH ALL\r\n")
        advance(core, Heard())
        assert not core.dialect.is_enabled(Extension.CONDSTORE)
        core.receive(b"u " + use + b"\r\n")
        advance(core, Heard())
        assert core.dialect.is_enabled(Extension.CONDSTORE), use


def test_K22_what_the_driver_refuses_to_enable_stays_off():
    core = connect()
    tell(core, b"a ENABLE UTF8=ACCEPT\r\n")
    core.complete(no("Not now"))
    assert not core.dialect.utf8
    tell(core, b"b ENABLE QRESYNC\r\n")
    core.complete(ok("Enabled"))
    assert core.dialect.is_enabled(Extension.CONDSTORE)


def test_K8_with_LITERAL_MINUS_a_large_literal_is_to_be_asked_for_and_read_over_if_it_was_not():
    settings = replace(MINUS, message_octets=10_000)
    core = connect(settings)
    heard = Heard()
    core.receive(
        b"a APPEND INBOX {4097+}\r\n" + b"b LOGOUT\r\n" * 409 + b"1234567\r\nc APPEND INBOX {4097}\r\n"
    )
    advance(core, heard)
    assert heard.lines == [
        b"a BAD [TOOBIG] A literal of that size is to be asked for",
        b"+ Go ahead",
    ]
    assert core.state is State.MESSAGE


def test_K8_four_gibibytes_are_announced_and_nothing_is_held():
    core = connect(replace(SETTINGS, errors=100))
    heard = Heard()
    for command in (b"SUBSCRIBE", b"APPEND INBOX", b"NOOP", b"UNKNOWN", b"LOGIN"):
        core.receive(b"a " + command + b" {4294967296}\r\nb " + command + b" {100000+}\r\n")
        for _ in range(100):
            core.receive(b"z" * 1000)
            advance(core, heard)
            assert core.pending_octets == 0
        core.receive(b"\r\n")
        advance(core, heard)
    assert [line[:2] for line in heard.lines] == [b"a ", b"b "] * 5


def test_K2_a_login_that_proves_nothing_cannot_be_taken():
    core = connect(logged_in=False)
    assert isinstance(tell(core, SCRAM), KeysWanted)
    core.give_keys(KEYS["tim"], SERVER_NONCE)
    proof = b"Yz1iaXdzLHI9ck9wck5HZndFYmVSV2diTkVrcU8laHZZRHBXVWEyUmFUQ0FmdXhGSWxqKWhObEYkazAs"
    event = tell(core, proof + b"cD1kSHpiWmFwV0lrNGpVaE4rVXRlOXl0YWc5empmTUhnc3FtbWl6N0FuZFZRPQ==\r\n")
    assert isinstance(event, LoginFailed)
    with pytest.raises(RuntimeError, match="proved nothing"):
        core.complete(ok("Welcome"))


def test_K2_a_login_that_nobody_looked_at_is_no_failure():
    core = connect(logged_in=False)
    for number in range(5):
        tell(core, b"%d LOGIN tim x\r\n" % number)
        core.complete(no("Not now", "UNAVAILABLE"))
    assert core.state is State.GREETED


def test_K2_no_secret_is_in_what_is_told():
    heard = converse(
        [b"a LOGIN tim s3cret\r\nb LOGIN tim s3cret more\r\nc AUTHENTICATE PLAIN\r\nczNjcmV0\r\ns3cret\r\n"]
    )
    assert "s3cret" not in repr(heard.told)
    assert "czNjcmV0" not in repr(heard.told)
    assert b"s3cret" not in heard.output


@pytest.mark.parametrize("text", [b"", b"a NOOP\r\n"])
def test_a_driver_answers_what_waits_and_nothing_else(text):
    core = connect()
    event = tell(core, text)
    with pytest.raises(RuntimeError):
        core.go_ahead()
    core = connect()
    tell(core, text)
    if event is None:
        with pytest.raises(RuntimeError):
            core.complete(bad("x"))
    for wrong in (core.tls_started, core.compression_started, lambda: core.give_keys(KEYS["tim"], "x")):
        with pytest.raises(RuntimeError):
            wrong()


def test_a_message_that_did_not_come_cannot_be_taken():
    core = connect()
    tell(core, b"a APPEND INBOX {3}\r\n")
    with pytest.raises(RuntimeError):
        core.complete(ok("Done"))


def test_closing_says_why_once_and_answers_nothing_more():
    core = connect()
    tell(core, b"a NOOP\r\nb NOOP\r\n")
    core.close("Shutting down")
    core.close("Again")
    assert core.octets_to_send() == b"* BYE Shutting down\r\n"
    assert core.next_event() == events.LoggedOut(by_client=False)
    assert core.next_event() is None
    assert tell(core, b"c NOOP\r\n") is None
    assert core.pending_octets == 0


@pytest.mark.parametrize("cut", [0, 1])
@pytest.mark.parametrize(("more", "answer"), [(0, b"a OK"), (1, b"a BAD [TOOBIG]")])
def test_K8_a_command_is_as_long_as_is_allowed_and_no_longer(more, answer, cut):
    line = b"a SUBSCRIBE "
    core = connect()
    heard = Heard()
    for segment in segments(line + b"x" * (SETTINGS.command_octets - len(line) + more) + b"\r\n", cut):
        core.receive(segment)
        advance(core, heard)
    assert heard.output.startswith(answer)
