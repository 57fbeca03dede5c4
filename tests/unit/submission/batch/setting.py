"""What processes batches, in one process: the memory maildrop, a configuration, and what came of it all."""

import asyncio
import base64
import re
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from paperpath.accounts.file import AccountsFile
from paperpath.accounts.secrets import SecretsFile
from paperpath.accounts.verifier import Verifier
from paperpath.delivery.reports import make_clerk
from paperpath.intake.budget import SpoolBudget
from paperpath.intake.chronicle import Chronicle
from paperpath.intake.guest import Guest
from paperpath.intake.space import FreeSpace
from paperpath.journal.events import Event
from paperpath.maildrop.memory import MemoryMaildrop, MemoryStore
from paperpath.maildrop.values import ClaimedMessage, Origin
from paperpath.service.log import open_log
from paperpath.submission.assembly import find_table, make_way_in
from paperpath.submission.batch.memory import BatchMemory
from paperpath.submission.batch.program import find_code, process
from paperpath.submission.batch.reader import Office, Tally
from paperpath.submission.batch.returning import Returns
from paperpath.submission.batch.source import BatchSource
from tests.unit.config.example import configure

TEXT = """
hostname = "mx.here.example"
data = "{data}"

[relay]
listen = ["127.0.0.1:2525"]

[post_office]
postmaster = "admin@here.example"

[[post_office.route]]
domain = "here.example"
via = "local"

[[post_office.route]]
domain = "*"
via = "mx"

[submission]
size = 65536
most_recipients = 100
least_free = 0
{more}
"""
_ATTACHED = re.compile(rb"application/batch-SMTP\r\n.*?\r\n\r\n(.*?)\r\n--", re.DOTALL)


class Setting:
    """One installation without programs. Each `run` is a process of its own, as far as it remembers."""

    def __init__(self, folder: Path, more: str = "", store: MemoryStore | None = None) -> None:
        (folder / "accounts").write_text(
            "".join(f"{name}@here.example\there/{name}\n" for name in ("joe", "u"))
        )
        self.configuration = configure(TEXT.format(data=folder, more=more))
        self.folder = folder
        self.store = MemoryStore() if store is None else store
        self.make_maildrop: Callable[[MemoryStore], MemoryMaildrop] = MemoryMaildrop
        self.events: list[Event] = []
        self.tally = Tally()
        self.trouble = ""
        self.now_s = 1_000_000_000.0
        self.free_octets = 2**60

    def run(self, *pieces: bytes) -> int:
        """Process a batch that comes in pieces; return the exit code."""
        return asyncio.run(self._run(list(pieces)))

    async def _run(self, pieces: list[bytes]) -> int:
        async def read(octets: int) -> bytes:
            return pieces.pop(0) if pieces else b""

        maildrop = self.make_maildrop(self.store)
        with (
            closing(BatchSource(read, self.folder)) as source,
            closing(BatchMemory(maildrop, self.folder / "batches", lambda: self.now_s)) as memory,
            closing(Verifier(SecretsFile(self.folder / "secrets"), self._accounts())) as verifier,
        ):
            office = self._make_office(maildrop, verifier)
            self.tally, trouble = await process(office, source, memory, Guest("", uid=1000, login="joe"))
        self.trouble = "" if trouble is None else str(trouble)
        return find_code(self.tally, trouble)

    def _accounts(self) -> AccountsFile:
        return AccountsFile(self.folder / "accounts")

    def _make_office(self, maildrop: MemoryMaildrop, verifier: Verifier) -> Office:
        table, clerk = find_table(self.configuration), make_clerk(self.configuration)
        log, tell = open_log("test"), self.events.append
        budget = SpoolBudget(table.size)
        return Office(
            self.configuration.hostname,
            table.size,
            table.most_recipients,
            clerk.most_octets,
            make_way_in(self.configuration, table, maildrop, budget, verifier, log),
            maildrop,
            FreeSpace(self.folder, table.least_free),
            Returns(maildrop, clerk, tell),
            Chronicle(tell, log, "1.1", "uid 1000"),
            lambda: datetime(2026, 11, 23, tzinfo=UTC),
        )

    @property
    def taken(self) -> list[ClaimedMessage]:
        """The messages of batches, in order."""
        return [one for one in self.store.messages.values() if one.origin is Origin.SUBMISSION]

    @property
    def subjects(self) -> list[str]:
        """Their subjects."""
        found = [re.search(rb"^Subject: (.*)\r$", octets_of(one), re.MULTILINE) for one in self.taken]
        return ["" if match is None else match[1].decode() for match in found]

    @property
    def reports(self) -> list[tuple[str, list[str]]]:
        """What was reported: to whom, and the failed recipients with their status."""
        return [
            (self.recipients_of(one)[0], find_failed(octets_of(one)))
            for one in self.store.messages.values()
            if one.origin is Origin.REPORT and b"multipart/report" in octets_of(one)
        ]

    @property
    def rests(self) -> list[bytes]:
        """What of batches was sent to the postmaster."""
        found = []
        for one in self.store.messages.values():
            if match := _ATTACHED.search(octets_of(one)):
                assert self.recipients_of(one) == ["admin@here.example"]
                found.append(base64.b64decode(match[1]))
        return found

    def recipients_of(self, message: ClaimedMessage) -> list[str]:
        """Return the recipients of a message."""
        recipients = self.store.recipients.values()
        return [str(one.accepted_address) for one in recipients if one.message_id == message.id]


def octets_of(message: ClaimedMessage) -> bytes:
    """Return the octets of a message."""
    assert message.content.octets is not None
    return message.content.octets


def find_failed(report: bytes) -> list[str]:
    """Return the failed recipients that a report names."""
    addresses = re.findall(rb"^Final-Recipient: \S+; ?(\S+)\r$", report, re.MULTILINE)
    statuses = re.findall(rb"^Status: (\S+)\r$", report, re.MULTILINE)
    return [f"{one.decode()} {status.decode()}" for one, status in zip(addresses, statuses, strict=True)]


def message(
    subject: str, *recipients: str, sender: str = "joe@here.example", body: Sequence[bytes] = (b"hello",)
) -> bytes:
    """Write a message of a batch, lines ended by CRLF."""
    lines = [b"MAIL FROM:<%s>" % sender.encode()]
    lines += [b"RCPT TO:<%s>" % one.encode() for one in recipients or ("u@here.example",)]
    lines += [b"DATA", b"Subject: %s" % subject.encode(), b"", *body, b"."]
    return b"".join(line + b"\r\n" for line in lines)
