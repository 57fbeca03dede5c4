"""The contract of a maildrop, second part: ways in and post office, epochs, expansion, reports."""

from dataclasses import replace

from paperpath.mail.address import Mailbox, parse_mailbox
from paperpath.mail.outcome import Deferred
from paperpath.maildrop.content import read_content
from paperpath.maildrop.values import (
    SMALL_CONTENT_OCTETS,
    Aside,
    Decision,
    Expanded,
    Origin,
    QueueFilter,
    Refused,
    Settlement,
    Sorted,
    Stage,
    State,
    Target,
    Transport,
    UnsortedRecipient,
)
from paperpath.testing.maildrop_tools import (
    LATER,
    NEVER,
    SENDER,
    Check,
    Engine,
    claim_all,
    make_message,
    make_report,
    next_stage,
    put,
    put_sorted,
    settle_all,
    sort_all,
    to_local,
    waiting_for,
)


def _target(address: str, *via: str, path: Mailbox | None = SENDER) -> Target:
    return Target(parse_mailbox(address), path, "", "", via)


async def d2_a_unique_key_is_taken_once_even_after_its_message_is_gone(engine: Engine) -> None:
    """A drop file that could not be removed is not taken again; once forgotten, its key is free."""
    maildrop = await engine.open()
    for _ in range(2):
        await maildrop.accept(await make_message(maildrop, "a@here.example", unique="drop/1"))
    await maildrop.accept(await make_message(maildrop, "a@here.example", unique="drop/2"))
    assert maildrop.read_books().accepted == 2
    await sort_all(maildrop)
    await settle_all(maildrop, await claim_all(maildrop))
    await maildrop.accept(await make_message(maildrop, "a@here.example", unique="drop/1"))
    assert (maildrop.read_books().accepted, maildrop.read_books().open) == (2, 0)
    assert maildrop.read_unique("", 1) == ["drop/1"]
    assert maildrop.read_unique("drop/1", 5) == ["drop/2"]
    await maildrop.forget_unique(["drop/1"])
    await maildrop.accept(await make_message(maildrop, "a@here.example", unique="drop/1"))
    await maildrop.accept(await make_message(maildrop, "a@here.example", unique="drop/2"))
    assert maildrop.read_books().accepted == 3
    await maildrop.close()


async def d2_large_content_that_is_not_taken_again_leaves_no_file(engine: Engine) -> None:
    """Whoever asks twice need not know; and the first message keeps its content."""
    maildrop = await engine.open()
    octets = b"x" * (2 * SMALL_CONTENT_OCTETS)
    first = await make_message(maildrop, "a@here.example", unique="k", octets=octets)
    await maildrop.accept(first)
    files = list(engine.content_files())
    await maildrop.accept(await make_message(maildrop, "a@here.example", unique="k", octets=octets))
    await maildrop.accept(first)
    assert list(engine.content_files()) == files
    await sort_all(maildrop)
    assert read_content((await claim_all(maildrop))[0].message.content) == octets
    await maildrop.close()


async def d8_what_was_known_at_acceptance_is_known_to_the_post_office_and_to_delivery(engine: Engine) -> None:
    """Origin, deadline and return path go all the way."""
    maildrop = await engine.open()
    message = await make_message(maildrop, "a@here.example", origin=Origin.DROP, deadline_us=77, at_us=5)
    await maildrop.accept(message)
    (waiting,) = waiting_for(maildrop)
    address = parse_mailbox("a@here.example")
    assert waiting == UnsortedRecipient(waiting.id, message.queue_id, 5, address, address, SENDER, "", "")
    await sort_all(maildrop)
    (claim,) = await claim_all(maildrop)
    assert (claim.message.origin, claim.deadline_us, claim.return_path) == (Origin.DROP, 77, SENDER)
    assert (claim.accepted_address, claim.destination) == (address, "here.example")
    await maildrop.close()


async def the_oldest_are_read_first_and_not_more_than_asked_for(engine: Engine) -> None:
    """The post office works in batches."""
    maildrop = await engine.open()
    for number in range(3):
        await put(maildrop, f"u{number}@here.example")
    found = maildrop.read_unsorted(2)
    assert [one.address.local for one in found.recipients] == ["u0", "u1"]
    assert not found.damaged
    await maildrop.close()


async def p5_a_decision_of_an_older_epoch_is_passed_over(engine: Engine) -> None:
    """What was decided by routes that are no longer in force moves nobody."""
    maildrop = await engine.open()
    await put(maildrop, "a@here.example")
    (waiting,) = waiting_for(maildrop)
    epoch = maildrop.read_epoch()
    assert await next_stage(engine) is Stage.SORTING
    assert await maildrop.raise_epoch() == maildrop.read_epoch() > epoch
    assert await next_stage(engine) is Stage.SORTING
    assert await maildrop.sort([to_local(waiting)], epoch, 10) == 0
    assert await maildrop.sort([to_local(waiting)], maildrop.read_epoch(), 10) == 1
    await maildrop.close()


async def p5_what_is_ready_is_sorted_again_under_a_new_epoch(engine: Engine) -> None:
    """In batches, and not what somebody has claimed; that when it comes back."""
    maildrop = await engine.open()
    await put_sorted(maildrop, "a@here.example", "b@here.example", "c@here.example")
    (claim,) = await claim_all(maildrop, limit=1)
    assert await maildrop.reopen_stale(10) == 0
    await maildrop.raise_epoch()
    assert [await maildrop.reopen_stale(1) for _ in range(3)] == [1, 1, 0]
    assert [one.address.local for one in waiting_for(maildrop)] == ["b", "c"]
    await maildrop.settle([Settlement(claim.recipient_id, Deferred(LATER, 50))])
    assert await maildrop.reopen_stale(10) == 1
    assert await sort_all(maildrop) == 3
    assert await maildrop.reopen_stale(10) == 0
    assert maildrop.read_books().balance
    await maildrop.close()


async def p5_sorted_the_same_way_again_it_keeps_its_time(engine: Engine) -> None:
    """A reload makes nobody knock earlier; another way is a new beginning."""
    maildrop = await engine.open()
    await put_sorted(maildrop, "a@here.example")
    (claim,) = await claim_all(maildrop)
    await maildrop.settle([Settlement(claim.recipient_id, Deferred(LATER, 5_000))])
    for destination, due_us in (("here.example", 5_000), ("else.example", 30), ("else.example", 30)):
        await maildrop.raise_epoch()
        await maildrop.reopen_stale(10)
        (waiting,) = waiting_for(maildrop)
        decision = Sorted(waiting.id, waiting.address, Transport.LOCAL, destination)
        await maildrop.sort([decision], maildrop.read_epoch(), 20 if due_us == 5_000 else 30)
        (entry,) = maildrop.find(QueueFilter(), 0, 10)
        assert entry.due_us == due_us
    await maildrop.close()


async def h24_a_report_is_known_as_one_and_is_not_due_before_its_time(engine: Engine) -> None:
    """What the post office wants later comes later, and is not brought forward when it is sorted again."""
    maildrop = await engine.open()
    await put(maildrop, "a@here.example")
    await maildrop.accept(await make_report(maildrop, "r@here.example"))
    assert [recipient.is_report for recipient in waiting_for(maildrop)] == [False, True]
    decisions = [replace(to_local(recipient), not_before_us=50) for recipient in waiting_for(maildrop)]
    await maildrop.sort(decisions, maildrop.read_epoch(), 10)
    assert await claim_all(maildrop, now_us=49) == ()
    await maildrop.raise_epoch()
    await maildrop.reopen_stale(10)
    await sort_all(maildrop, now_us=20)
    assert await claim_all(maildrop, now_us=49) == ()
    assert len(await claim_all(maildrop, now_us=50)) == 2
    await maildrop.close()


async def p3_expansion_replaces_one_by_others_in_one_step(engine: Engine) -> None:
    """The children have what they were given, and wait for sorting; the books balance (E-9 to E-11)."""
    maildrop = await engine.open()
    await put(maildrop, "list@here.example", "b@here.example")
    parent, _ = waiting_for(maildrop)
    owner = Mailbox("owner-list", "here.example")
    targets = (
        _target("x@else.example", "list@here.example", path=owner),
        Target(Mailbox("y", "else.example"), None, "NEVER", "rfc822;y", ("list@here.example", "y")),
    )
    assert await maildrop.sort([Expanded(parent.id, targets)], maildrop.read_epoch(), 10) == 1
    books = maildrop.read_books()
    assert (books.made, books.expanded, books.unsorted, books.balance) == (2, 1, 3, True)
    _, first, second = waiting_for(maildrop)
    assert (str(first.address), str(first.accepted_address)) == ("x@else.example", "list@here.example")
    assert (first.return_path, first.expanded_via) == (owner, ("list@here.example",))
    assert (second.return_path, second.notify, second.orcpt) == (None, "NEVER", "rfc822;y")
    assert second.expanded_via == ("list@here.example", "y")
    await sort_all(maildrop)
    claims = await claim_all(maildrop)
    assert {claim.return_path for claim in claims} == {SENDER, owner, None}
    assert {claim.expanded_via for claim in claims} == {(), first.expanded_via, second.expanded_via}
    assert await settle_all(maildrop, claims) == 3
    books = maildrop.read_books()
    assert (books.delivered, books.open, books.balance) == (3, 0, True)
    await maildrop.close()


async def l4_a_program_or_file_that_an_alias_names_stays_what_it_is(engine: Engine) -> None:
    """It is a recipient without a domain, of whatever can be printed, and stays one until it is claimed."""
    maildrop = await engine.open()
    await put(maildrop, "list@here.example")
    (parent,) = waiting_for(maildrop)
    places = ["|/bin/x", "|/bin/x 'a b' \"c\\\\\" {recipient}", "/var/mail/list", "/a b/jörg/"]
    targets = tuple(Target(Mailbox(place, ""), SENDER, "", "", ("list",)) for place in places)
    await maildrop.sort([Expanded(parent.id, targets)], maildrop.read_epoch(), 10)
    assert [waiting.address for waiting in waiting_for(maildrop)] == [target.address for target in targets]
    await sort_all(maildrop)
    claims = await claim_all(maildrop)
    assert [claim.address for claim in claims] == [target.address for target in targets]
    assert {str(claim.accepted_address) for claim in claims} == {"list@here.example"}
    await maildrop.close()


async def p2_expanded_into_nobody_a_message_is_gone(engine: Engine) -> None:
    """An alias without a target ends its recipient, and the last one its message."""
    maildrop = await engine.open()
    queue_id = await put(maildrop, "list@here.example")
    (parent,) = waiting_for(maildrop)
    await maildrop.sort([Expanded(parent.id, ())], maildrop.read_epoch(), 10)
    books = maildrop.read_books()
    assert (books.expanded, books.open, books.balance) == (1, 0, True)
    assert maildrop.read_message(queue_id) is None
    await maildrop.close()


async def equal_final_recipients_get_one_copy(engine: Engine) -> None:
    """E-11: in one batch and in several; of different messages each gets its own."""
    maildrop = await engine.open()
    await put(maildrop, "a@here.example", "b@here.example", "c@here.example")
    await put(maildrop, "d@here.example")
    first, second, third, other = waiting_for(maildrop)
    epoch = maildrop.read_epoch()
    assert await maildrop.sort([to_local(first, "k"), to_local(second, "k")], epoch, 10) == 2
    assert await maildrop.sort([to_local(third, "k"), to_local(other, "k")], epoch, 10) == 2
    assert [claim.recipient_id for claim in await claim_all(maildrop)] == [first.id, other.id]
    books = maildrop.read_books()
    assert (books.expanded, books.claimed, books.balance) == (2, 2, True)
    await maildrop.close()


async def a_tombstone_counts_among_equal_recipients(engine: Engine) -> None:
    """`joe: joe, x` gives x one copy, however often joe is deferred and sorted again."""
    maildrop = await engine.open()
    await put(maildrop, "joe@here.example")
    (joe,) = waiting_for(maildrop)
    for _ in range(3):
        targets = (_target("joe@here.example", "joe"), _target("x@else.example", "joe"))
        await maildrop.sort([Expanded(joe.id, targets)], maildrop.read_epoch(), 10)
        decisions = [to_local(one, str(one.address)) for one in waiting_for(maildrop)]
        assert await maildrop.sort(decisions, maildrop.read_epoch(), 10) == 2
        for claim in await claim_all(maildrop):
            outcome = Deferred(LATER, 10)
            if claim.address.local == "x":
                await settle_all(maildrop, [claim])
            else:
                await maildrop.settle([Settlement(claim.recipient_id, outcome)])
        await maildrop.raise_epoch()
        await maildrop.reopen_stale(10)
        (joe,) = waiting_for(maildrop)
    books = maildrop.read_books()
    assert (books.delivered, books.unsorted, books.balance) == (1, 1, True)
    await maildrop.close()


async def p3_who_is_refused_fails_with_its_report(engine: Engine) -> None:
    """One report of several recipients comes once; of the passed over none."""
    maildrop = await engine.open()
    await put(maildrop, "a@here.example", "b@here.example")
    first, second = waiting_for(maildrop)
    report = await make_report(maildrop, "sender@else.example")
    stray = await make_report(maildrop, "stray@else.example")
    decisions = [
        Refused(first.id, NEVER, report),
        Refused(second.id, NEVER, report),
        Refused(99, NEVER, stray),
    ]
    assert await maildrop.sort(decisions, maildrop.read_epoch(), 10) == 2
    books = maildrop.read_books()
    assert (books.accepted, books.failed, books.reported, books.unsorted, books.balance) == (2, 2, 1, 1, True)
    (waiting,) = waiting_for(maildrop)
    assert (waiting.queue_id, waiting.return_path) == (report.queue_id, None)
    await sort_all(maildrop)
    assert (await claim_all(maildrop))[0].message.origin is Origin.REPORT
    await maildrop.close()


async def d9_what_is_set_aside_at_sorting_is_held_with_a_notice(engine: Engine) -> None:
    """And the others of its message go on."""
    maildrop = await engine.open()
    await put(maildrop, "a@here.example", "b@here.example")
    first, second = waiting_for(maildrop)
    notice = await make_report(maildrop, "postmaster")
    decisions: list[Decision] = [Aside(first.id, NEVER, notice), to_local(second)]
    assert await maildrop.sort(decisions, maildrop.read_epoch(), 10) == 2
    (held,) = maildrop.find(QueueFilter(state=State.HELD), 0, 10)
    assert (held.recipient_id, held.last_reply) == (first.id, str(NEVER))
    books = maildrop.read_books()
    assert (books.held, books.ready, books.reported, books.unsorted, books.balance) == (1, 1, 1, 1, True)
    await maildrop.close()


async def the_first_of_two_decisions_counts(engine: Engine) -> None:
    """Compare-and-set holds within a batch, too."""
    maildrop = await engine.open()
    await put(maildrop, "a@here.example", "b@here.example")
    first, _ = waiting_for(maildrop)
    decisions: list[Decision] = [
        to_local(first),
        Refused(first.id, NEVER),
        Expanded(first.id, (_target("x@y.example"),)),
    ]
    assert await maildrop.sort(decisions, maildrop.read_epoch(), 10) == 1
    books = maildrop.read_books()
    assert (books.ready, books.unsorted, books.failed, books.made) == (1, 1, 0, 0)
    await maildrop.close()


async def content_without_a_message_is_swept_once_its_worker_is_dead(engine: Engine) -> None:
    """D-16: whole or partial, when it is old; the content of a message never."""
    dying, living = await engine.open(), await engine.open()
    octets = b"x" * (2 * SMALL_CONTENT_OCTETS)
    await put(dying, "a@here.example", octets=octets)
    writers = []
    for door in (dying, living):
        writers += [door.new_content(door.new_queue_id(1)) for _ in range(2)]
        for writer in writers[-2:]:
            writer.write(octets)
        await writers[-1].finish()
    files = set(engine.content_files())
    await engine.kill(dying)
    assert await living.sweep_content(0) == 0
    swept = await living.sweep_content(2**62)
    assert swept == (2 if files else 0)
    assert len(files) - len(engine.content_files()) == swept
    await sort_all(living)
    assert read_content((await claim_all(living))[0].message.content) == octets
    for writer in writers[2:]:
        writer.discard()
    await living.close()


POST_OFFICE_CHECKS: tuple[Check, ...] = (
    d2_a_unique_key_is_taken_once_even_after_its_message_is_gone,
    d2_large_content_that_is_not_taken_again_leaves_no_file,
    d8_what_was_known_at_acceptance_is_known_to_the_post_office_and_to_delivery,
    the_oldest_are_read_first_and_not_more_than_asked_for,
    p5_a_decision_of_an_older_epoch_is_passed_over,
    p5_what_is_ready_is_sorted_again_under_a_new_epoch,
    p5_sorted_the_same_way_again_it_keeps_its_time,
    h24_a_report_is_known_as_one_and_is_not_due_before_its_time,
    p3_expansion_replaces_one_by_others_in_one_step,
    l4_a_program_or_file_that_an_alias_names_stays_what_it_is,
    p2_expanded_into_nobody_a_message_is_gone,
    equal_final_recipients_get_one_copy,
    a_tombstone_counts_among_equal_recipients,
    p3_who_is_refused_fails_with_its_report,
    d9_what_is_set_aside_at_sorting_is_held_with_a_notice,
    the_first_of_two_decisions_counts,
    content_without_a_message_is_swept_once_its_worker_is_dead,
)
