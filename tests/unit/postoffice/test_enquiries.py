"""What a user of this host learns of the queue: what is his own, and of that nothing he should not (J-15)."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import Client
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.memory import MemoryMaildrop, MemoryStore
from paperpath.maildrop.values import Expanded, Hold, QueueFilter, Target, Transport
from paperpath.postoffice.enquiries import PAGE, make_answers
from paperpath.postoffice.flushing import Flushing
from paperpath.service.asking import Object
from paperpath.service.errors import ServiceError
from paperpath.service.log import open_log
from paperpath.service.public_server import Asker
from paperpath.testing.maildrop_tools import make_message, put_sorted, waiting_for

JOE = Asker(1000, "joe", is_operator=False)
ROOT = Asker(0, "root", is_operator=True)
NAMELESS = Asker(1234, "", is_operator=False)


def with_maildrop(work: Callable[[Maildrop], Awaitable[None]]) -> None:
    async def run() -> None:
        await work(MemoryMaildrop(MemoryStore()))

    asyncio.run(run())


async def hand_in(maildrop: Maildrop, account: str, *recipients: str, address: str = "") -> None:
    message = await make_message(maildrop, *recipients)
    client = Client(address, 0, "", "local", account=account)
    await maildrop.accept(replace(message, envelope=replace(message.envelope, client=client)))


def list_queue(maildrop: Maildrop, asker: Asker, **request: object) -> Object:
    return make_answers(maildrop, Flushing(maildrop, open_log("test")))["queue"](asker, request)


def seen(maildrop: Maildrop, asker: Asker) -> list[tuple[str, str]]:
    entries = list_queue(maildrop, asker)["entries"]
    return [(entry["recipient"], entry["reason"]) for entry in entries]


def test_J15_a_user_sees_what_he_handed_in_here_and_no_more() -> None:
    async def work(maildrop: Maildrop) -> None:
        await hand_in(maildrop, "joe", "a@x.example")
        await hand_in(maildrop, "joe", "b@x.example", address="192.0.2.1")  # somebody else, called the same
        await hand_in(maildrop, "", "c@x.example")
        await hand_in(maildrop, "ann", "d@x.example")
        await hand_in(maildrop, "uid 1234", "e@x.example")
        assert seen(maildrop, JOE) == [("a@x.example", "")]
        assert seen(maildrop, NAMELESS) == [("e@x.example", "")]
        assert "".join(recipient[0] for recipient, _ in seen(maildrop, ROOT)) == "abcde"

    with_maildrop(work)


def test_J15_whom_an_alias_stands_for_is_not_told_but_to_the_operator() -> None:
    async def work(maildrop: Maildrop) -> None:
        await hand_in(maildrop, "joe", "staff@x.example")
        (one,) = waiting_for(maildrop)
        members = tuple(
            Target(Mailbox(name, "secret.example"), None, "", "", ("staff",)) for name in ("ann", "eve")
        )
        await maildrop.sort([Expanded(one.id, members)], maildrop.read_epoch(), 5)
        await hold_all(maildrop, "550 no such user ann@secret.example")
        assert seen(maildrop, JOE) == [("staff@x.example", "")] * 2
        assert [recipient for recipient, _ in seen(maildrop, ROOT)] == [
            "ann@secret.example",
            "eve@secret.example",
        ]

    with_maildrop(work)


async def hold_all(maildrop: Maildrop, reason: str) -> None:
    numbers = [entry.recipient_id for entry in maildrop.find(QueueFilter(), 0, 10)]
    await maildrop.change(numbers, Hold(reason))


def test_J15_why_the_operator_holds_something_is_the_operators() -> None:
    async def work(maildrop: Maildrop) -> None:
        await hand_in(maildrop, "joe", "a@x.example")
        await hold_all(maildrop, "joe is under suspicion")
        assert seen(maildrop, JOE) == [("a@x.example", "")]
        assert list_queue(maildrop, JOE)["entries"][0]["state"] == "held"
        assert seen(maildrop, ROOT) == [("a@x.example", "joe is under suspicion")]

    with_maildrop(work)


def test_J15_what_waits_for_a_host_that_is_away_is_told_why() -> None:
    async def work(maildrop: Maildrop) -> None:
        await put_sorted(maildrop, "a@here.example")
        await maildrop.suspend(Transport.LOCAL, "here.example", 5_000, "no route to it")
        assert seen(maildrop, ROOT) == [("a@here.example", "no route to it")]

    with_maildrop(work)


def test_P6_an_answer_is_a_page_and_names_the_next() -> None:
    async def work(maildrop: Maildrop) -> None:
        names = [f"r{number}@x.example" for number in range(PAGE + 1)]
        await hand_in(maildrop, "joe", *names)
        first = list_queue(maildrop, JOE)
        rest = list_queue(maildrop, JOE, after=first["after"])
        assert [entry["recipient"] for entry in first["entries"] + rest["entries"]] == names
        assert (len(first["entries"]), rest["after"]) == (PAGE, None)

    with_maildrop(work)


@pytest.mark.parametrize(
    "after", [None, 5, [], [1], [1, 2, 3], ["1", "2"], [-1, 0], [0, 2**63], [0.5, 1], {}]
)
def test_P6_a_place_that_is_none_is_refused(after: object) -> None:
    async def work(maildrop: Maildrop) -> None:
        with pytest.raises(ServiceError, match="expected two numbers") as refused:
            list_queue(maildrop, JOE, after=after)
        assert refused.value.exit_code == os.EX_USAGE

    with_maildrop(work)
