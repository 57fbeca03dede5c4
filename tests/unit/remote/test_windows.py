"""How much may be on its way at once (P6, G-13, G-15)."""

from hypothesis import given
from hypothesis import strategies as st

from paperpath.remote.windows import (
    FIRST_WINDOW,
    MOST_BROKEN,
    MOST_REMEMBERED,
    REMEMBERED_S,
    Feedback,
    Limits,
    LimitTable,
    Windows,
)


def windows(most_connections: int = 4, most_per_minute: int | None = None, most: int = 1000) -> Windows:
    return Windows(LimitTable(Limits(most_connections, most_per_minute)), most)


def begin(one: Windows, destination: str, count: int, now_s: float = 0.0) -> None:
    for _ in range(count):
        one.begin(destination, now_s)


def end(
    one: Windows, destination: str, feedback: Feedback, count: int = 1, took_s: float = 0.1
) -> list[bool]:
    return [one.end(destination, feedback, took_s) for _ in range(count)]


def test_what_is_not_known_begins_with_a_small_window():
    one = windows()
    assert one.rooms(0).of("a") == FIRST_WINDOW
    begin(one, "a", 3)
    assert one.rooms(0).of("a") == FIRST_WINDOW - 3


def test_success_widens_a_window_up_to_what_its_connections_can_take():
    one = windows(most_connections=2)
    begin(one, "a", 100)
    end(one, "a", Feedback.GOOD, 99)
    assert one.rooms(0).of("a") == 2 * 8 - 1


def test_of_what_is_slow_no_more_is_taken_than_there_are_connections():
    one = windows(most_connections=7)
    begin(one, "a", 50)
    end(one, "a", Feedback.GOOD, 49, took_s=30)
    assert one.rooms(0).of("a") == 7 - 1
    begin(one, "b", 100)
    end(one, "b", Feedback.GOOD, 50)
    end(one, "b", Feedback.GOOD, 49, took_s=30)
    assert one.rooms(0).of("b") == 7 - 1


def test_failure_halves_a_window_once_for_all_that_are_on_their_way_together():
    one = windows()
    begin(one, "a", 9)
    end(one, "a", Feedback.GOOD)
    assert one.rooms(0).of("a") == 0  # six wide, eight on their way
    end(one, "a", Feedback.BAD, 4)
    begin(one, "a", 1)
    end(one, "a", Feedback.BAD, 4)
    assert one.rooms(0).of("a") == 3 - 1
    end(one, "a", Feedback.BAD)
    assert one.rooms(0).of("a") == 1


def test_after_a_failure_a_window_grows_by_one_for_all_of_it():
    one = windows()
    begin(one, "a", 10)
    end(one, "a", Feedback.BAD)
    assert one.rooms(0).of("a") == 0
    end(one, "a", Feedback.GOOD, 9)
    for width in (4, 5):
        assert one.rooms(0).of("a") == width
        begin(one, "a", 4)
        end(one, "a", Feedback.GOOD, 4)


def test_G13_one_that_only_breaks_off_is_closed_at_last():
    one = windows()
    begin(one, "a", 2 * MOST_BROKEN)
    assert end(one, "a", Feedback.BAD, MOST_BROKEN - 1) == [False] * (MOST_BROKEN - 1)
    assert end(one, "a", Feedback.GOOD) == [False]
    assert end(one, "a", Feedback.BAD, MOST_BROKEN) == [False] * (MOST_BROKEN - 1) + [True]
    begin(one, "a", 3)
    assert end(one, "a", Feedback.NEUTRAL, 3) == [False] * 3


def test_G13_one_that_was_away_begins_with_one_at_a_time_and_is_closed_by_the_next_failure():
    one = windows()
    for name in "ab":
        begin(one, name, 1, 1000)
        end(one, name, Feedback.GOOD)  # the probe
        one.begin_anew(name)
        assert one.rooms(1001).of(name) == 1
        begin(one, name, 1, 1001)
        assert one.rooms(1001).of(name) == 0
    assert end(one, "a", Feedback.BAD) == [True]
    assert end(one, "b", Feedback.GOOD) == [False]
    assert one.rooms(1001).of("b") == 2
    one.begin_anew("forgotten")


def test_what_is_idle_is_remembered_for_a_while():
    one = windows()
    begin(one, "a", 6)
    end(one, "a", Feedback.GOOD, 6)
    assert one.rooms(REMEMBERED_S - 1).named == {"a": FIRST_WINDOW + 6}
    assert one.rooms(REMEMBERED_S).named == {"a": FIRST_WINDOW + 6}  # told before it is forgotten
    assert one.rooms(REMEMBERED_S).named == {}


def test_of_many_that_are_idle_the_last_are_remembered_and_those_that_count_yet():
    one = Windows(LimitTable(Limits(4), {"paced": Limits(4, 3)}), 10)
    for name in ["paced", *map(str, range(MOST_REMEMBERED + 1))]:
        begin(one, name, 1)
        end(one, name, Feedback.GOOD)
    one.rooms(0)
    assert set(one.rooms(0).named) == {"paced", *map(str, range(2, MOST_REMEMBERED + 1))}
    assert one.rooms(0).of("paced") == 2


def test_P6_G15_the_fuller_it_is_the_less_a_new_destination_gets_and_some_is_left():
    one = windows(most=100)
    got = []
    for number in range(100):
        room = min(one.rooms(0).of(str(number)), one.room)
        got.append(room)
        begin(one, str(number), room)
    assert got[0] == FIRST_WINDOW
    assert got == sorted(got, reverse=True)
    assert sum(map(bool, got)) >= 50  # so many that never answer leave room for the next one
    assert 60 <= sum(got) <= 75  # and the rest for those that do


def test_P6_G15_those_that_take_something_go_on_however_many_are_silent():
    one = windows(most=100)
    begin(one, "known", 1)
    end(one, "known", Feedback.GOOD)
    while one.rooms(0).other:
        begin(one, str(one.room), 1)
    assert one.rooms(0).other == 0
    assert one.rooms(0).of("known") == FIRST_WINDOW + 1
    assert one.room >= 25
    begin(one, "known", 2)
    end(one, "known", Feedback.NEUTRAL)  # now it is one of the silent
    assert one.rooms(0).of("known") == 0
    end(one, "known", Feedback.GOOD)
    assert one.rooms(0).of("known") == FIRST_WINDOW + 2


def test_when_little_is_left_for_the_silent_the_others_are_not_claimed_for_by_so_little():
    one = windows(most=100)
    begin(one, "silent", 60)
    assert (one.room, one.rooms(0).other) == (15, 1)
    begin(one, "silent", 8)  # seven places are less than a tenth of theirs
    assert (one.room, one.rooms(0).other) == (32, 0)


def test_P6_G15_no_window_is_wider_than_the_room_that_is_left():
    one = windows(most_connections=20, most=100)
    for name in "abcd":
        begin(one, name, 1)
        end(one, name, Feedback.GOOD)
    moving = True
    while moving:
        moving = False
        for name in "abcd":
            if one.rooms(0).of(name) and one.room:
                begin(one, name, 2)
                end(one, name, Feedback.GOOD)
                moving = True
    assert one.room >= 20 - 4
    assert one.rooms(0).other >= 1


def test_no_more_than_so_many_begin_in_any_minute():
    one = windows(most_per_minute=3)
    for moment, room in [(0, 3), (1, 2), (30, 1), (59.9, 0), (60, 1), (60.5, 0), (61, 1), (90, 1), (91, 0)]:
        assert one.rooms(moment).of("a") == room
        begin(one, "a", min(room, 1), moment)
        end(one, "a", Feedback.GOOD, min(room, 1))


def test_a_destination_has_limits_of_its_own():
    one = Windows(LimitTable(Limits(20), {"a": Limits(1, 2), "b": Limits(1)}), 100)
    assert [one.rooms(0).of(name) for name in "abc"] == [2, FIRST_WINDOW, FIRST_WINDOW]
    begin(one, "b", 20)
    end(one, "b", Feedback.GOOD, 19)
    assert one.rooms(0).of("b") == 8 - 1


def test_limits_can_be_renewed_while_mail_is_on_its_way():
    one = windows()
    begin(one, "a", 5)
    one.renew(LimitTable(Limits(1)), 4)
    assert one.room == 0
    end(one, "a", Feedback.GOOD, 5)
    assert one.room == 3  # of four, one is for those that take something


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([*Feedback, None])), max_size=200))
def test_P6_whatever_happens_the_windows_keep_their_word(steps):
    """Nothing begins beyond a room, and the rooms are never below nothing, nor above all there is."""
    one, in_flight = windows(most=20), dict.fromkeys("abc", 0)
    for moment, (destination, feedback) in enumerate(steps):
        rooms = one.rooms(moment)
        assert all(room >= 0 for room in rooms.named.values())
        if feedback is None and rooms.of(destination) and one.room:
            one.begin(destination, moment)
            in_flight[destination] += 1
        elif feedback is not None and in_flight[destination]:
            one.end(destination, feedback, 0.1)
            in_flight[destination] -= 1
        assert one.room <= 20 - sum(in_flight.values())
        assert bool(one.room) == (sum(in_flight.values()) < 20)
        assert all(in_flight[name] <= 4 * 8 for name in "abc")
        assert all(one.is_used(name) == (in_flight[name] > 0) for name in "abc")


def test_a_window_is_known_while_all_of_it_is_done_between_two_claims():
    one = windows()
    for moment in range(20):
        room = one.rooms(moment).of("a")
        begin(one, "a", room, moment)
        end(one, "a", Feedback.GOOD, room)
    assert one.rooms(20).of("a") == 4 * 8
