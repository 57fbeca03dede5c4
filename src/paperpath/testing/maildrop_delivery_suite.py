"""The contract of a maildrop, third part: outcomes and their reports, suspended destinations, the clock."""

from paperpath.mail.outcome import Deferred, Delivered, Discarded, Failed, Forwarded, SetAside
from paperpath.maildrop.values import (
    MOST_PAUSE_US,
    Origin,
    QueueFilter,
    Retry,
    Settlement,
    Sorted,
    Stage,
    State,
    Transport,
)
from paperpath.testing.maildrop_tools import (
    LATER,
    NEVER,
    SENT,
    Check,
    Engine,
    claim_all,
    make_message,
    make_report,
    next_stage,
    put,
    put_sorted,
    settle_all,
    waiting_for,
)


async def p3_d13_a_failure_and_its_report_are_one_step(engine: Engine) -> None:
    """One report of several recipients comes once; the message goes with its last recipient."""
    maildrop = await engine.open()
    await put_sorted(maildrop, "a@here.example", "b@here.example", "c@here.example")
    claims = await claim_all(maildrop)
    report = await make_report(maildrop, "sender@else.example")
    failures = [Settlement(claim.recipient_id, Failed(NEVER), report) for claim in claims[:2]]
    assert await maildrop.settle([*failures, Settlement(claims[2].recipient_id, Delivered(SENT))]) == 3
    books = maildrop.read_books()
    assert (books.failed, books.delivered, books.reported, books.unsorted) == (2, 1, 1, 1)
    assert books.balance
    assert maildrop.read_message(claims[0].message.queue_id) is None
    assert [one.queue_id for one in waiting_for(maildrop)] == [report.queue_id]
    await maildrop.close()


async def p3_a_report_of_what_is_passed_over_is_passed_over(engine: Engine) -> None:
    """Who no longer has the claim leaves nothing behind."""
    first, second = await engine.open(), await engine.open()
    await put_sorted(first, "a@here.example")
    (claim,) = await claim_all(first)
    late = Settlement(claim.recipient_id, Failed(NEVER), await make_report(second, "sender@else.example"))
    assert await second.settle([late]) == 0
    assert await second.settle_unclaimed([late]) == 0
    books = first.read_books()
    assert (books.reported, books.claimed, books.balance) == (0, 1, True)
    await first.close()
    await second.close()


async def d9_what_is_set_aside_in_delivery_is_held_with_a_notice(engine: Engine) -> None:
    """Nobody gets it until an operator has looked."""
    maildrop = await engine.open()
    await put_sorted(maildrop, "a@here.example")
    (claim,) = await claim_all(maildrop)
    notice = await make_report(maildrop, "postmaster")
    assert await maildrop.settle([Settlement(claim.recipient_id, SetAside(NEVER), notice)]) == 1
    (entry,) = maildrop.find(QueueFilter(state=State.HELD), 0, 10)
    assert (entry.recipient_id, entry.last_reply, entry.attempts) == (claim.recipient_id, str(NEVER), 1)
    assert not await claim_all(maildrop)
    books = maildrop.read_books()
    assert (books.held, books.reported, books.balance) == (1, 1, True)
    await maildrop.close()


async def p2_what_another_host_took_is_relayed(engine: Engine) -> None:
    """Delivered here and taken elsewhere are two lines of the books."""
    maildrop = await engine.open()
    await put(maildrop, "a@else.example")
    (waiting,) = waiting_for(maildrop)
    decision = Sorted(waiting.id, waiting.address, Transport.REMOTE, "else.example")
    await maildrop.sort([decision], maildrop.read_epoch(), 10)
    assert await next_stage(engine) is Stage.SORTING
    assert await next_stage(engine) is Stage.REMOTE
    claims = (await maildrop.claim(Transport.REMOTE, 10, 100)).claims
    assert await settle_all(maildrop, claims) == 1
    books = maildrop.read_books()
    assert (books.relayed, books.delivered, books.balance) == (1, 0, True)
    await maildrop.close()


async def p2_p3_what_goes_on_as_another_message_is_expanded_into_that(engine: Engine) -> None:
    """The message that it goes on as is accepted in the same step; what is discarded is counted as that."""
    maildrop = await engine.open()
    await put_sorted(maildrop, "a@here.example", "b@here.example")
    first, second = await claim_all(maildrop)
    message = await make_message(maildrop, "x@else.example", origin=Origin.FORWARD)
    settlements = [
        Settlement(first.recipient_id, Forwarded(SENT), message),
        Settlement(second.recipient_id, Discarded(SENT)),
    ]
    assert await maildrop.settle(settlements) == 2
    books = maildrop.read_books()
    assert (books.accepted, books.expanded, books.discarded, books.open) == (3, 1, 1, 1)
    assert (books.reported, books.balance) == (0, True)
    (waiting,) = waiting_for(maildrop)
    assert (waiting.queue_id, str(waiting.address), waiting.is_report) == (
        message.queue_id,
        "x@else.example",
        False,
    )
    assert maildrop.read_message(first.message.queue_id) is None
    await maildrop.close()


async def the_first_of_two_settlements_counts(engine: Engine) -> None:
    """Compare-and-set holds within a batch, too; and there the report of the first."""
    maildrop = await engine.open()
    await put_sorted(maildrop, "a@here.example")
    (claim,) = await claim_all(maildrop)
    report = await make_report(maildrop, "sender@else.example")
    settlements = [
        Settlement(claim.recipient_id, Deferred(LATER, 50)),
        Settlement(claim.recipient_id, Failed(NEVER), report),
        Settlement(claim.recipient_id + 999, Delivered(SENT)),
    ]
    assert await maildrop.settle(settlements) == 1
    books = maildrop.read_books()
    assert (books.ready, books.reported, books.failed) == (1, 0, 0)
    await maildrop.close()


async def the_last_reply_can_be_seen(engine: Engine) -> None:
    """P9: what the last attempt met with, and how many there were."""
    maildrop = await engine.open()
    await put_sorted(maildrop, "a@here.example", "b@here.example")
    first, second = await claim_all(maildrop)
    await maildrop.settle(
        [
            Settlement(first.recipient_id, Deferred(LATER, 50)),
            Settlement(second.recipient_id, Deferred(NEVER, 60)),
        ]
    )
    entries = maildrop.find(QueueFilter(), 0, 10)
    assert [(one.last_reply, one.attempts, one.due_us) for one in entries] == [
        (str(LATER), 1, 50),
        (str(NEVER), 1, 60),
    ]
    await maildrop.close()


async def a_suspended_destination_is_left_alone_until_its_time(engine: Engine) -> None:
    """Then one recipient is claimed as a probe, and no second meanwhile; others are not kept waiting."""
    maildrop = await engine.open()
    await put_sorted(maildrop, *(f"u{number}@down.example" for number in range(5)), "a@up.example")
    await maildrop.suspend(Transport.LOCAL, "down.example", 1_000, "no route")
    assert [claim.destination for claim in await claim_all(maildrop, now_us=999)] == ["up.example"]
    (probe,) = await claim_all(maildrop, now_us=1_000)
    assert not await claim_all(maildrop, now_us=1_000)
    summary = {one.state: one for one in maildrop.summarize() if one.destination == "down.example"}
    assert summary[State.READY].suspended_until_us == 1_000
    assert summary[State.READY].reason == "no route"
    await maildrop.settle([Settlement(probe.recipient_id, Deferred(LATER, 3_000))])
    await maildrop.suspend(Transport.LOCAL, "down.example", 2_000, "still none")
    assert not await claim_all(maildrop, now_us=1_999)
    (probe,) = await claim_all(maildrop, now_us=2_000)
    assert probe.address.local == "u1"
    await settle_all(maildrop, [probe])
    await maildrop.resume(Transport.LOCAL, "down.example")
    assert len(await claim_all(maildrop, now_us=3_000)) == 4
    await maildrop.close()


async def a_probe_of_a_dead_worker_is_none(engine: Engine) -> None:
    """L-1: the next worker may probe."""
    dying, living = await engine.open(), await engine.open()
    await put_sorted(living, "a@down.example", "b@down.example")
    await living.suspend(Transport.LOCAL, "down.example", 50, "no route")
    assert len(await claim_all(dying)) == 1
    assert not await claim_all(living)
    await engine.kill(dying)
    await living.release_dead()
    assert len(await claim_all(living)) == 1
    await living.close()


async def resuming_wakes_who_delivers(engine: Engine) -> None:
    """D-10."""
    maildrop = await engine.open()
    await maildrop.suspend(Transport.REMOTE, "down.example", 50, "no route")
    await maildrop.resume(Transport.REMOTE, "down.example")
    assert await next_stage(engine) is Stage.REMOTE
    await maildrop.close()


async def a_suspension_is_for_one_transport(engine: Engine) -> None:
    """The same name by another way is another destination."""
    maildrop = await engine.open()
    await maildrop.suspend(Transport.REMOTE, "here.example", 1_000, "no route")
    await put_sorted(maildrop, "a@here.example")
    assert len(await claim_all(maildrop)) == 1
    await maildrop.close()


async def a_destination_that_nobody_needs_is_swept(engine: Engine) -> None:
    """One that a recipient names stays, and one that is suspended, until that was over long ago."""
    maildrop = await engine.open()
    await put_sorted(maildrop, "a@here.example", "b@there.example")
    await maildrop.suspend(Transport.REMOTE, "down.example", 1_000, "no route")
    assert await maildrop.sweep_destinations(1_000, 10) == 0
    await settle_all(maildrop, await claim_all(maildrop))
    assert await maildrop.sweep_destinations(1_000, 1) == 1
    assert await maildrop.sweep_destinations(1_000, 10) == 1
    assert await maildrop.sweep_destinations(1_001, 10) == 1
    assert await maildrop.sweep_destinations(1_001, 10) == 0
    await put_sorted(maildrop, "a@here.example")
    assert len(await claim_all(maildrop)) == 1
    await maildrop.close()


async def l7_a_clock_set_back_keeps_nothing_waiting_for_long(engine: Engine) -> None:
    """What is due further ahead than anything is ever put off is due; so is a suspension over."""
    maildrop = await engine.open()
    year_us = 365 * MOST_PAUSE_US
    await put_sorted(maildrop, "a@here.example", "b@here.example")
    first, second = await claim_all(maildrop, now_us=year_us)
    await maildrop.settle([Settlement(first.recipient_id, Deferred(LATER, year_us + 10))])
    assert [claim.recipient_id for claim in await claim_all(maildrop)] == [first.recipient_id]
    await maildrop.settle([Settlement(first.recipient_id, Deferred(LATER, 100 + MOST_PAUSE_US))])
    assert not await claim_all(maildrop)
    assert len(await claim_all(maildrop, now_us=99)) == 1
    await maildrop.settle([Settlement(second.recipient_id, Deferred(LATER, 100))])
    await maildrop.suspend(Transport.LOCAL, "here.example", 100 + MOST_PAUSE_US, "no route")
    assert not await claim_all(maildrop)
    await maildrop.suspend(Transport.LOCAL, "here.example", 101 + MOST_PAUSE_US, "no route")
    assert len(await claim_all(maildrop)) == 1
    await maildrop.close()


async def what_is_due_in_its_time_goes_before_what_the_clock_put_off(engine: Engine) -> None:
    """Within a destination."""
    maildrop = await engine.open()
    await put_sorted(maildrop, "a@here.example", "b@here.example")
    first, second = await claim_all(maildrop)
    await maildrop.settle([Settlement(first.recipient_id, Deferred(LATER, 9 * MOST_PAUSE_US))])
    await maildrop.settle([Settlement(second.recipient_id, Deferred(LATER, 90))])
    assert [claim.recipient_id for claim in await claim_all(maildrop, limit=1)] == [second.recipient_id]
    await maildrop.change([first.recipient_id], Retry(80))
    assert [claim.recipient_id for claim in await claim_all(maildrop)] == [first.recipient_id]
    await maildrop.close()


DELIVERY_CHECKS: tuple[Check, ...] = (
    p3_d13_a_failure_and_its_report_are_one_step,
    p3_a_report_of_what_is_passed_over_is_passed_over,
    d9_what_is_set_aside_in_delivery_is_held_with_a_notice,
    p2_what_another_host_took_is_relayed,
    p2_p3_what_goes_on_as_another_message_is_expanded_into_that,
    the_first_of_two_settlements_counts,
    the_last_reply_can_be_seen,
    a_suspended_destination_is_left_alone_until_its_time,
    a_probe_of_a_dead_worker_is_none,
    resuming_wakes_who_delivers,
    a_suspension_is_for_one_transport,
    a_destination_that_nobody_needs_is_swept,
    l7_a_clock_set_back_keeps_nothing_waiting_for_long,
    what_is_due_in_its_time_goes_before_what_the_clock_put_off,
)
