"""What accounts forward: a message of its own each, unless it comes in a circle (E-12, E-16, F-2, P1)."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from paperpath.local.forwarding import forward_batch
from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import Client, Recipient, SenderParameters
from paperpath.mail.outcome import Deferred, Failed, Forwarded, Outcome, SetAside
from paperpath.maildrop.errors import StorageError
from paperpath.maildrop.memory import MemoryMaildrop, MemoryStore
from paperpath.maildrop.memory.content import MemoryContent
from paperpath.maildrop.values import Claim, NewMessage, Origin
from tests.unit.local.test_delivery import claim, content

X = Mailbox("x", "else.example")
NOW_US = 2_000_000_000_000_000
OCTETS = b"Return-Path: <old@else.example>\r\nReceived: x\r\nSubject: y\r\n\r\nbody\r\n"


class FullContent(MemoryContent):
    """Takes nothing."""

    is_discarded = False

    def write(self, octets: bytes) -> None:
        raise StorageError("no room", no_space=True)

    def discard(self) -> None:
        FullContent.is_discarded = True


class FullMaildrop(MemoryMaildrop):
    def new_content(self, queue_id: str) -> MemoryContent:
        return FullContent()


def forwarded(octets: bytes = OCTETS, file: Path | None = None, **more: object) -> Claim:
    held = content(octets, file=file)
    if file is not None:
        file.write_bytes(octets)
    base = claim(held=held)
    changes = {"address": X, "destination": "forward:joe@here.example", **more}
    return replace(base, **changes)  # type: ignore[arg-type]


def forward(
    claims: Sequence[Claim], maildrop: type[MemoryMaildrop] = MemoryMaildrop
) -> tuple[list[Outcome], dict[int, NewMessage]]:
    async def run() -> tuple[list[Outcome], dict[int, NewMessage]]:
        with ThreadPoolExecutor(2) as threads:
            return await forward_batch(claims, maildrop(MemoryStore()), threads, NOW_US)

    return asyncio.run(run())


@pytest.mark.parametrize("sender", [None, Mailbox("a", "b.example")])
def test_E12_F2_it_goes_to_one_address_with_everything_it_came_with(sender: Mailbox | None) -> None:
    asked = SenderParameters("8BITMIME", True, "FULL", "Q=2B1")
    client = Client("192.0.2.1", 4, "c.example", "ESMTP", account="joe")
    base = forwarded(return_path=sender, notify="FAILURE", orcpt="rfc822;joe", deadline_us=7)
    message = replace(base.message, parameters=asked, client=client)
    (outcome,), made = forward([replace(base, message=message)])
    assert isinstance(outcome, Forwarded)
    (new,) = made.values()
    assert new.content.octets == (
        b"Delivered-To: joe@here.example\r\nReceived: x\r\nSubject: y\r\n\r\nbody\r\n"
    )
    assert (new.envelope.sender, new.envelope.recipients) == (
        sender,
        (Recipient(X, "FAILURE", "rfc822;joe"),),
    )
    assert (new.envelope.parameters, new.envelope.client) == (asked, client)
    assert (new.origin, new.arrived_us, new.deadline_us) == (Origin.FORWARD, NOW_US, 7)


def test_a_large_message_is_forwarded_whole(tmp_path: Path) -> None:
    octets = OCTETS + b"0123456789\r\n" * 100_000
    _, made = forward([forwarded(octets, tmp_path / "content")])
    (new,) = made.values()
    assert new.content.octets is not None
    assert new.content.octets.endswith(octets.partition(b"\r\n")[2])


@pytest.mark.parametrize("field", [b"Delivered-To: joe@HERE.example", b"delivered-to: <joe@here.example>"])
def test_E16_a_message_that_the_account_forwarded_before_goes_back(field: bytes) -> None:
    circle = forwarded(field + b"\r\n" + OCTETS)
    other = forwarded(b"Delivered-To: x@else.example\r\n" + OCTETS, recipient_id=2)
    (back, on), made = forward([circle, other])
    assert isinstance(back, Failed)
    assert back.reply.status == "5.4.6"
    assert isinstance(on, Forwarded)
    assert list(made) == [2]


def test_P1_what_is_damaged_is_not_forwarded(tmp_path: Path) -> None:
    spoilt = forwarded(OCTETS, tmp_path / "content")
    (tmp_path / "content").write_bytes(OCTETS.replace(b"body", b"bodY"))
    missing = forwarded(OCTETS, tmp_path / "other", recipient_id=2)
    (tmp_path / "other").unlink()
    outcomes, made = forward([spoilt, missing])
    assert [type(outcome) for outcome in outcomes] == [SetAside, SetAside]
    assert made == {}


def test_F5_no_room_in_the_maildrop_puts_off() -> None:
    (outcome,), made = forward([forwarded()], FullMaildrop)
    assert isinstance(outcome, Deferred)
    assert (outcome.reply.code, made) == (452, {})
    assert outcome.due_us > NOW_US
    assert FullContent.is_discarded
