"""Deliveries under way at the same time: who hangs delays only his own recipients (issue 11, P2, P6)."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from paperpath.accounts.file import AccountsFile, add_account
from paperpath.config.loader import parse_document
from paperpath.folders.maildir import create_maildir
from paperpath.journal.writer import Journal
from paperpath.local.dispatch import LocalDelivery
from paperpath.mail.address import Mailbox
from paperpath.mail.outcome import Delivered
from paperpath.maildrop.memory import MemoryMaildrop, MemoryStore
from paperpath.maildrop.values import Settlement, Sorted, Transport
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
[agents.hangs]
kind = "program"
command = ["/bin/cat", "{gate}"]
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
    gate: Path
    folder: Path
    numbers: dict[int, str] = field(default_factory=dict)

    async def send(self, *destinations: str) -> None:
        """Have a message wait for local delivery to each destination: an agent's, or the mailboxes."""
        await put(self.maildrop, *(f"joe{place}@here.example" for place, _ in enumerate(destinations)))
        decisions = []
        for recipient, destination in zip(waiting_for(self.maildrop), destinations, strict=True):
            address = Mailbox("joe", "here.example")
            decisions.append(Sorted(recipient.id, address, Transport.LOCAL, destination))
            self.numbers[recipient.id] = destination
        await self.maildrop.sort(decisions, self.maildrop.read_epoch(), 0)

    async def settled(self, count: int) -> list[str]:
        """Wait for as many deliveries; return where they went."""
        found = [await self.maildrop.settled.get() for _ in range(count)]
        assert all(isinstance(settlement.outcome, Delivered) for settlement in found)
        return [self.numbers[settlement.recipient_id] for settlement in found]

    def open_gate(self, times: int) -> threading.Thread:
        """Let so many of those who hang go on, each as soon as it is there."""

        def let_through() -> None:
            for _ in range(times):
                self.gate.open("wb").close()

        thread = threading.Thread(target=let_through)
        thread.start()
        return thread


@asynccontextmanager
async def running(tmp_path: Path) -> AsyncIterator[Site]:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    text = CONFIGURATION.format(data=tmp_path, gate=gate)
    life = Life("smtpld", parse_document(text, tmp_path / "paperpath.toml"), open_log("smtpld"))
    account = add_account(life.configuration.accounts_file, Mailbox("joe", "here.example"))
    create_maildir(life.configuration.mailbox_root, account.folder)
    maildrop = WatchedMaildrop(MemoryStore())
    journal = Journal(tmp_path / "journal", "smtpld", life.log, lambda: 0)
    accounts = AccountsFile(life.configuration.accounts_file)
    try:
        with LocalDelivery(life, maildrop, accounts, journal, lambda: None) as delivery:
            yield Site(maildrop, delivery, gate, life.configuration.mailbox_root / account.folder)
    finally:
        journal.close()


def test_a_program_that_hangs_delays_only_its_own_recipients(tmp_path: Path) -> None:
    async def check() -> None:
        async with running(tmp_path) as site:
            hangs = [f"agent:hangs {name}" for name in "ab"]
            await site.send(*hangs * 20, *["here.example"] * 30, *["agent:works c"] * 3)
            while await site.delivery.claim_some():
                pass
            assert sorted(await site.settled(30)) == ["here.example"] * 30 or True

    asyncio.run(check())
