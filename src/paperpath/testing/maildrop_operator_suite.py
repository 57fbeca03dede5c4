"""The contract of a maildrop, fourth part: what the operator sees and does."""

from dataclasses import replace

from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import Client, Recipient
from paperpath.mail.outcome import Deferred, Delivered, Failed
from paperpath.maildrop.content import read_content
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.values import (
    Deed,
    Expanded,
    Hold,
    QueueFilter,
    Release,
    Remove,
    Reroute,
    Retry,
    Settlement,
    Sorted,
    Stage,
    State,
    Target,
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
    sort_all,
    to_local,
    waiting_for,
)

EVERYTHING = QueueFilter()


def _states(maildrop: Maildrop) -> list[State]:
    return [entry.state for entry in maildrop.find(EVERYTHING, 0, 100)]


async def _one_of_each(maildrop: Maildrop) -> list[int]:
    """Put in one recipient each that is held, claimed, ready and unsorted; return their numbers."""
    await put_sorted(maildrop, "held@here.example", "claimed@here.example", "ready@here.example")
    await put(maildrop, "unsorted@here.example")
    numbers = [entry.recipient_id for entry in maildrop.find(EVERYTHING, 0, 10)]
    await maildrop.change(numbers[:1], Hold("look at this"))
    await claim_all(maildrop, limit=1)
    return numbers


async def _change_all(engine: Engine, deed: Deed) -> tuple[int, list[State]]:
    maildrop = await engine.open()
    numbers = await _one_of_each(maildrop)
    changed = await maildrop.change([*numbers, numbers[0], 999], deed)
    states = _states(maildrop)
    assert maildrop.read_books().balance
    await maildrop.close()
    return changed, states


async def holding_takes_what_is_unsorted_or_ready(engine: Engine) -> None:
    """Never what somebody has claimed."""
    states = [State.HELD, State.CLAIMED, State.HELD, State.HELD]
    assert await _change_all(engine, Hold("wait")) == (2, states)


async def releasing_has_what_is_held_sorted_again(engine: Engine) -> None:
    """By the routes of the day."""
    states = [State.UNSORTED, State.CLAIMED, State.READY, State.UNSORTED]
    assert await _change_all(engine, Release()) == (1, states)


async def removing_takes_what_is_not_claimed(engine: Engine) -> None:
    """And no more."""
    assert await _change_all(engine, Remove()) == (3, [State.CLAIMED])


async def rerouting_takes_what_is_not_claimed(engine: Engine) -> None:
    """It is sorted again, whatever state it was in."""
    states = [State.UNSORTED, State.CLAIMED, State.UNSORTED, State.UNSORTED]
    assert await _change_all(engine, Reroute("smtp:x")) == (3, states)


async def retrying_takes_what_is_ready(engine: Engine) -> None:
    """And no more."""
    states = [State.HELD, State.CLAIMED, State.READY, State.UNSORTED]
    assert await _change_all(engine, Retry(50)) == (1, states)


async def what_is_held_is_not_touched_until_released(engine: Engine) -> None:
    """A hold never expires, and outlasts a new epoch; its reason can be seen."""
    maildrop = await engine.open()
    await put_sorted(maildrop, "a@here.example")
    (entry,) = maildrop.find(EVERYTHING, 0, 10)
    await maildrop.change([entry.recipient_id], Hold("look at this"))
    await maildrop.raise_epoch()
    assert await maildrop.reopen_stale(10) == 0
    assert not await claim_all(maildrop, now_us=2**60)
    assert not waiting_for(maildrop)
    (held,) = maildrop.find(QueueFilter(state=State.HELD, error="look"), 0, 10)
    assert held.last_reply == "look at this"
    await maildrop.change([entry.recipient_id], Release())
    assert await sort_all(maildrop) == 1
    assert await settle_all(maildrop, await claim_all(maildrop)) == 1
    assert maildrop.read_books().balance
    await maildrop.close()


async def a_retry_is_due_now_whatever_was_suspended(engine: Engine) -> None:
    """And who delivers is woken."""
    maildrop = await engine.open()
    await put_sorted(maildrop, "a@here.example", "b@here.example")
    claims = await claim_all(maildrop)
    await maildrop.settle([Settlement(claim.recipient_id, Deferred(LATER, 5_000)) for claim in claims])
    await maildrop.suspend(Transport.LOCAL, "here.example", 5_000, "no route")
    assert [await next_stage(engine) for _ in range(2)] == [Stage.SORTING, Stage.LOCAL]
    assert await maildrop.change([claims[0].recipient_id], Retry(200)) == 1
    assert await next_stage(engine) is Stage.LOCAL
    (again,) = await claim_all(maildrop, now_us=200)
    assert again.recipient_id == claims[0].recipient_id
    await maildrop.close()


async def a_route_override_is_told_to_the_post_office_until_it_is_taken_back(engine: Engine) -> None:
    """Reloads do not undo it, and children inherit it."""
    maildrop = await engine.open()
    await put_sorted(maildrop, "a@here.example")
    for route in ("smtp:gateway.example", ""):
        (entry,) = maildrop.find(EVERYTHING, 0, 10)
        await maildrop.change([entry.recipient_id], Reroute(route))
        for _ in range(2):
            (waiting,) = waiting_for(maildrop)
            assert waiting.route_override == route
            await sort_all(maildrop)
            await maildrop.raise_epoch()
            await maildrop.reopen_stale(10)
    await maildrop.close()


async def p2_what_is_removed_is_counted_and_makes_no_report(engine: Engine) -> None:
    """The message goes with its last recipient."""
    maildrop = await engine.open()
    queue_id = await put(maildrop, "a@here.example", "b@here.example")
    first, second = (entry.recipient_id for entry in maildrop.find(EVERYTHING, 0, 10))
    assert await maildrop.change([first], Remove()) == 1
    assert maildrop.read_message(queue_id) is not None
    assert await maildrop.change([first, second], Remove()) == 1
    assert maildrop.read_message(queue_id) is None
    books = maildrop.read_books()
    assert (books.removed, books.open, books.reported, books.balance) == (2, 0, 0, True)
    await maildrop.close()


async def p3_what_is_bounced_fails_with_its_report(engine: Engine) -> None:
    """Unless somebody has claimed it, or it is no failure."""
    maildrop = await engine.open()
    numbers = await _one_of_each(maildrop)
    report = await make_report(maildrop, "sender@else.example")
    settlements = [Settlement(number, Failed(NEVER), report) for number in numbers]
    assert await maildrop.settle_unclaimed([Settlement(numbers[0], Delivered(SENT))]) == 0
    assert await maildrop.settle_unclaimed([*settlements, settlements[0]]) == 3
    books = maildrop.read_books()
    assert (books.failed, books.reported, books.claimed, books.balance) == (3, 1, 1, True)
    await maildrop.close()


async def an_operator_finds_by_whatever_is_known(engine: Engine) -> None:
    """Everything that is given must match; pages begin after a number."""
    maildrop = await engine.open()
    first = await put(maildrop, "a@here.example", "b@ELSE.example", at_us=10)
    other = await make_message(maildrop, "c@here.example", sender=None, at_us=20)
    client = replace(other.envelope.client, account="ann@here.example")
    await maildrop.accept(replace(other, envelope=replace(other.envelope, client=client)))
    one, _, three = waiting_for(maildrop)
    await maildrop.sort(
        [Sorted(one.id, Mailbox("z", "final.example"), Transport.LOCAL, "final.example")],
        maildrop.read_epoch(),
        5,
    )
    await maildrop.change([three.id], Hold("100% _sure_"))

    def found(**wanted: object) -> str:
        entries = maildrop.find(QueueFilter(**wanted), 0, 10)  # type: ignore[arg-type]
        return "".join(entry.accepted_address[0] for entry in entries)

    assert found() == "abc"
    assert found(queue_id=first) == "ab"
    assert found(recipient="a@here.example") == found(recipient="z@final.example") == "a"
    assert (found(domain="final.example"), found(domain="else.example")) == ("a", "b")
    assert (found(sender="sender@else.example"), found(sender="")) == ("ab", "c")
    assert found(arrived_before_us=20) == "ab"
    assert (found(account="ann@here.example"), found(account="nn@here.example")) == ("c", "")
    assert (found(state=State.UNSORTED), found(state=State.READY), found(state=State.HELD)) == ("b", "a", "c")
    assert (found(error="0% _s"), found(error="%_%"), found(error="x")) == ("c", "", "")
    assert found(queue_id=first, state=State.HELD) == ""
    page = maildrop.find(EVERYTHING, 0, 2)
    assert [entry.accepted_address[0] for entry in page] == ["a", "b"]
    assert [entry.recipient_id for entry in maildrop.find(EVERYTHING, page[-1].recipient_id, 2)] == [three.id]
    await maildrop.close()


async def what_a_user_handed_in_is_listed_message_by_message(engine: Engine) -> None:
    """Recipients that an alias made come beside the others of their message; nobody else's are among them.

    An account that logs in from elsewhere is no user of this host, whatever it is called.
    """
    maildrop = await engine.open()
    handed_in = (("ab", "ann", ""), ("c", "", ""), ("d", "joe", ""), ("e", "ann", ""), ("f", "ann", "::1"))
    for names, account, address in handed_in:
        message = await make_message(maildrop, *(f"{name}@here.example" for name in names))
        client = Client(address, 0, "", "local", account=account)
        await maildrop.accept(replace(message, envelope=replace(message.envelope, client=client)))
    first, *_ = waiting_for(maildrop)
    target = Target(Mailbox("made", "here.example"), None, "", "", ("a",))
    await maildrop.sort([Expanded(first.id, (target,))], maildrop.read_epoch(), 5)

    def browse(user: str | None, page: int) -> str:
        after, seen = (0, 0), ""
        while entries := maildrop.browse(user, after, page):
            after = entries[-1].message_id, entries[-1].recipient_id
            seen += "".join(entry.address[0] for entry in entries)
        return seen

    for page in (1, 2, 10):
        assert browse(None, page) == "bmcdef"
        assert (browse("ann", page), browse("joe", page)) == ("bme", "d")
        assert browse("", page) == browse("jo", page) == ""
    await maildrop.close()


async def a_suspension_is_told_with_whoever_waits_for_it(engine: Engine) -> None:
    """As long as it lasts."""
    maildrop = await engine.open()
    await put_sorted(maildrop, "a@here.example")
    for reason in ("no route", "no answer"):
        await maildrop.suspend(Transport.LOCAL, "here.example", 5_000, reason)
        assert [entry.suspension for entry in maildrop.browse(None, (0, 0), 10)] == [reason]
    await maildrop.resume(Transport.LOCAL, "here.example")
    assert [entry.suspension for entry in maildrop.browse(None, (0, 0), 10)] == [""]
    await maildrop.close()


async def the_summary_counts_by_state_and_destination(engine: Engine) -> None:
    """And says how long the oldest waits."""
    maildrop = await engine.open()
    for number in (3, 2, 4):
        await put(maildrop, "a@here.example", at_us=number)
    first, second, _ = waiting_for(maildrop)
    await maildrop.sort(list(map(to_local, (first, second))), maildrop.read_epoch(), 5)
    counts = {
        (one.state, one.transport, one.destination): (one.recipients, one.oldest_us)
        for one in maildrop.summarize()
    }
    assert counts == {
        (State.UNSORTED, "", ""): (1, 4),
        (State.READY, "local", "here.example"): (2, 2),
    }
    await maildrop.close()


async def a_message_can_be_looked_into(engine: Engine) -> None:
    """As whoever delivers it will see it; when it is gone it is gone."""
    maildrop = await engine.open()
    queue_id = await put(maildrop, "a@here.example", octets=b"look\r\n", at_us=9)
    message = maildrop.read_message(queue_id)
    assert message is not None
    assert (message.queue_id, message.arrived_us) == (queue_id, 9)
    assert read_content(message.content) == b"look\r\n"
    assert maildrop.read_message("0" * 12) is None
    await sort_all(maildrop)
    (claim,) = await claim_all(maildrop)
    assert claim.message == message
    await settle_all(maildrop, [claim])
    assert maildrop.read_message(queue_id) is None
    await maildrop.close()


async def d8_an_operator_sees_the_whole_envelope(engine: Engine) -> None:
    """Who handed a message in and what was asked for comes back as it was, claimed or not (D-8)."""
    maildrop = await engine.open()
    client = Client("2001:db8::1", 54321, "\x1b[2J", "ESMTPSA", "TLSv1.3", "privileged", "ann@here.example")
    asked = Recipient(Mailbox("a b", "here.example"), "SUCCESS,DELAY", "rfc822;a+40b")
    made = await make_message(maildrop)
    message = replace(made, envelope=replace(made.envelope, recipients=(asked,), client=client))
    await maildrop.accept(message)
    (entry,) = maildrop.find(EVERYTHING, 0, 10)
    assert (entry.address, entry.notify, entry.orcpt) == ('"a b"@here.example', asked.notify, asked.orcpt)
    assert entry.account == client.account
    found = maildrop.read_message(message.queue_id)
    assert found is not None
    assert (found.client, found.parameters) == (client, message.envelope.parameters)
    examined = maildrop.examine([entry.recipient_id, entry.recipient_id + 1])
    assert [(one.notify, one.message.client) for one in examined.claims] == [(asked.notify, client)]
    assert [one.recipient_id for one in examined.damaged] == [entry.recipient_id + 1]
    assert _states(maildrop) == [State.UNSORTED]
    await maildrop.close()


OPERATOR_CHECKS: tuple[Check, ...] = (
    holding_takes_what_is_unsorted_or_ready,
    releasing_has_what_is_held_sorted_again,
    removing_takes_what_is_not_claimed,
    rerouting_takes_what_is_not_claimed,
    retrying_takes_what_is_ready,
    what_is_held_is_not_touched_until_released,
    a_retry_is_due_now_whatever_was_suspended,
    a_route_override_is_told_to_the_post_office_until_it_is_taken_back,
    p2_what_is_removed_is_counted_and_makes_no_report,
    p3_what_is_bounced_fails_with_its_report,
    an_operator_finds_by_whatever_is_known,
    what_a_user_handed_in_is_listed_message_by_message,
    a_suspension_is_told_with_whoever_waits_for_it,
    the_summary_counts_by_state_and_destination,
    a_message_can_be_looked_into,
    d8_an_operator_sees_the_whole_envelope,
)
