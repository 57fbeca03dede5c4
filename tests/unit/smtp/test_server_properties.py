"""The server core in every state, whatever comes and however it is cut, against an independent model.

The model and the driver are in tests/fuzz, where atheris goes on with the same.
"""

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from paperpath.smtp.server import ServerConnection
from paperpath.smtp.states import State
from tests.fuzz.model import check
from tests.fuzz.session import Driver, Performance, Script, perform
from tests.fuzz.wire import (
    ALL_SETTINGS,
    CHUNKS,
    CONTENT,
    FULL,
    INTO_TLS,
    LINES,
    LOGINS,
    OPENINGS,
    PLAIN,
    TRANSACTIONS,
)

WORDS = [*map(st.sampled_from, (LINES, LOGINS, CHUNKS, CONTENT, TRANSACTIONS)), st.binary(max_size=6)]
WIRES = st.lists(st.one_of(WORDS), max_size=12).map(b"".join)
LOGIN_WIRES = (
    st.lists(st.sampled_from(LOGINS * 3 + LINES), max_size=14)
    .map(b"".join)
    .map(lambda wire: wire.replace(INTO_TLS, b""))
)
LETTING_IN = [core for core in ALL_SETTINGS if core.mechanisms]
# The openings need to be taken; behind them anything goes.
JUDGEMENTS = st.lists(st.sampled_from(b"\0\0\x0c\x0e\x0f"), max_size=6).map(
    lambda octets: bytes([0, 0, *octets])
)
PATIENT = replace(FULL, errors=10_000, failed_logins=10_000)


def script(wire: bytes, core=FULL, *, encrypted=False, judgements=b"", late=False) -> Script:
    return Script(core, tuple(wire.split(INTO_TLS)), encrypted, judgements, late)


def judge(played: Script, cut: int) -> Performance:
    performance = perform(played, cut)
    check(played, performance)
    return performance


def facts(performance: Performance) -> tuple[object, ...]:
    return performance.output, performance.messages, performance.logins, performance.given, performance.state


def is_cut_short(performance: Performance) -> bool:
    """Whether the core saw octets behind STARTTLS before it had answered, which depends on the cut."""
    return b"421 4.7.0 Something came behind STARTTLS" in performance.output


def place_of(core: ServerConnection) -> str:
    if core._to_discard:
        return "discarding a chunk"
    if core.state is State.CHUNKS and core._chunks is not None and core._chunks.left:
        return "inside a chunk"
    return "encrypted" if core.encrypted else core.state.value


@pytest.mark.parametrize("place", OPENINGS)
def test_the_openings_lead_where_they_say(place):
    played = script(OPENINGS[place])
    driver = Driver(played)
    for part in played.parts[:-1]:
        driver.receive(part)
        driver.end_part()
    driver.receive(played.parts[-1])
    assert place_of(driver.core) == place


@pytest.mark.slow
@pytest.mark.parametrize("place", OPENINGS)
@settings(max_examples=250)
@given(WIRES, st.sampled_from(ALL_SETTINGS), JUDGEMENTS, st.booleans(), st.integers(2, 1000))
def test_A2_A3_A35_A40_A52_A86_S8_any_octets_in_any_state(place, wire, core, judgements, late, cut):
    played = script(OPENINGS[place] + wire, core, judgements=judgements, late=late)
    performances = [judge(played, cut) for cut in (0, 1, cut)]
    if not any(map(is_cut_short, performances)):
        assert facts(performances[0]) == facts(performances[1]) == facts(performances[2])


@settings(max_examples=250)
@given(LOGIN_WIRES, st.sampled_from(LETTING_IN), JUDGEMENTS, st.booleans(), st.integers(2, 1000))
def test_A77_A78_A79_A82_A84_whatever_is_said_behind_AUTH(wire, core, judgements, late, cut):
    played = script(OPENINGS["ready"] + wire, core, encrypted=True, judgements=judgements, late=late)
    performances = [judge(played, cut) for cut in (0, 1, cut)]
    assert facts(performances[0]) == facts(performances[1]) == facts(performances[2])


@settings(max_examples=200)
@given(WIRES, st.sampled_from((FULL, PLAIN)), st.integers(0, 1000))
def test_A73_a_session_inside_tls_is_as_one_in_the_clear_but_for_starttls(wire, core, cut):
    assume(b"STARTTLS" not in wire.upper())
    wire = wire.replace(INTO_TLS, b"")
    clear, encrypted = judge(script(wire, core), cut), judge(script(wire, core, encrypted=True), cut)
    shown = clear.output.replace(b"250-HELP\r\n250 STARTTLS\r\n", b"250 HELP\r\n")
    shown = shown.replace(b"250-STARTTLS\r\n", b"")
    assert (shown, clear.messages) == (encrypted.output, encrypted.messages)


@settings(max_examples=200)
@given(st.sampled_from(["ready", "sender", "recipients", "chunks"]), WIRES, WIRES, st.integers(0, 1000))
def test_A71_A72_nothing_said_in_the_clear_is_known_inside_tls(place, behind, inside, cut):
    before = OPENINGS[place] + b"STARTTLS\r\n"
    behind, inside = behind.replace(INTO_TLS, b""), inside.replace(INTO_TLS, b"")
    if behind:  # the reply to STARTTLS comes before what stands behind it, as over a network
        driver = Driver(script(before, PATIENT))
        driver.receive(before)
        driver.receive(behind)
        driver.end_part()
        performance = driver.done
        assert (performance.state, performance.messages) == (State.CONNECTED, [])
        size = len(performance.output)
        driver.receive(inside)
        driver.end_part()
    else:
        performance = judge(script(before + INTO_TLS + inside, PATIENT), cut)
        size = performance.handshakes[0]
    fresh = perform(script(inside, PATIENT, encrypted=True))
    greeting = fresh.output.index(b"\r\n") + 2
    assert performance.output[size:] == fresh.output[greeting:]
    assert performance.messages == fresh.messages
    assert performance.state is fresh.state
