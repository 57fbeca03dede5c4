"""Queue ids (D-11)."""

from hypothesis import given
from hypothesis import strategies as st

from paperpath.maildrop.queue_id import QueueIds


@given(st.lists(st.integers(0, 2**52), max_size=50), st.integers(1, 10**6))
def test_D11_ids_of_a_worker_only_grow_whatever_the_clock_does(times: list[int], worker: int) -> None:
    ids = QueueIds(worker)
    made = [ids.next(now_us) for now_us in times]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert all(one.isalnum() and one.isascii() for one in made)


def test_D11_ten_thousand_ids_while_the_clock_is_set_back_are_all_different() -> None:
    made = []
    for worker in range(1, 5):  # a program that is started anew is another worker
        ids = QueueIds(worker)
        for number in range(2_500):
            hours_back = number // 500
            made.append(ids.next(1_700_000_000_000_000 + number - hours_back * 3_600_000_000))
    assert len(set(made)) == 10_000


@given(st.integers(0, 2**52), st.integers(1, 10**9), st.integers(1, 10**9))
def test_D11_workers_never_make_the_same(now_us: int, one: int, other: int) -> None:
    assert (QueueIds(one).next(now_us) == QueueIds(other).next(now_us)) is (one == other)
