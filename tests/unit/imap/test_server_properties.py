"""The IMAP core in every state, whatever comes and however it is cut.

What must hold is in tests/fuzz, where atheris goes on with the same.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperpath.imap.server import ServerConnection
from paperpath.imap.states import State
from tests.fuzz.imap_session import perform
from tests.fuzz.imap_wire import ALL_SETTINGS, CRUMBS, LINES, LOGIN, MESSAGES, OPENINGS, PATIENT
from tests.fuzz.session import segments
from tests.support.imap_core import Heard, advance

WORDS = [*map(st.sampled_from, (LINES, MESSAGES, CRUMBS)), st.binary(max_size=6)]
WIRES = st.lists(st.one_of(WORDS), max_size=12).map(b"".join)
INSIDE = {"inside a literal": State.SELECTED, "discarding a literal": State.SELECTED}
INSIDE["refused message"] = State.SELECTED


@pytest.mark.parametrize("place", OPENINGS)
def test_the_openings_lead_where_they_say(place):
    heard = perform(OPENINGS[place], PATIENT)
    assert heard.state is INSIDE.get(place, heard.state)
    assert place in INSIDE or heard.state.value == place


@pytest.mark.slow
@pytest.mark.parametrize("place", OPENINGS)
@settings(max_examples=200)
@given(WIRES, st.sampled_from(ALL_SETTINGS), st.integers(2, 1000))
def test_K8_K30_any_octets_in_any_state_however_they_are_cut(place, wire, core, cut):
    wire = OPENINGS[place] + wire
    whole, crumbs, pieces = (perform(wire, core, how) for how in (0, 1, cut))
    assert whole == crumbs == pieces


# Commands without their tags, in pieces: a client sends the next piece only when it is asked for it.
LITERAL = b"x LOGOUT\r\n" * 70
COMMANDS = (
    [b"NOOP\r\n"],
    [b"SELECT INBOX\r\n"],
    [b"SELECT refused\r\n"],
    [b"SUBSCRIBE {10}\r\n", LITERAL[:10] + b"\r\n"],
    [b"RENAME {10+}\r\n" + LITERAL[:10] + b" {0}\r\n", b"\r\n"],
    [b"SUBSCRIBE {700}\r\n", LITERAL + b"\r\n"],
    [b"SUBSCRIBE {700+}\r\n" + LITERAL + b" {10+}\r\n" + LITERAL[:10] + b"\r\n"],
    [b"SUBSCRIBE {700+}\r\n" + LITERAL + b" {10}\r\n", LITERAL[:10] + b"\r\n"],
    [b"UNKNOWN {10}\r\n", LITERAL[:10] + b"\r\n"],
    [b"UNKNOWN {10+}\r\n" + LITERAL[:10] + b" " + b"y" * 700 + b"{10+}\r\n" + LITERAL[:10] + b"\r\n"],
    [b"LOGIN {3}\r\n", b"tim {5+}\r\nwrong\r\n"],
    [b"APPEND {5}\r\n", b"INBOX {10}\r\n", LITERAL[:10] + b" {3+}\r\nabc {20}\r\n", LITERAL[:20] + b"\r\n"],
    [b"APPEND refused {10}\r\n", LITERAL[:10] + b"\r\n"],
    [b"APPEND refused {10+}\r\n" + LITERAL[:10] + b" {3}\r\n", b"abc\r\n"],
    [b"APPEND INBOX {10+}\r\n" + LITERAL[:10] + b" nonsense {10+}\r\n" + LITERAL[:10] + b"\r\n"],
    [b"APPEND INBOX {1001+}\r\n" + LITERAL + LITERAL[:301] + b"\r\n"],
    [b"IDLE\r\n", b"DONE\r\n"],
    [b"IDLE\r\n", b"y" * 700 + b"\r\n"],
    [b"AUTHENTICATE LOGIN\r\n", b"dGlt\r\n", b"dGlt\r\n"],
    [b"y" * 700 + b"\r\n"],
)


def send(core: ServerConnection, heard: Heard, octets: bytes, cut: int) -> bytes:
    """Send some octets; return the last line that came back."""
    for segment in segments(octets, cut):
        core.receive(segment)
        advance(core, heard)
    return heard.lines[-1]


@settings(max_examples=300)
@given(st.lists(st.sampled_from(COMMANDS), max_size=8), st.booleans(), st.integers(0, 1000))
def test_K8_each_command_has_one_answer_in_order_whatever_is_in_its_literals(pieces, logged_in, cut):
    core = ServerConnection(PATIENT, encrypted=True)
    heard = Heard(core.octets_to_send())
    commands = [[LOGIN.removeprefix(b"l ")], *pieces] if logged_in else pieces
    for number, (first, *others) in enumerate(commands):
        last = send(core, heard, b"%d %s" % (number, first), cut)
        for piece in others:
            if not last.startswith(b"+"):
                break
            last = send(core, heard, piece, cut)
        assert last.startswith(b"%d " % number)
    tags = [line.partition(b" ")[0] for line in heard.lines if line[:1] not in b"*+"]
    assert tags == [b"%d" % number for number in range(len(commands))]
