"""`paperpath queue destinations`: what waits for each, and what could not be reached."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.commands.queue_destinations import Destination, destination_lines
from paperpath.maildrop.values import Transport
from tests.unit.commands.desk import CLAIM_US, Desk, do

NOW_US = 1_700_000_000_000_000
TEXT = st.text(st.characters(codec="utf-8")) | st.sampled_from(["\x1b[2J", "a\nb", "\x9b", "\u202e", "\0"])


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, monkeypatch)


def suspend(desk: Desk, destination: str, until_us: int, times: int) -> None:
    async def work() -> None:
        for _ in range(times):
            await desk.worker.suspend(Transport.LOCAL, destination, until_us, "refused \x1b[2J")

    do(work())


def test_a_destination_is_listed_with_its_mail_and_why_it_is_suspended(desk: Desk) -> None:
    desk.put("a@up.example", "b@up.example", "c@up.example", "d@down.example")
    desk.sort()
    suspend(desk, "down.example", CLAIM_US, 3)
    suspend(desk, "empty.example", CLAIM_US, 1)
    assert len(desk.claim()) == 1
    desk.put("e@up.example")
    listed = [json.loads(line) for line in desk.run("destinations", "--json").output.splitlines()]
    shown = [(one["destination"], one["waiting"], one["in_flight"], one["failures"]) for one in listed]
    assert shown == [("up.example", 2, 1, 0), ("down.example", 1, 0, 3), ("empty.example", 0, 0, 1)]
    assert [one["suspended_until_us"] for one in listed] == [0, CLAIM_US, CLAIM_US]
    text = desk.run("destinations").output
    assert "        2          1  local to up.example\n" in text
    assert "; failed 3 times in a row: 'refused \\x1b[2J'\n" in text
    assert "; failed 1 time: " in text
    assert "\x1b" not in text


def test_where_there_is_none_the_exit_code_says_so(desk: Desk) -> None:
    desk.put("a@here.example")
    assert desk.run("destinations").exit_code == 1


def test_the_next_probe_is_told_from_now() -> None:
    one = Destination("remote", "down.example", 5, 0, NOW_US + 120_000_000, "down", 2)
    _, why = destination_lines(one, NOW_US)
    assert "suspended until 2023-11-14T22:15:20Z, next probe in 2 min; failed 2 times in a row: down" in why
    _, why = destination_lines(one, NOW_US + 120_000_000)
    assert "next probe due" in why


@given(TEXT, TEXT, TEXT, st.integers(-(2**63), 2**63 - 1))
def test_S6_no_destination_reaches_the_terminal_raw(
    transport: str, destination: str, reason: str, time_us: int
) -> None:
    for line in destination_lines(Destination(transport, destination, 1, 1, time_us, reason, 1), NOW_US):
        assert line.isascii()
        assert line.isprintable()
