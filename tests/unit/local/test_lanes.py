"""Whose delivery begins next, and how many at once (issue 11: one mailbox, all mailboxes, and what hangs)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from paperpath.local.holdings import Holdings
from paperpath.local.lanes import Job, Lane, Manner
from paperpath.maildrop.values import Claim
from tests.unit.local.test_delivery import claim

ALONE = Manner(1, 1)
BATCHED = Manner(4, 50)


def fill(lane: Lane, place: str, count: int, manner: Manner, first: int = 0) -> None:
    for number in range(first, first + count):
        lane.put(place, manner, claim(number))


def begin_all(lane: Lane) -> list[Job]:
    jobs = []
    while (job := lane.begin()) is not None:
        jobs.append(job)
    return jobs


def numbers(job: Job | None) -> list[int]:
    return [] if job is None else [one.recipient_id for one in job.claims]


def test_a_place_that_hangs_has_its_share_of_the_slots_and_no_more() -> None:
    lane = Lane(5)
    fill(lane, "hangs", 100, Manner(2, 1))
    stuck = begin_all(lane)
    assert [job.places for job in stuck] == [("hangs",)] * 2
    fill(lane, "works", 3, Manner(2, 1), first=500)
    for number in range(500, 503):
        job = lane.begin()
        assert numbers(job) == [number]
        assert job is not None
        lane.end(job)
    assert lane.begin() is None
    lane.end(stuck[0])
    assert numbers(lane.begin()) == [2]


def test_places_that_hang_together_leave_as_many_slots_as_they_have() -> None:
    """A program may hang for everybody: then it is not only for its recipients that there are none left."""
    lane = Lane(8)
    for number in range(20):
        lane.put(f"hangs {number}", Manner(2, 1), claim(number), "hangs")
    assert [numbers(job) for job in begin_all(lane)] == [[0], [1], [2], [3]]
    for number in range(100, 110):
        lane.put(f"too {number}", Manner(2, 1), claim(number), "hangs too")
    assert [numbers(job) for job in begin_all(lane)] == [[100], [101]]
    lane.put("works", Manner(2, 1), claim(200), "works")
    lane.put("works", Manner(2, 1), claim(201), "works")
    for number in (200, 201):
        (job,) = begin_all(lane)
        assert numbers(job) == [number]
        lane.end(job)


def test_all_places_together_have_the_slots_and_no_more() -> None:
    lane = Lane(3)
    for number in range(10):
        fill(lane, f"place {number}", 1, ALONE, first=number)
    jobs = begin_all(lane)
    assert [numbers(job) for job in jobs] == [[0], [1], [2]]
    assert not lane.wants_more
    lane.end(jobs[1])
    assert numbers(lane.begin()) == [3]


def test_places_take_turns_however_much_waits_for_one() -> None:
    lane = Lane(1)
    fill(lane, "much", 50, ALONE)
    fill(lane, "little", 2, ALONE, first=100)
    order = []
    for _ in range(5):
        job = lane.begin()
        assert job is not None
        order += numbers(job)
        lane.end(job)
    assert order == [0, 100, 1, 101, 2]


def test_what_is_slow_shares_no_job_with_another_place() -> None:
    lane = Lane(2)
    fill(lane, "mbox", 7, Manner(1, 5))
    fill(lane, "other", 2, Manner(1, 5), first=100)
    assert [numbers(job) for job in begin_all(lane)] == [[0, 1, 2, 3, 4], [100, 101]]


def test_what_is_quick_shares_jobs_and_uses_every_slot() -> None:
    """So the flushes of one batch for many mailboxes go on side by side."""
    lane = Lane(8, 50)
    for number in range(96):
        fill(lane, f"box {number}", 1, BATCHED, first=number)
    assert [len(job.claims) for job in begin_all(lane)] == [12] * 8


def test_few_claims_are_no_crowd_of_jobs() -> None:
    lane = Lane(8, 50)
    for number in range(13):
        fill(lane, f"box {number}", 1, BATCHED, first=number)
    assert [len(job.claims) for job in begin_all(lane)] == [10, 3]


def test_what_comes_for_a_place_that_is_served_goes_together_afterwards() -> None:
    """So a mailbox with a quota is looked at once for all of it (F-10)."""
    lane = Lane(8, 50)
    fill(lane, "box", 1, Manner(1, 50))
    first = lane.begin()
    assert first is not None
    fill(lane, "box", 30, Manner(1, 50), first=1)
    assert lane.begin() is None
    assert lane.wants_more
    lane.end(first)
    assert numbers(lane.begin()) == list(range(1, 31))
    fill(lane, "box", 400, Manner(1, 50), first=100)
    assert not lane.wants_more


def test_one_mailbox_uses_all_that_it_may_have() -> None:
    lane = Lane(8, 50)
    fill(lane, "box", 40, BATCHED)
    assert [len(job.claims) for job in begin_all(lane)] == [10] * 4


def test_what_waits_can_be_given_back() -> None:
    lane = Lane(1)
    fill(lane, "a", 2, ALONE)
    fill(lane, "b", 2, ALONE, first=10)
    job = lane.begin()
    assert numbers(job) == [0]
    assert [one.recipient_id for one in lane.drain()] == [10, 11, 1]
    assert lane.drain() == []
    assert lane.begin() is None


PLACES = st.lists(st.tuples(st.integers(0, 4), st.integers(1, 12)), max_size=8)


@given(st.integers(1, 4), st.sampled_from([0, 3, 50]), PLACES, st.lists(st.integers(0, 5), max_size=30))
def test_every_claim_is_in_one_job_and_no_limit_is_passed(
    slots: int, most_in_job: int, arrivals: Sequence[tuple[int, int]], ends: Sequence[int]
) -> None:
    lane = Lane(slots, most_in_job)
    running: list[Job] = []
    begun: list[int] = []
    count = 0

    def begin() -> None:
        for job in begin_all(lane):
            running.append(job)
            begun.extend(numbers(job))
            assert most_in_job or len(job.places) == 1
        at_once = Counter(place for job in running for place in job.places)
        assert len(running) <= slots
        assert all(at_once[f"{place}"] <= place + 1 for place in range(5))

    for place, many in arrivals:
        fill(lane, f"{place}", many, Manner(place + 1, place + 2), first=count)
        count += many
        begin()
    for chosen in ends:
        if running:
            lane.end(running.pop(chosen % len(running)))
            begin()
    while running:
        lane.end(running.pop())
        begin()
    assert sorted(begun) == list(range(count))


def to(destination: str, number: int = 1) -> Claim:
    return replace(claim(number), destination=destination)


def test_of_one_destination_no_more_is_held_than_its_jobs_can_use() -> None:
    holdings = Holdings(100)
    held = [to("slow", number) for number in range(10)]
    assert [holdings.admit(one, Manner(2, 1), "all") for one in held] == [True] * 4 + [False] * 6
    rooms = holdings.rooms(50)
    assert (rooms.of("slow"), rooms.of("other")) == (0, 50)
    holdings.release(held[:1])
    assert holdings.rooms(50).of("slow") == 1
    holdings.release(held[1:4])
    assert holdings.rooms(50).of("slow") == 50


def test_of_all_destinations_no_more_is_held_than_there_is_memory_for() -> None:
    holdings = Holdings(6)
    held = [to(name) for name in "aaabbccdd" if holdings.admit(to(name), Manner(2, 1), name)]
    assert [one.destination for one in held] == ["a", "a", "a", "b", "b", "c"]
    rooms = holdings.rooms(50)
    assert [rooms.of(destination) for destination in ("a", "b", "c", "d", "mailboxes")] == [0, 0, 0, 0, 50]
    holdings.release([to("a")])
    assert holdings.rooms(50).of("d") == 50
    assert holdings.admit(to("d"), ALONE, "d")


def test_of_those_that_can_hang_together_as_much_is_held_as_is_left_for_others() -> None:
    """And they are not asked for again before there is room for many: else others wait for that."""
    holdings = Holdings(100)
    hanging = [to(f"hangs {number}", number) for number in range(60)]
    assert [holdings.admit(one, Manner(2, 1), "hangs") for one in hanging] == [True] * 50 + [False] * 10
    rooms = holdings.rooms(50)
    assert [rooms.of(f"hangs {number}") for number in (0, 49, 50, 59)] == [0] * 4
    others = [to(f"works {number}") for number in range(30)]
    assert [holdings.admit(one, Manner(2, 1), "works") for one in others] == [True] * 25 + [False] * 5
    holdings.release(others[:25])
    assert holdings.rooms(50).of("hangs 59") == 0
    assert holdings.rooms(50).of("works 29") == 50
    holdings.release(hanging[:3])
    assert holdings.rooms(50).of("hangs 59") == 50
