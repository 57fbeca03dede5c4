"""The pace of reports to one address (H-24)."""

from hypothesis import given
from hypothesis import strategies as st

from paperpath.mail.address import Mailbox
from paperpath.maildrop.values import MOST_PAUSE_US
from paperpath.postoffice.pace import MINUTE_US, MOST_ADDRESSES, Pace

ANN = Mailbox("ann", "else.example")


@given(
    most=st.integers(1, 5),
    steps=st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 2 * MINUTE_US)), max_size=60),
)
def test_H24_in_no_minute_there_are_more_than_so_many(most: int, steps: list[tuple[str, int]]) -> None:
    pace, now_us = Pace(most), 0
    given_times: dict[str, list[int]] = {"a": [], "b": []}
    for name, pause_us in steps:
        now_us += pause_us
        time_us = pace.find_time(Mailbox(name, "else.example"), now_us)
        assert time_us >= now_us
        given_times[name].append(time_us)
    for times in given_times.values():
        assert times == sorted(times)
        for first, later in zip(times, times[most:], strict=False):
            assert later - first >= MINUTE_US


def test_H24_5000_go_out_at_100_a_minute() -> None:
    pace = Pace(100)
    times = [pace.find_time(ANN, 7) for _ in range(5000)]
    assert times == [7 + number // 100 * MINUTE_US for number in range(5000)]


def test_H24_one_address_does_not_wait_for_another_and_spelling_makes_no_other() -> None:
    pace = Pace(1)
    assert pace.find_time(ANN, 0) == 0
    assert pace.find_time(Mailbox("joe", "else.example"), 0) == 0
    assert pace.find_time(Mailbox("ANN", "Else.example."), 0) == MINUTE_US


def test_H24_nobody_waits_for_more_than_a_day() -> None:
    pace = Pace(1)
    assert max(pace.find_time(ANN, 0) for _ in range(3000)) == MOST_PAUSE_US


def test_H24_a_clock_that_was_set_back_puts_nothing_off() -> None:
    pace = Pace(1)
    pace.find_time(ANN, 10 * MOST_PAUSE_US)
    assert pace.find_time(ANN, 0) == 0


def test_H24_only_so_many_addresses_are_remembered() -> None:
    pace = Pace(1)
    for number in range(MOST_ADDRESSES):
        pace.find_time(Mailbox(f"u{number}", "else.example"), 0)
    assert pace.find_time(Mailbox("u0", "else.example"), 0) == MINUTE_US
    pace.find_time(ANN, 0)
    assert pace.find_time(Mailbox("u1", "else.example"), 0) == 0
