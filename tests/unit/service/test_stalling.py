"""When a holder of what all wait for is taken to be stalled (P8); no time passes here."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from paperpath.service.stalling import Holder, Sight, find_stalled, look_again, pause_between_looks

LIMIT_S = 10.0
PAUSE_S = pause_between_looks(LIMIT_S)
STALLED = Holder(4711, "queue.lock", (4096, 1))


def look_on(looks: Iterable[tuple[float, Holder | None]]) -> list[float]:
    """Look at each time at a holder; return when one was found stalled."""
    sight, found = Sight(), []
    for now_s, holder in looks:
        sight = look_again(sight, holder, now_s, LIMIT_S)
        if find_stalled(sight, LIMIT_S) is not None:
            found.append(now_s)
    return found


def at_pauses(holders: Iterable[Holder | None]) -> list[tuple[float, Holder | None]]:
    return [(1000 + number * PAUSE_S, holder) for number, holder in enumerate(holders)]


def test_P8_who_gets_nothing_done_is_stalled_when_the_time_is_over() -> None:
    assert look_on(at_pauses([STALLED] * 6)) == [1010]


def test_P8_a_busy_system_holds_the_lock_at_every_look() -> None:
    busy = [Holder(4711, "queue.lock", (4096, moment)) for moment in range(20)]
    assert look_on(at_pauses(busy)) == []
    turns = [Holder(4711 + number % 2, "queue.lock", (4096, 1)) for number in range(20)]
    assert look_on(at_pauses(turns)) == []


def test_P8_who_let_go_once_begins_anew() -> None:
    assert look_on(at_pauses([STALLED] * 5 + [None] + [STALLED] * 5)) == []


def test_P8_who_went_on_from_the_turn_to_the_lock_begins_anew() -> None:
    turn = Holder(4711, "queue.turn", (4096, 1))
    assert look_on(at_pauses([turn] * 5 + [STALLED] * 5)) == []


def test_P8_nobody_is_never_stalled() -> None:
    assert look_on(at_pauses([None] * 20)) == []


def test_P8_who_was_held_up_itself_does_not_judge() -> None:
    assert look_on([(1000, STALLED), (1060, STALLED), (1062, STALLED)]) == []


@given(
    st.lists(
        st.tuples(
            st.floats(0.1, 30),
            st.sampled_from([None, STALLED, Holder(1, "a", 1), Holder(4711, "queue.lock", 2)]),
        )
    )
)
def test_P8_only_what_was_the_same_for_so_long_is_found(steps: list[tuple[float, Holder | None]]) -> None:
    sight, now_s = Sight(), 0.0
    seen: list[tuple[float, Holder | None]] = []
    for step_s, holder in steps:
        now_s += step_s
        sight = look_again(sight, holder, now_s, LIMIT_S)
        seen.append((now_s, holder))
        found = find_stalled(sight, LIMIT_S)
        if found is not None:
            before = [at_s for at_s, other in seen if other != found]
            since_s = min(at_s for at_s, _ in seen if not before or at_s > before[-1])
            assert found == holder
            assert now_s - since_s >= LIMIT_S
