"""An operator's desk over a maildrop in memory: the commands as they are typed, the queue looked into."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from click.testing import CliRunner, Result

from paperpath.commands import queue_access
from paperpath.commands.paperpath import main
from paperpath.config.tables import Configuration
from paperpath.mail.address import Mailbox, parse_mailbox
from paperpath.mail.envelope import NO_PARAMETERS, Client, Envelope, Recipient, SenderParameters
from paperpath.maildrop.memory import MemoryMaildrop, MemoryStore
from paperpath.maildrop.values import Claim, NewMessage, QueueEntry, QueueFilter, Sorted, Stage, Transport
from tests.support.installation import configuration_text

SENDER = Mailbox("sender", "else.example")
CLIENT = Client("192.0.2.1", 40000, "client.example", "ESMTP")
CLAIM_US = 2**60  # when `claim` claims
Value = TypeVar("Value")


class Desk:
    """A configuration in a folder, a queue in memory; `door` is who the commands work through."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.woken: list[Stage] = []
        self.store = MemoryStore(self.woken.append)
        self.door: Callable[[], MemoryMaildrop] = lambda: MemoryMaildrop(self.store)
        self.worker = MemoryMaildrop(self.store)
        self.file = folder / "paperpath.toml"
        self.file.write_text(configuration_text(25))
        (folder / "data").mkdir()
        monkeypatch.setattr(queue_access, "open_maildrop", self._open)

    def run(self, *arguments: str) -> Result:
        """Run a command of `paperpath queue`."""
        name, *rest = arguments
        return CliRunner().invoke(main, ["queue", name, "--config", str(self.file), *rest])

    def put(
        self,
        *recipients: str,
        sender: Mailbox | None = SENDER,
        octets: bytes = b"Subject: x\r\n\r\nHi\r\n",
        at_us: int = 1_700_000_000_000_000,
        client: Client = CLIENT,
        parameters: SenderParameters = NO_PARAMETERS,
        notify: str = "",
        orcpt: str = "",
    ) -> str:
        """Accept a message; return its queue id."""

        async def accept() -> str:
            queue_id = self.worker.new_queue_id(at_us)
            writer = self.worker.new_content(queue_id)
            writer.write(octets)
            asked = tuple(Recipient(parse_mailbox(recipient), notify, orcpt) for recipient in recipients)
            envelope = Envelope(sender, asked, client, parameters)
            await self.worker.accept(NewMessage(queue_id, envelope, await writer.finish(), at_us))
            return queue_id

        return do(accept())

    def sort(self) -> None:
        """Sort everything to local delivery, due at once."""

        async def sort() -> None:
            decisions = [
                Sorted(one.id, one.address, Transport.LOCAL, one.address.domain)
                for one in self.worker.read_unsorted(100_000).recipients
            ]
            await self.worker.sort(decisions, self.worker.read_epoch(), 0)

        do(sort())

    def claim(self, limit: int = 1) -> Sequence[Claim]:
        """Claim what is due, as a delivery would."""

        async def claim() -> Sequence[Claim]:
            return (await self.worker.claim(Transport.LOCAL, limit, CLAIM_US)).claims

        return do(claim())

    def claim_now(self) -> None:
        """Claim one recipient while a loop runs already."""
        self.worker.claim(Transport.LOCAL, 1, CLAIM_US)

    def entries(self) -> Sequence[QueueEntry]:
        """Return all that is open."""
        return self.worker.find(QueueFilter(), 0, 100_000)

    def states(self) -> list[str]:
        """Return the states of all that is open."""
        return [entry.state.value for entry in self.entries()]

    @asynccontextmanager
    async def _open(self, _: Configuration, program: str) -> AsyncIterator[MemoryMaildrop]:
        assert program == "operator"
        maildrop = self.door()
        yield maildrop
        await maildrop.close()


def do(work: Coroutine[Any, Any, Value]) -> Value:
    """Run a coroutine to its end."""
    return asyncio.run(work)
