"""A maildrop in memory and one submitted message into it, for tests."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from paperpath.accounts.secrets import NO_LIMITS
from paperpath.accounts.usage import Usage
from paperpath.intake.budget import SpoolBudget
from paperpath.intake.guest import Guest
from paperpath.intake.way_in import Stored
from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import Client, Envelope, Recipient
from paperpath.mail.trace import Stamp
from paperpath.maildrop.memory import MemoryMaildrop, MemoryStore
from paperpath.maildrop.values import Claim
from paperpath.submission.canonical.values import CanonicalRules
from paperpath.submission.reception import Site, SubmissionReception, Submitter
from paperpath.testing.maildrop_suite import claim_all, sort_all

JOE = Mailbox("joe", "here.example")
ENVELOPE = Envelope(
    JOE, (Recipient(Mailbox("u", "here.example")),), Client("192.0.2.1", 1, "c", "ESMTPSA", "TLSv1.3 TLS_X")
)
RULES = CanonicalRules("mx.here.example", "here.example", is_known=lambda local: True)
WHOLE = b"From: joe@here.example\r\nTo: u@here.example\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n"
WHOLE += b"Message-ID: <1@here.example>\r\n"


class Setting:
    """A maildrop, and what a reception needs."""

    def __init__(self, folder: Path, maildrop: type[MemoryMaildrop] = MemoryMaildrop) -> None:
        self.budget = SpoolBudget(10_000_000)
        self.maildrop = maildrop(MemoryStore())
        self.site = Site(
            self.maildrop, self.budget, Usage(folder / "usage"), RULES, folder, hides_clients=False
        )
        self.submitter = Submitter(Guest("192.0.2.1", account=JOE), lambda: NO_LIMITS, JOE)
        self.envelope = ENVELOPE

    def receive(self, *chunks: bytes, then: Callable[[SubmissionReception], None] = lambda _: None) -> str:
        """Receive a message; return the reply."""

        async def run() -> Stored:
            stamp = Stamp(
                "mx.here.example", self.maildrop.new_queue_id(1), datetime(2026, 11, 22, tzinfo=UTC)
            )
            reception = SubmissionReception(self.site, self.envelope, stamp, self.submitter)
            for chunk in chunks:
                reception.add(chunk)
            done: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
            reception.store(done.set_result)
            stored = await done
            then(reception)
            return stored

        stored = asyncio.run(run())
        assert self.budget.taken == 0
        return str(stored.reply)

    def claim(self) -> Claim:
        """Return the one message that is stored."""

        async def run() -> Claim:
            await sort_all(self.maildrop)
            (claim,) = await claim_all(self.maildrop)
            return claim

        return asyncio.run(run())
