"""How much may be on its way at once (P6, G-13, G-15)."""

from hypothesis import given
from hypothesis import strategies as st

from paperpath.remote.windows import FIRST_WINDOW, KEPT_S, Feedback, Limits, LimitTable, Windows


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


def test_failure_halves_a_window_and_closes_it_at_last():
    one = windows()
    begin(one, "a", 8)
    closed = end(one, "a", Feedback.BAD, 3)
    assert closed == [False, False, True]  # 5, 2.5, 1.25, and less than one
    assert end(one, "a", Feedback.NEUTRAL, 4) == [False] * 4
    assert one.rooms(0).of("a") == 0  # one is on its way yet


def test_a_destination_that_was_away_begins_with_one():
    one = windows()
    begin(one, "a", 1)
    one.begin_anew("a")
    assert one.rooms(0).of("a") == 0
    end(one, "a", Feedback.GOOD)
    begin(one, "b", 1)


def test_a_window_is_known_while_all_of_it_is_done_between_two_claims():
    one = windows()
    for moment in range(20):
        room = one.rooms(moment).of("a")
        begin(one, "a", room, moment)
        end(one, "a", Feedback.GOOD, room)
    assert one.rooms(20).of("a") == 4 * 8


def test_what_is_idle_is_forgotten_after_a_while():
    one = windows()
    begin(one, "a", 1)
    end(one, "a", Feedback.GOOD)
    assert one.rooms(0).named == {"a": FIRST_WINDOW + 1}
    assert one.rooms(KEPT_S).named == {}


def test_what_was_idle_in_between_is_not_forgotten():
    one = windows()
    begin(one, "a", 2)
    end(one, "a", Feedback.GOOD, 2)
    one.rooms(0)
    begin(one, "a", 1)
    end(one, "a", Feedback.GOOD)
    assert "a" in one.rooms(KEPT_S).named


def test_P6_G15_the_fuller_it_is_the_less_a_new_destination_gets():
    one = windows(most=100)
    got = []
    for number in range(100):
        room = min(one.rooms(0).of(str(number)), one.room)
        got.append(room)
        begin(one, str(number), room)
    assert got[0] == FIRST_WINDOW
    assert got == sorted(got, reverse=True)
    assert sum(got) == 100
    assert sum(map(bool, got)) >= 40  # so many that never answer leave room for the next one


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
    assert one.room == 4


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
        assert one.room == 20 - sum(in_flight.values())
        assert all(in_flight[name] <= 4 * 8 for name in "abc")
        assert all(one.is_used(name) == (in_flight[name] > 0) for name in "abc")
