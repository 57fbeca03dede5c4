"""The contract of a maildrop, fifth part: units and rooms, failed contacts, what is overdue, delays."""

from collections.abc import Sequence

from paperpath.mail.outcome import Deferred, Failed
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.values import (
    ANY_ROOM,
    UNIT_RECIPIENTS,
    Claim,
    Expanded,
    Overdue,
    QueueFilter,
    Retry,
    Rooms,
    Settlement,
    Sorted,
    Suspension,
    Target,
    Transport,
    Warned,
)
from paperpath.testing.maildrop_tools import (
    LATER,
    NEVER,
    SENDER,
    Check,
    Engine,
    make_message,
    make_report,
    put,
    put_sorted,
    settle_all,
    waiting_for,
)


async def one_message_for_one_destination_is_one_unit(engine: Engine) -> None:
    """C-4: it goes in one transaction of SMTP, whatever room and limit are left."""
    maildrop = await engine.open()
    await _put_remote(maildrop, "a@x.example", "b@x.example", "c@y.example", "d@x.example")
    await _put_remote(maildrop, "e@x.example")
    claims = await _claim(maildrop, rooms=Rooms(1), limit=2)
    assert _names(claims) == ["a", "b", "d"]
    assert _names(await _claim(maildrop, rooms=Rooms(1))) == ["c", "e"]
    await maildrop.close()


async def a_unit_is_what_one_transaction_carries(engine: Engine) -> None:
    """At most 100 recipients, and of one return path."""
    maildrop = await engine.open()
    await _put_remote(maildrop, *(f"u{number}@x.example" for number in range(UNIT_RECIPIENTS + 5)))
    assert len(await _claim(maildrop, rooms=Rooms(1))) == UNIT_RECIPIENTS
    assert len(await _claim(maildrop, rooms=Rooms(1))) == 5
    await put(maildrop, "list@x.example", "a@x.example")
    parent = waiting_for(maildrop)[0]
    owner = Target(parent.address, parent.address, "", "", ("list",))
    ours = Target(parent.address, SENDER, "", "", ("list",))
    await maildrop.sort([Expanded(parent.id, (owner, ours))], maildrop.read_epoch(), 10)
    await _sort_remote(maildrop)
    units = [await _claim(maildrop, rooms=Rooms(1)) for _ in range(3)]
    assert [[claim.return_path for claim in unit] for unit in units] == [
        [SENDER, SENDER],
        [parent.address],
        [],
    ]
    await maildrop.close()


async def what_is_not_due_is_no_part_of_a_unit(engine: Engine) -> None:
    """It has its own time."""
    maildrop = await engine.open()
    await _put_remote(maildrop, "a@x.example", "b@x.example")
    first, second = await _claim(maildrop)
    await maildrop.settle(
        [
            Settlement(first.recipient_id, Deferred(LATER, 50)),
            Settlement(second.recipient_id, Deferred(LATER, 500)),
        ]
    )
    assert _names(await _claim(maildrop)) == ["a"]
    assert _names(await _claim(maildrop, now_us=500)) == ["b"]
    await maildrop.close()


async def rooms_bound_each_destination(engine: Engine) -> None:
    """G.2: a full one gives nothing and keeps nobody waiting; local recipients are a unit each."""
    maildrop = await engine.open()
    for number in range(4):
        await _put_remote(maildrop, f"a{number}@x.example")
        await _put_remote(maildrop, f"b{number}@y.example")
        await _put_remote(maildrop, f"c{number}@z.example")
    claims = await _claim(maildrop, rooms=Rooms(1, {"x.example": 0, "y.example": 2}))
    assert sorted(_names(claims)) == ["b0", "b1", "c0"]
    assert not await _claim(maildrop, rooms=Rooms(0))
    assert sorted(_names(await _claim(maildrop, rooms=Rooms(0, {"x.example": 9})))) == [
        "a0",
        "a1",
        "a2",
        "a3",
    ]
    await put_sorted(maildrop, "d@here.example", "e@here.example")
    assert len((await maildrop.claim(Transport.LOCAL, 10, 100, Rooms(1))).claims) == 1
    await maildrop.close()


async def behind_many_full_destinations_the_next_is_served(engine: Engine) -> None:
    """More of them than are claimed at once."""
    maildrop = await engine.open()
    for number in range(30):
        await _put_remote(maildrop, f"a@d{number}.example")
    full = dict.fromkeys((f"d{number}.example" for number in range(29)), 0)
    claims = await _claim(maildrop, limit=2, rooms=Rooms(5, full))
    assert [claim.destination for claim in claims] == ["d29.example"]
    await maildrop.close()


async def a_probe_is_one_unit(engine: Engine) -> None:
    """Of a suspended destination whose time has come; what is given back is no probe any more."""
    maildrop = await engine.open()
    await _put_remote(maildrop, "a@x.example", "b@x.example")
    await _put_remote(maildrop, "c@x.example")
    await maildrop.suspend(Transport.REMOTE, "x.example", 50, "down")
    assert not await _claim(maildrop, rooms=Rooms(5, {"x.example": 0}))
    probe = await _claim(maildrop)
    assert _names(probe) == ["a", "b"]
    assert not await _claim(maildrop)
    assert await maildrop.give_back([claim.recipient_id for claim in probe]) == 2
    assert _names(await _claim(maildrop)) == ["a", "b"]
    await maildrop.close()


async def what_is_given_back_is_as_it_was(engine: Engine) -> None:
    """Due when it was, not tried, no attempt counted; only one's own."""
    mine, other = await engine.open(), await engine.open()
    await _put_remote(mine, "a@x.example", "b@x.example")
    (before, _), claims = mine.find(QueueFilter(), 0, 10), await _claim(mine)
    numbers = [claim.recipient_id for claim in claims]
    assert await other.give_back(numbers) == 0
    assert await mine.give_back([*numbers, 999]) == 2
    assert mine.find(QueueFilter(), 0, 1) == [before]
    assert await _claim(other) == claims
    assert await mine.give_back(numbers) == 0
    assert other.read_books().balance
    await mine.close()
    await other.close()


async def a_failed_contact_counts_for_all_that_wait(engine: Engine) -> None:
    """X-9: as an attempt of each, from when it was sorted there."""
    maildrop = await engine.open()
    await _put_remote(maildrop, "a@x.example")
    for number in range(2):
        await maildrop.suspend(Transport.REMOTE, "x.example", 50, f"down {number}")
    await _put_remote(maildrop, "b@x.example")
    await maildrop.suspend(Transport.REMOTE, "x.example", 60, "down 2")
    assert maildrop.read_suspensions(Transport.REMOTE) == [Suspension("x.example", 60, "down 2", 3)]
    assert maildrop.read_suspensions(Transport.LOCAL) == []
    assert [one.failures for one in maildrop.summarize()] == [3]
    assert [entry.attempts for entry in maildrop.find(QueueFilter(destination="x.example"), 0, 9)] == [3, 1]
    await maildrop.resume(Transport.REMOTE, "x.example")
    assert maildrop.read_suspensions(Transport.REMOTE) == []
    assert [one.failures for one in maildrop.summarize()] == [0]
    claims = await _claim(maildrop)
    assert [claim.attempts for claim in claims] == [3, 1]
    await maildrop.settle([Settlement(claim.recipient_id, Deferred(LATER, 70)) for claim in claims])
    assert [claim.attempts for claim in await _claim(maildrop)] == [4, 2]
    await maildrop.close()


async def failed_contacts_are_kept_on_the_same_way_alone(engine: Engine) -> None:
    """Sorted anew to the same destination it keeps them, to another it begins anew."""
    maildrop = await engine.open()
    await _put_remote(maildrop, "a@x.example", "b@x.example")
    await maildrop.suspend(Transport.REMOTE, "x.example", 50, "down")
    await maildrop.raise_epoch()
    assert await maildrop.reopen_stale(10) == 2
    first, second = waiting_for(maildrop)
    ways = [(first, "x.example"), (second, "y.example")]
    decisions = [Sorted(one.id, one.address, Transport.REMOTE, way) for one, way in ways]
    await maildrop.sort(decisions, maildrop.read_epoch(), 10)
    assert [entry.attempts for entry in maildrop.find(QueueFilter(), 0, 10)] == [1, 0]
    await maildrop.close()


async def retrying_ends_the_failures_in_a_row(engine: Engine) -> None:
    """The operator knows better."""
    maildrop = await engine.open()
    await _put_remote(maildrop, "a@x.example")
    await maildrop.suspend(Transport.REMOTE, "x.example", 500, "down")
    await maildrop.change([1], Retry(90))
    await maildrop.suspend(Transport.REMOTE, "x.example", 500, "down")
    assert [one.failures for one in maildrop.read_suspensions(Transport.REMOTE)] == [1]
    await maildrop.close()


async def what_is_overdue_is_claimed_from_a_suspended_destination(engine: Engine) -> None:
    """By its own deadline or by its age, due or not; as no probe."""
    maildrop = await engine.open()
    for name, at_us, deadline_us in (("old", 1, 0), ("new", 9, 0), ("own", 1, 5), ("long", 1, 99)):
        message = await make_message(maildrop, f"{name}@x.example", at_us=at_us, deadline_us=deadline_us)
        await maildrop.accept(message)
    await _put_remote(maildrop, "old@y.example")
    await maildrop.suspend(Transport.REMOTE, "x.example", 1_000, "down")
    assert not await _claim_overdue(maildrop, Overdue(1, 4))
    assert _names(await _claim_overdue(maildrop, Overdue(9, 10))) == ["old", "own"]
    assert not await _claim_overdue(maildrop, Overdue(9, 10))
    claims = await _claim(maildrop, now_us=1_000)
    assert [claim.destination for claim in claims] == ["x.example", "y.example"]
    await maildrop.close()


async def who_was_attempted_often_enough_is_overdue(engine: Engine) -> None:
    """Failed contacts count, and only so many recipients are given as are asked for."""
    maildrop = await engine.open()
    await _put_remote(maildrop, "a@x.example", "b@x.example", "c@x.example")
    await maildrop.suspend(Transport.REMOTE, "x.example", 50, "down")
    assert not await _claim_overdue(maildrop, Overdue(0, 10, 2))
    await maildrop.suspend(Transport.REMOTE, "x.example", 60, "down")
    await _put_remote(maildrop, "d@x.example")
    assert not await _claim_overdue(maildrop, Overdue(0, 10, 0))
    claims = await _claim_overdue(maildrop, Overdue(0, 10, 2), limit=2)
    assert _names(claims) == ["a", "b"]
    assert await maildrop.settle([Settlement(one.recipient_id, Failed(NEVER)) for one in claims]) == 2
    assert _names(await _claim_overdue(maildrop, Overdue(0, 10, 2))) == ["c"]
    books = maildrop.read_books()
    assert (books.failed, books.claimed, books.balance) == (2, 1, True)
    await maildrop.close()


async def delays_are_found_by_number_and_told_of_once(engine: Engine) -> None:
    """E-13: of what is ready; a mark on a recipient whose report was accepted."""
    maildrop = await engine.open()
    for number, at_us in enumerate((5, 9, 5, 5), 1):
        await put(maildrop, f"u{number}@x.example", at_us=at_us)
    assert not maildrop.find_late(9, 0, 10)
    await _sort_remote(maildrop)
    assert maildrop.find_late(9, 0, 10) == [1, 3, 4]
    assert maildrop.find_late(9, 1, 1) == [3]
    assert not maildrop.find_late(5, 0, 10)
    report = await make_report(maildrop, "sender@else.example")
    assert await maildrop.warn([Warned(1, report), Warned(3, report), Warned(1, report)]) == 2
    assert maildrop.find_late(9, 0, 10) == [4]
    assert [claim.warned for claim in maildrop.examine([1, 3, 4]).claims] == [True, True, False]
    assert await maildrop.warn([Warned(3, await make_report(maildrop, "sender@else.example"))]) == 0
    books = maildrop.read_books()
    assert (books.reported, books.ready, books.unsorted, books.balance) == (1, 4, 1, True)
    await maildrop.close()


async def who_is_settled_is_not_told_of_as_late(engine: Engine) -> None:
    """P3: nor is a report accepted; who is being delivered just then is told of."""
    maildrop = await engine.open()
    await _put_remote(maildrop, "a@x.example", "b@x.example")
    claims = await _claim(maildrop)
    assert not maildrop.find_late(9, 0, 10)
    await settle_all(maildrop, claims[:1])
    reports = [await make_report(maildrop, "sender@else.example") for _ in claims]
    assert await maildrop.warn([Warned(1, reports[0]), Warned(2, reports[1])]) == 1
    assert [one.queue_id for one in waiting_for(maildrop)] == [reports[1].queue_id]
    assert maildrop.read_books().balance
    await maildrop.close()


async def p3_an_expansion_and_its_report_are_one_step(engine: Engine) -> None:
    """H-1: "expanded" is reported when it is, not before."""
    maildrop = await engine.open()
    await put(maildrop, "list@x.example")
    (parent,) = waiting_for(maildrop)
    report = await make_report(maildrop, "sender@else.example")
    target = Target(SENDER, SENDER, "", "", ("list",))
    decision = Expanded(parent.id, (target,), report)
    assert await maildrop.sort([decision], maildrop.read_epoch() - 1, 10) == 0
    assert await maildrop.sort([decision, decision], maildrop.read_epoch(), 10) == 1
    books = maildrop.read_books()
    assert (books.reported, books.made, books.expanded, books.balance) == (1, 1, 1, True)
    await maildrop.close()


async def _sort_remote(maildrop: Maildrop) -> None:
    """Sort everything that waits to remote delivery, by domain."""
    decisions = [
        Sorted(one.id, one.address, Transport.REMOTE, one.address.domain) for one in waiting_for(maildrop)
    ]
    await maildrop.sort(decisions, maildrop.read_epoch(), 10)


async def _put_remote(maildrop: Maildrop, *recipients: str) -> None:
    await put(maildrop, *recipients)
    await _sort_remote(maildrop)


async def _claim(
    maildrop: Maildrop, limit: int = 1000, now_us: int = 100, rooms: Rooms = ANY_ROOM
) -> Sequence[Claim]:
    return (await maildrop.claim(Transport.REMOTE, limit, now_us, rooms)).claims


async def _claim_overdue(maildrop: Maildrop, overdue: Overdue, limit: int = 1000) -> Sequence[Claim]:
    return (await maildrop.claim_overdue(Transport.REMOTE, "x.example", overdue, limit)).claims


def _names(claims: Sequence[Claim]) -> list[str]:
    return [claim.address.local for claim in claims]


REMOTE_CHECKS: tuple[Check, ...] = (
    one_message_for_one_destination_is_one_unit,
    a_unit_is_what_one_transaction_carries,
    what_is_not_due_is_no_part_of_a_unit,
    rooms_bound_each_destination,
    behind_many_full_destinations_the_next_is_served,
    a_probe_is_one_unit,
    what_is_given_back_is_as_it_was,
    a_failed_contact_counts_for_all_that_wait,
    failed_contacts_are_kept_on_the_same_way_alone,
    retrying_ends_the_failures_in_a_row,
    what_is_overdue_is_claimed_from_a_suspended_destination,
    who_was_attempted_often_enough_is_overdue,
    delays_are_found_by_number_and_told_of_once,
    who_is_settled_is_not_told_of_as_late,
    p3_an_expansion_and_its_report_are_one_step,
)
