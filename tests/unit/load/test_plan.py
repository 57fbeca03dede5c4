"""What is sent, when, and in which octets."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.load.pace import Pace
from paperpath.load.plan import LEAST_OCTETS, Load, Protocol, Share, parse_sizes
from paperpath.load.token import Token, find_token
from paperpath.load.writing import Writing, deal

RUN = "0123456789abcdef"
ONE = ("me@here.example",)


def plan(**fields: object) -> Load:
    return Load("a@b.example", ONE, **fields)  # type: ignore[arg-type]


def test_sizes_are_read_with_their_shares() -> None:
    assert parse_sizes("4096") == parse_sizes("4KiB") == (Share(4096, 1),)
    assert parse_sizes("4KiB:80, 1MB:20") == (Share(4096, 80), Share(10**6, 20))


@pytest.mark.parametrize("text", ["", "4K", "-5", "255", "4KiB:0", "4KiB,", "101MiB", "4KiB:80:1", "4 KiB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_sizes(text)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_each_size_has_its_share_spread_evenly(weights: list[int]) -> None:
    dealt = deal(tuple(Share(1000 + place, weight) for place, weight in enumerate(weights)))
    assert Counter(dealt) == {1000 + place: weight for place, weight in enumerate(weights)}
    half = Counter(dealt[: len(dealt) // 2])
    assert all(abs(half[1000 + place] - weight / 2) <= 1.5 for place, weight in enumerate(weights))


@given(st.integers(LEAST_OCTETS, 3000), st.integers(0, 10**11))
def test_a_message_has_its_size_its_token_and_one_end(octets: int, number: int) -> None:
    content = Writing(plan(sizes=(Share(octets, 1),)), RUN).content(number, 77)
    assert len(content) - len(b".\r\n") == octets
    assert content.endswith(b"\r\n.\r\n")
    assert content.find(b"\r\n.") == len(content) - 5  # nothing to be stuffed
    assert content.count(b"\n") == content.count(b"\r") == content.count(b"\r\n")
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert find_token(content) == Token(RUN, number, 77)


def test_recipients_take_turns_and_details_make_more_of_one() -> None:
    two = Load("a@b.example", ("x@c.example", "y@c.example", "z@c.example"), recipients=2)
    assert two.recipient_sets == (
        ("x@c.example", "y@c.example"),
        ("y@c.example", "z@c.example"),
        ("z@c.example", "x@c.example"),
    )
    assert plan(recipients=3).recipient_sets == (
        ("me@here.example", "me+1@here.example", "me+2@here.example"),
    )


def test_an_envelope_is_one_group_or_command_by_command() -> None:
    commands = [b"MAIL FROM:<a@b.example>\r\n", b"RCPT TO:<me@here.example>\r\n", b"DATA\r\n"]
    (group,) = Writing(plan(), RUN).envelope(5)
    assert (group.octets, group.replies) == (b"".join(commands), 3)
    single = Writing(plan(pipelining=False), RUN).envelope(5)
    assert [(say.octets, say.replies) for say in single] == [(command, 1) for command in commands]
    assert Writing(plan(protocol=Protocol.LMTP), RUN).hello.octets == b"LHLO source.test\r\n"


@given(st.floats(0.1, 10_000), st.lists(st.integers(0, 200_000), max_size=40))
def test_no_message_is_due_early_and_none_is_left_out_for_being_late(rate: float, waits: list[int]) -> None:
    pace, now_us = Pace(plan(rate=rate), 1000), 1000
    for wait_us in waits:
        now_us += wait_us
        while (number := pace.take(now_us)) is not None:
            assert 1000 + int(number * 1e6 / rate) <= now_us
        assert pace.given == pytest.approx(1 + (now_us - 1000) * rate / 1e6, abs=1.01)


def test_how_late_a_message_was_is_kept() -> None:
    pace = Pace(plan(rate=10), 0)
    assert (pace.take(0), pace.take(99_999), pace.take(350_000), pace.take(350_000)) == (0, None, 1, 2)
    assert pace.latest_us == 250_000


def test_a_load_ends_by_number_by_time_or_when_it_is_stopped() -> None:
    by_number, by_time, stopped = Pace(plan(messages=2), 0), Pace(plan(duration_s=1), 0), Pace(plan(), 0)
    assert [by_number.take(0) for _ in range(3)] == [0, 1, None]
    assert by_number.is_over(0)
    assert (by_time.take(999_999), by_time.take(1_000_000)) == (0, None)
    assert by_time.is_over(1_000_000)
    assert stopped.take(0) == 0
    stopped.stop()
    assert stopped.take(0) is None
    assert stopped.is_over(0)
