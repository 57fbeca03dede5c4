"""Deliveries under way at the same time: who hangs delays only his own recipients (issue 11, P2, P6)."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from paperpath.accounts.file import AccountsFile, add_account
from paperpath.config.loader import parse_document
from paperpath.folders.maildir import create_maildir
from paperpath.journal.writer import Journal
from paperpath.local import dispatch
from paperpath.local.dispatch import Examine, LocalDelivery
from paperpath.local.findings import Findings
from paperpath.mail.address import Mailbox, parse_mailbox
from paperpath.mail.outcome import Delivered
from paperpath.maildrop.memory import MemoryMaildrop, MemoryStore
from paperpath.maildrop.values import ClaimedMessage, Settlement, Sorted, Transport
from paperpath.service.log import open_log
from paperpath.service.program import Life
from paperpath.testing.maildrop_tools import put, waiting_for

CONFIGURATION = """\
hostname = "mx.here.example"
data = "{data}"
[relay]
listen = ["127.0.0.1:2525"]
[post_office]
postmaster = "admin@here.example"
[local]
threads = 2
programs = 4
[delivery]
give_up_after_s = 1e11
[agents.hangs]
kind = "program"
command = ["/usr/bin/head", "--bytes=1", "{gate}"]
[agents.works]
kind = "program"
command = ["/bin/true"]
"""


class WatchedMaildrop(MemoryMaildrop):
    """Tells which recipients were settled, and how."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store)
        self.settled: asyncio.Queue[Settlement] = asyncio.Queue()

    def settle(self, settlements: Sequence[Settlement]) -> asyncio.Future[int]:
        for settlement in settlements:
            self.settled.put_nowait(settlement)
        return super().settle(settlements)


@dataclass
class Site:
    """A maildrop with mail, smtpld's dispatch, and a program that hangs until somebody opens its gate."""

    maildrop: WatchedMaildrop
    delivery: LocalDelivery
    gate: int
    numbers: dict[int, str] = field(default_factory=dict)

    async def send(self, *destinations: str) -> None:
        """Have a message wait for local delivery to each destination: an agent's, or the mailboxes."""
        await put(self.maildrop, *(f"joe{place}@here.example" for place, _ in enumerate(destinations)))
        decisions = []
        for recipient, destination in zip(waiting_for(self.maildrop), destinations, strict=True):
            address = parse_mailbox(destination.partition(" ")[2] or "joe@here.example")
            decisions.append(Sorted(recipient.id, address, Transport.LOCAL, destination))
            self.numbers[recipient.id] = destination
        await self.maildrop.sort(decisions, self.maildrop.read_epoch(), 0)

    async def settled(self, count: int) -> list[str]:
        """Wait for as many deliveries; return where they went."""
        found = [await self.maildrop.settled.get() for _ in range(count)]
        assert all(isinstance(settlement.outcome, Delivered) for settlement in found)
        return [self.numbers[settlement.recipient_id] for settlement in found]

    def let_through(self, times: int) -> None:
        """Let so many of those who hang go on, now or when they begin to."""
        os.write(self.gate, b"." * times)


@asynccontextmanager
async def running(tmp_path: Path, examine: Examine | None = None) -> AsyncIterator[Site]:
    os.mkfifo(tmp_path / "gate")
    gate = os.open(tmp_path / "gate", os.O_RDWR)
    text = CONFIGURATION.format(data=tmp_path, gate=tmp_path / "gate")
    life = Life("smtpld", parse_document(text, tmp_path / "paperpath.toml"), open_log("smtpld"))
    account = add_account(life.configuration.accounts_file, Mailbox("joe", "here.example"))
    create_maildir(life.configuration.mailbox_root, account.folder)
    maildrop = WatchedMaildrop(MemoryStore())
    journal = Journal(tmp_path / "journal", "smtpld", life.log, lambda: 0)
    accounts = AccountsFile(life.configuration.accounts_file)
    try:
        with LocalDelivery(
            life, maildrop, accounts, journal, lambda: None, lambda: None, examine
        ) as delivery:
            try:
                yield Site(maildrop, delivery, gate)
            finally:
                os.write(gate, b"." * 100)  # whatever went wrong, nothing hangs on
    finally:
        os.close(gate)
        journal.close()


async def claim_all(site: Site) -> None:
    """Claim as smtpld does, until there is nothing that there is room for."""
    while await site.delivery.claim_some():
        pass


def test_a_program_that_hangs_delays_only_its_own_recipients(tmp_path: Path) -> None:
    async def check() -> None:
        async with running(tmp_path) as site:
            hangs = [f"agent:hangs {name}@here.example" for name in ("ann", "bob")]
            await site.send(*hangs[:1] * 20, *["here.example"] * 30, *["agent:works eve@here.example"] * 3)
            await claim_all(site)
            assert Counter(await site.settled(33)) == {"here.example": 30, "agent:works eve@here.example": 3}
            await site.send(*["here.example"] * 5, hangs[1], "agent:works eve@here.example")
            await claim_all(site)
            assert Counter(await site.settled(6)) == {"here.example": 5, "agent:works eve@here.example": 1}
            books = site.maildrop.read_books()
            assert (books.delivered, books.claimed, books.ready) == (39, 4 + 1, 16)
            site.let_through(21)
            for _ in range(21):
                await site.settled(1)
                await claim_all(site)
            assert site.maildrop.read_books().delivered == 60

    asyncio.run(check())


def test_P6_a_program_that_hangs_for_everybody_delays_nobody_elses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither by the programs that run at once, nor by what waits for them in memory and what goes back."""

    async def check() -> None:
        monkeypatch.setattr(dispatch, "MOST_HELD", 40)
        monkeypatch.setattr(dispatch, "GRACE_S", 0)
        async with running(tmp_path) as site:
            await site.send(*(f"agent:hangs {number}@here.example" for number in range(300)))
            await site.send(*["here.example"] * 5, *["agent:works eve@here.example"] * 5)
            await claim_all(site)
            settled: Counter[str] = Counter()
            while settled.total() < 10:
                settled.update(await site.settled(1))
                await claim_all(site)
            assert settled == {"here.example": 5, "agent:works eve@here.example": 5}
            await site.delivery.finish()

    asyncio.run(check())


def test_P8_programs_that_hang_do_not_keep_smtpld_from_ending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check() -> None:
        monkeypatch.setattr(dispatch, "GRACE_S", 0)
        async with running(tmp_path) as site:
            await site.send(*["agent:hangs ann@here.example"] * 2, "here.example")
            await claim_all(site)
            await site.delivery.finish()
            settled = [site.maildrop.settled.get_nowait() for _ in range(3)]
            replies = {str(settlement.outcome.reply) for settlement in settled}
            assert replies == {
                "250 2.1.5 Delivered",
                "451 4.3.2 program hangs was killed, for local delivery is ending",
            }
            books = site.maildrop.read_books()
            assert (books.delivered, books.ready, books.claimed) == (1, 2, 0)

    asyncio.run(check())


def test_what_has_not_begun_when_smtpld_ends_waits_for_the_next(tmp_path: Path) -> None:
    """It goes back as it was: nobody need look whether it was delivered (P4)."""

    async def check() -> None:
        async with running(tmp_path) as site:
            await site.send(*["agent:hangs ann@here.example"] * 9)
            await claim_all(site)
            site.let_through(2)
            await site.delivery.finish()
            books = site.maildrop.read_books()
            assert (books.delivered, books.ready, books.claimed) == (2, 7, 0)
            again = await site.maildrop.claim(Transport.LOCAL, 50, 1)
            assert not any(claim.tried for claim in again.claims)

    asyncio.run(check())


def stored(tmp_path: Path) -> list[bytes]:
    return [file.read_bytes() for file in (tmp_path / "mailboxes").glob("*/*/new/*")]


class Slow:
    """An examination that is over for all messages but the first, and counts."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.goes_on = asyncio.Event()

    async def __call__(self, message: ClaimedMessage) -> Findings:
        self.asked[message.queue_id] += 1
        if self.asked[message.queue_id] == 1 == len(self.asked):
            await self.goes_on.wait()
        return Findings("mx.here.example", b"Authentication-Results: mx.here.example; none\r\n")


def test_I10_P6_a_message_with_a_slow_DNS_keeps_no_other_and_is_looked_into_once(tmp_path: Path) -> None:
    async def check() -> None:
        slow = Slow()
        async with running(tmp_path, slow) as site:
            await site.send(
                *["here.example"] * 3, "agent:works eve@here.example", "agent:works ann@here.example"
            )
            await claim_all(site)
            await site.send("here.example", "agent:works eve@here.example")
            await claim_all(site)
            assert sorted(await site.settled(2)) == ["agent:works eve@here.example", "here.example"]
            assert site.maildrop.read_books().claimed == 5
            slow.goes_on.set()
            assert Counter(await site.settled(5))["here.example"] == 3
        assert sorted(slow.asked.values()) == [1, 1]
        assert len(stored(tmp_path)) == 4
        assert all(b"\nAuthentication-Results: mx.here.example; none\n" in copy for copy in stored(tmp_path))

    asyncio.run(check())


def test_I21_what_waits_for_the_DNS_when_smtpld_ends_waits_for_the_next(tmp_path: Path) -> None:
    async def check() -> None:
        async with running(tmp_path, Slow()) as site:
            await site.send(*["here.example"] * 3)
            await claim_all(site)
            await site.delivery.finish()
            books = site.maildrop.read_books()
            assert (books.delivered, books.ready, books.claimed) == (0, 3, 0)
            again = await site.maildrop.claim(Transport.LOCAL, 50, 1)
            assert not any(claim.tried for claim in again.claims)

    asyncio.run(check())


def test_P6_no_more_waits_for_the_DNS_than_there_is_memory_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check() -> None:
        monkeypatch.setattr(dispatch, "MOST_EXAMINED", 60)
        slow = Slow()
        async with running(tmp_path, slow) as site:
            await site.send(*["here.example"] * 150)
            claiming = asyncio.ensure_future(claim_all(site))
            while site.maildrop.read_books().claimed < 60 + 40:  # noqa: ASYNC110 - the maildrop tells nobody
                await asyncio.sleep(0)
            assert not claiming.done()
            assert site.maildrop.read_books().claimed == 100
            slow.goes_on.set()
            await claiming
            await site.settled(150)

    asyncio.run(check())
