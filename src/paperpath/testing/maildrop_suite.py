"""The contract of a maildrop, as checks that every engine must pass.

A check is a coroutine function that is given an `Engine`; `CHECKS` lists them all, with those of the modules
beside this one. Each says in its name what it proves. They look only through the public door, and use times
as plain numbers.
"""

import asyncio
import hashlib

from paperpath.mail.address import Mailbox, parse_mailbox
from paperpath.mail.envelope import Envelope, Recipient, SenderParameters
from paperpath.mail.outcome import Deferred
from paperpath.maildrop.content import read_content
from paperpath.maildrop.values import SMALL_CONTENT_OCTETS, NewMessage, Settlement, Sorted, Stage, Transport
from paperpath.testing.maildrop_delivery_suite import DELIVERY_CHECKS
from paperpath.testing.maildrop_operator_suite import OPERATOR_CHECKS
from paperpath.testing.maildrop_post_office_suite import POST_OFFICE_CHECKS
from paperpath.testing.maildrop_remote_suite import REMOTE_CHECKS
from paperpath.testing.maildrop_tools import CLIENT, LATER, next_stage, waiting_for
from paperpath.testing.maildrop_tools import Check as Check
from paperpath.testing.maildrop_tools import Engine as Engine
from paperpath.testing.maildrop_tools import claim_all as claim_all
from paperpath.testing.maildrop_tools import put as put
from paperpath.testing.maildrop_tools import settle_all as settle_all
from paperpath.testing.maildrop_tools import sort_all as sort_all


async def a_message_goes_through_and_leaves_nothing(engine: Engine) -> None:
    """What was accepted is sorted, claimed with its octets, settled, and gone; the books balance (P2)."""
    maildrop = await engine.open()
    octets = bytes(range(256)) * 16
    queue_id = await put(maildrop, "a@here.example", "b@here.example", octets=octets, at_us=7)
    assert (maildrop.read_books().accepted, maildrop.read_books().unsorted) == (2, 2)
    assert await sort_all(maildrop) == 2
    claims = await claim_all(maildrop)
    assert [str(claim.address) for claim in claims] == ["a@here.example", "b@here.example"]
    message = claims[0].message
    assert (message.queue_id, str(message.sender), message.arrived_us) == (queue_id, "sender@else.example", 7)
    assert read_content(message.content) == octets
    assert (message.content.size, message.content.digest) == (len(octets), hashlib.sha256(octets).digest())
    assert claims[1].message is message
    assert maildrop.read_books().claimed == 2
    assert await settle_all(maildrop, claims) == 2
    books = maildrop.read_books()
    assert (books.delivered, books.open, books.balance) == (2, 0, True)
    await maildrop.close()


async def the_next_stage_is_woken(engine: Engine) -> None:
    """Accepting wakes the post office, sorting wakes whoever delivers (D-10)."""
    maildrop = await engine.open()
    await put(maildrop, "a@here.example")
    assert await next_stage(engine) is Stage.SORTING
    await sort_all(maildrop)
    assert await next_stage(engine) is Stage.LOCAL
    await maildrop.close()


async def the_null_sender_stays_null(engine: Engine) -> None:
    """C-4."""
    maildrop = await engine.open()
    queue_id = maildrop.new_queue_id(1)
    writer = maildrop.new_content(queue_id)
    writer.write(b"x\r\n")
    envelope = Envelope(None, (Recipient(Mailbox("a", "here.example")),), CLIENT)
    await maildrop.accept(NewMessage(queue_id, envelope, await writer.finish(), 1))
    await sort_all(maildrop)
    assert (await claim_all(maildrop))[0].message.sender is None
    await maildrop.close()


async def what_the_client_asked_for_comes_back_as_it_was(engine: Engine) -> None:
    """A-68: parameters are kept octet for octet."""
    maildrop = await engine.open()
    asked = SenderParameters("8BITMIME", True, "HDRS", "a+2Bb=No".replace("=", "+3D"))
    wanted = Recipient(parse_mailbox("a@here.example"), "SUCCESS,DELAY", "rfc822;Joe+40x")
    queue_id = maildrop.new_queue_id(1)
    writer = maildrop.new_content(queue_id)
    writer.write(b"x\r\n")
    envelope = Envelope(None, (wanted, Recipient(parse_mailbox("b@here.example"))), CLIENT, asked)
    await maildrop.accept(NewMessage(queue_id, envelope, await writer.finish(), 1))
    await sort_all(maildrop)
    first, second = await claim_all(maildrop)
    assert first.message.parameters == asked
    assert (first.notify, first.orcpt) == (wanted.notify, wanted.orcpt)
    assert (second.notify, second.orcpt) == ("", "")
    await maildrop.close()


async def hostile_addresses_come_back_as_they_were(engine: Engine) -> None:
    """D-8: quotes, backslashes, at signs and spaces in a local part survive the queue."""
    maildrop = await engine.open()
    addresses = ['"a b"@here.example', r'"a\"\\b"@here.example', '"@"@here.example', "it's@here.example"]
    await put(maildrop, *addresses)
    await sort_all(maildrop)
    assert [str(claim.address) for claim in await claim_all(maildrop)] == addresses
    await maildrop.close()


async def sorting_twice_moves_once(engine: Engine) -> None:
    """Compare-and-set: a second post office that decided the same recipients changes nothing (D-17)."""
    first, second = await engine.open(), await engine.open()
    await put(first, "a@here.example")
    (waiting,) = waiting_for(second)
    assert await sort_all(first) == 1
    late = Sorted(waiting.id, Mailbox("z", "late.example"), Transport.REMOTE, "late.example")
    assert await second.sort([late], second.read_epoch(), 20) == 0
    assert [str(claim.address) for claim in await claim_all(first)] == ["a@here.example"]
    await first.close()
    await second.close()


async def sorting_can_change_the_address(engine: Engine) -> None:
    """A recipient is delivered to the address it was sorted to."""
    maildrop = await engine.open()
    await put(maildrop, "postmaster")
    (waiting,) = waiting_for(maildrop)
    decision = Sorted(waiting.id, Mailbox("me", "x.example"), Transport.LOCAL, "x.example")
    await maildrop.sort([decision], maildrop.read_epoch(), 1)
    assert [str(claim.address) for claim in await claim_all(maildrop)] == ["me@x.example"]
    await maildrop.close()


async def a_claim_belongs_to_one_worker(engine: Engine) -> None:
    """What one worker claimed no other gets, and no other can settle."""
    first, second = await engine.open(), await engine.open()
    await put(first, "a@here.example", "b@here.example")
    await sort_all(first)
    claims = await claim_all(first)
    assert list(await claim_all(second)) == []
    assert await settle_all(second, claims) == 0
    assert first.read_books().claimed == 2
    assert await settle_all(first, claims) == 2
    assert await settle_all(first, claims) == 0
    await first.close()
    await second.close()


async def transports_are_apart(engine: Engine) -> None:
    """A remote recipient stays visibly ready while local delivery takes its own."""
    maildrop = await engine.open()
    await put(maildrop, "a@here.example", "b@else.example")
    here, elsewhere = waiting_for(maildrop)
    await maildrop.sort(
        [
            Sorted(here.id, here.address, Transport.LOCAL, "here.example"),
            Sorted(elsewhere.id, elsewhere.address, Transport.REMOTE, "else.example"),
        ],
        maildrop.read_epoch(),
        1,
    )
    await settle_all(maildrop, await claim_all(maildrop))
    books = maildrop.read_books()
    assert (books.delivered, books.ready, books.balance) == (1, 1, True)
    (remote,) = (await maildrop.claim(Transport.REMOTE, 10, 100)).claims
    assert read_content(remote.message.content) == b"S: x\r\n\r\nHi\r\n"
    await maildrop.close()


async def a_deferred_recipient_comes_back_when_due(engine: Engine) -> None:
    """Deferring counts the attempt and keeps the recipient until its time."""
    maildrop = await engine.open()
    await put(maildrop, "a@here.example")
    await sort_all(maildrop)
    (claim,) = await claim_all(maildrop)
    await maildrop.settle([Settlement(claim.recipient_id, Deferred(LATER, 5_000))])
    assert list(await claim_all(maildrop, now_us=4_999)) == []
    (again,) = await claim_all(maildrop, now_us=5_000)
    assert (again.attempts, again.tried) == (1, False)
    assert maildrop.read_books().balance
    await maildrop.close()


async def doubt_about_a_copy_stays(engine: Engine) -> None:
    """P4: once a copy may be there, every later attempt is told to look, whatever deferred it meanwhile."""
    maildrop = await engine.open()
    await put(maildrop, "a@here.example")
    await sort_all(maildrop)
    seen = []
    for due_us, uncertain in ((200, False), (300, True), (400, False)):
        (claim,) = await claim_all(maildrop, now_us=due_us)
        seen.append(claim.tried)
        await maildrop.settle([Settlement(claim.recipient_id, Deferred(LATER, due_us, uncertain))])
    (claim,) = await claim_all(maildrop, now_us=400)
    assert [*seen, claim.tried] == [False, False, True, True]
    await maildrop.close()


async def one_destination_does_not_starve_another(engine: Engine) -> None:
    """P6: a claim is shared out over destinations, however much waits for one of them."""
    maildrop = await engine.open()
    for number in range(30):
        await put(maildrop, f"u{number}@busy.example")
    await put(maildrop, "a@quiet.example", "b@quiet.example")
    await sort_all(maildrop)
    claims = await claim_all(maildrop, limit=6)
    assert len(claims) == 6
    assert sum(claim.address.domain == "quiet.example" for claim in claims) == 2
    rest = await claim_all(maildrop, limit=100)
    assert len(rest) == 26
    await maildrop.close()


async def destinations_take_turns(engine: Engine) -> None:
    """P6: where there are more of them than are claimed for at once, none waits for ever."""
    maildrop = await engine.open()
    for number in range(3):
        for letter in "abcde":
            await put(maildrop, f"u{number}@{letter}.example")
    await sort_all(maildrop)
    turns = [[claim.destination[0] for claim in await claim_all(maildrop, limit=2)] for _ in range(5)]
    assert ["".join(sorted(turn)) for turn in turns] == ["ab", "cd", "ae", "bc", "de"]
    await maildrop.close()


async def the_longest_due_goes_first(engine: Engine) -> None:
    """Within a destination, recipients go in the order in which they are due."""
    maildrop = await engine.open()
    for number in (3, 1, 2):
        await put(maildrop, f"u{number}@here.example")
        await sort_all(maildrop, now_us=number)
    claims = [*await claim_all(maildrop, limit=1), *await claim_all(maildrop, limit=1)]
    assert [claim.address.local for claim in claims] == ["u1", "u2"]
    await maildrop.close()


async def claims_of_the_dead_are_released_as_tried(engine: Engine) -> None:
    """P4: who died without an outcome may have delivered; the next worker is told to look."""
    dying, living = await engine.open(), await engine.open()
    await put(living, "a@here.example", "b@here.example")
    await sort_all(living)
    kept = await claim_all(living, limit=1)
    await claim_all(dying, limit=1)
    assert await living.release_dead() == 0
    await engine.kill(dying)
    assert await living.release_dead() == 1
    assert await living.release_dead() == 0
    (again,) = await claim_all(living)
    assert again.tried
    assert not kept[0].tried
    assert await settle_all(living, [*kept, again]) == 2
    assert living.read_books().balance
    await living.close()


async def a_message_stays_while_a_recipient_is_open(engine: Engine) -> None:
    """D-14: settled recipients wait for the last of their message; content is there until then."""
    maildrop = await engine.open()
    await put(maildrop, "a@here.example", "b@here.example", octets=b"kept\r\n")
    await sort_all(maildrop)
    first, second = await claim_all(maildrop)
    await settle_all(maildrop, [first])
    await maildrop.settle([Settlement(second.recipient_id, Deferred(LATER, 50))])
    (again,) = await claim_all(maildrop, now_us=50)
    assert read_content(again.message.content) == b"kept\r\n"
    await settle_all(maildrop, [again])
    assert maildrop.read_books().open == 0
    await maildrop.close()


async def large_content_comes_back_and_goes_in_the_end(engine: Engine) -> None:
    """Content beyond the small size is kept whole, and its file, if any, goes with the message."""
    maildrop = await engine.open()
    octets = b"0123456789abcde\n" * (SMALL_CONTENT_OCTETS // 16) + b"the end\r\n"
    await put(maildrop, "a@here.example", octets=octets)
    await sort_all(maildrop)
    claims = await claim_all(maildrop)
    assert read_content(claims[0].message.content) == octets
    assert claims[0].message.content.digest == hashlib.sha256(octets).digest()
    await settle_all(maildrop, claims)
    assert not engine.content_files()
    await maildrop.close()


async def discarded_content_leaves_nothing(engine: Engine) -> None:
    """A message given up before its end leaves no file and no row."""
    maildrop = await engine.open()
    for octets in (b"x", b"y" * (2 * SMALL_CONTENT_OCTETS)):
        writer = maildrop.new_content(maildrop.new_queue_id(1))
        writer.write(octets)
        writer.discard()
        writer.discard()
    finished = maildrop.new_content(maildrop.new_queue_id(1))
    finished.write(b"z" * (2 * SMALL_CONTENT_OCTETS))
    await finished.finish()
    finished.discard()
    assert not engine.content_files()
    assert maildrop.read_books().open == 0
    await maildrop.close()


async def queue_ids_are_never_repeated(engine: Engine) -> None:
    """D-11: whatever the clock does, and whoever asks, and sortable while it behaves."""
    first, second = await engine.open(), await engine.open()
    times = [1_000, 1_000, 999, 2_000_000, 0]
    ids = [door.new_queue_id(now_us) for door in (first, second) for now_us in times]
    await first.close()
    third = await engine.open()
    ids += [third.new_queue_id(now_us) for now_us in times]
    assert len(set(ids)) == len(ids)
    assert third.new_queue_id(3_000_000) < third.new_queue_id(1_790_000_000_000_000)
    await second.close()
    await third.close()


async def many_at_once_are_all_kept(engine: Engine) -> None:
    """Group commit: concurrent operations of several workers all take effect, once."""
    doors = [await engine.open() for _ in range(3)]
    await asyncio.gather(*(put(doors[number % 3], f"u{number}@here.example") for number in range(90)))
    assert await sort_all(doors[0]) == 90
    batches = await asyncio.gather(*(claim_all(door, limit=40) for door in doors))
    claimed = [claim.recipient_id for batch in batches for claim in batch]
    assert len(claimed) == len(set(claimed)) == 90
    counts = await asyncio.gather(*map(settle_all, doors, batches))
    assert sum(counts) == 90
    books = doors[0].read_books()
    assert (books.accepted, books.delivered, books.open) == (90, 90, 0)
    for door in doors:
        await door.close()


CHECKS: tuple[Check, ...] = (
    a_message_goes_through_and_leaves_nothing,
    the_next_stage_is_woken,
    the_null_sender_stays_null,
    what_the_client_asked_for_comes_back_as_it_was,
    hostile_addresses_come_back_as_they_were,
    sorting_twice_moves_once,
    sorting_can_change_the_address,
    a_claim_belongs_to_one_worker,
    transports_are_apart,
    a_deferred_recipient_comes_back_when_due,
    doubt_about_a_copy_stays,
    one_destination_does_not_starve_another,
    destinations_take_turns,
    the_longest_due_goes_first,
    claims_of_the_dead_are_released_as_tried,
    a_message_stays_while_a_recipient_is_open,
    large_content_comes_back_and_goes_in_the_end,
    discarded_content_leaves_nothing,
    queue_ids_are_never_repeated,
    many_at_once_are_all_kept,
    *POST_OFFICE_CHECKS,
    *DELIVERY_CHECKS,
    *OPERATOR_CHECKS,
    *REMOTE_CHECKS,
)
