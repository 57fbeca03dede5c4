"""One message into the maildrop: one Received field, failures told at the end (A-41, A-44, A-51, D-4)."""

import asyncio
import errno
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from paperpath.intake.budget import SpoolBudget
from paperpath.intake.reception import RelayReception
from paperpath.intake.way_in import Stored
from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import Client, Envelope, Recipient
from paperpath.mail.trace import Stamp
from paperpath.maildrop import content
from paperpath.maildrop.content import ContentFolder, SpooledContent, read_content
from paperpath.maildrop.errors import StorageError
from paperpath.maildrop.memory import MemoryContent, MemoryMaildrop, MemoryStore
from paperpath.maildrop.values import NewMessage
from paperpath.testing.maildrop_suite import claim_all, sort_all

ENVELOPE = Envelope(None, (Recipient(Mailbox("u", "here.example")),), Client("192.0.2.1", 1, "c", "SMTP"))


class FailingContent(MemoryContent):
    def write(self, octets: bytes) -> None:
        raise StorageError("disk", no_space=True)


class FailingMaildrop(MemoryMaildrop):
    """Fails when content is written, or when the message is accepted."""

    def __init__(self, store: MemoryStore, *, at_write: bool) -> None:
        super().__init__(store)
        self._at_write = at_write

    def new_content(self, queue_id: str) -> MemoryContent:
        return FailingContent() if self._at_write else MemoryContent()

    def accept(self, message: NewMessage) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.set_exception(StorageError("disk", no_space=False))
        return future


def receive(maildrop: MemoryMaildrop, *chunks: bytes, most_octets: int = 2**20) -> str:
    budget = SpoolBudget(most_octets)

    async def run() -> str:
        stamp = Stamp("mx.here.example", maildrop.new_queue_id(1), datetime(2026, 11, 22, tzinfo=UTC))
        reception = RelayReception(maildrop, budget, ENVELOPE, stamp)
        for chunk in chunks:
            reception.add(chunk)
        done: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
        reception.store(done.set_result)
        return str((await done).reply)

    reply = asyncio.run(run())
    assert budget.taken == 0
    return reply


def test_A44_C1_one_received_field_then_the_octets() -> None:
    maildrop = MemoryMaildrop(MemoryStore())

    async def stored() -> bytes:
        await sort_all(maildrop)
        (claim,) = await claim_all(maildrop)
        return read_content(claim.message.content)

    assert receive(maildrop, b"Received: old\r\n", b"\r\n\x00\xff\r\n").startswith("250 2.0.0")
    octets = asyncio.run(stored())
    assert octets.startswith(b"Received: from c ([192.0.2.1])\r\n")
    assert octets.endswith(b"+0000\r\nReceived: old\r\n\r\n\x00\xff\r\n")
    assert octets.count(b"Received: ") == 2


def test_A47_the_trace_names_no_recipient_beside_others() -> None:
    maildrop = MemoryMaildrop(MemoryStore())
    stamp = Stamp("mx.here.example", maildrop.new_queue_id(1), datetime(2026, 11, 22, tzinfo=UTC))
    both = (*ENVELOPE.recipients, Recipient(Mailbox("blind", "here.example")))
    for recipients, is_named in ((ENVELOPE.recipients, True), (both, False)):
        content = MemoryContent()
        maildrop.new_content = lambda queue_id, content=content: content  # type: ignore[method-assign,misc]
        RelayReception(maildrop, SpoolBudget(2**20), replace(ENVELOPE, recipients=recipients), stamp)
        field = asyncio.run(_finish(content))
        assert (b" for " in field, b"blind" in field) == (is_named, False)


async def _finish(content: MemoryContent) -> bytes:
    return read_content(await content.finish())


def test_A50_C2_no_field_is_read_added_or_removed() -> None:
    maildrop = MemoryMaildrop(MemoryStore())
    fields = (
        b"Return-Path: <x@y>\r\nreceived:   odd\r\nBcc: z@y\r\nDelivered-To: q@y\r\nErrors-To: e@y\r\n\r\n"
    )

    async def stored() -> bytes:
        await sort_all(maildrop)
        (claim,) = await claim_all(maildrop)
        return read_content(claim.message.content)

    receive(maildrop, fields)
    assert asyncio.run(stored()).partition(b"+0000\r\n")[2] == fields


@pytest.mark.parametrize(("at_write", "reply"), [(True, "452 4.3.1"), (False, "451 4.3.0")])
def test_A41_D4_a_failure_is_told_at_the_end_and_nothing_is_kept(at_write: bool, reply: str) -> None:
    store = MemoryStore()
    assert receive(FailingMaildrop(store, at_write=at_write), b"x\r\n", b"y\r\n").startswith(reply)
    assert store.messages == {}


def test_S3_more_than_the_budget_is_told_at_the_end_and_nothing_is_kept() -> None:
    store = MemoryStore()
    assert receive(MemoryMaildrop(store), b"x" * 1000, b"y" * 1000, most_octets=1500).startswith("452 4.3.1")
    assert store.messages == {}


def test_S10_trace_fields_are_counted_over_many_chunks_of_a_long_header() -> None:
    maildrop = MemoryMaildrop(MemoryStore())
    filler = b"X-Filler: " + b"x" * 900 + b"\r\n"
    assert receive(maildrop, *[b"Received: x\r\n" + filler * 9] * 100, most_octets=2**22).startswith(
        "554 5.4.6"
    )
    assert receive(maildrop, *[filler * 100] * 13, b"Received: x\r\n" * 100, most_octets=2**22).startswith(
        "250"
    )


def test_A51_a_hundred_trace_fields_are_too_many() -> None:
    maildrop = MemoryMaildrop(MemoryStore())
    assert receive(maildrop, b"Received: x\r\n" * 100).startswith("554 5.4.6")
    assert receive(maildrop, b"Received: x\r\n" * 99 + b"\r\n" + b"Received: x\r\n" * 99).startswith("250")
    assert maildrop.read_books().accepted == 1


QUEUE_ID = "0123456789AB"


def test_D4_a_content_folder_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "content").write_text("a file where the folder should be")
    writer = SpooledContent(ContentFolder(tmp_path / "content"), QUEUE_ID, executor=None)  # type: ignore[arg-type]
    with pytest.raises(StorageError):
        writer.write(b"x" * 100_000)
    writer.discard()


class Process:
    """What one process knows of the folders for content; all its messages have the same one."""

    def __init__(self, path: Path) -> None:
        self._folder = ContentFolder(path)

    def begin(self, number: int, executor: Executor) -> SpooledContent:
        writer = SpooledContent(self._folder, f"{QUEUE_ID}{number}", executor)
        writer.write(b"x" * 100_000)
        return writer

    def write(self, number: int) -> None:
        async def write() -> None:
            with ThreadPoolExecutor(1) as executor:
                await self.begin(number, executor).finish()

        asyncio.run(write())


def test_D1_the_name_of_a_content_folder_is_flushed_by_who_uses_it_whoever_made_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[Path] = []
    monkeypatch.setattr(content, "flush_directory", flushed.append)
    below = tmp_path / QUEUE_ID[9:11]
    Process(tmp_path).begin(1, executor=None)  # type: ignore[arg-type]
    assert (list(tmp_path.iterdir()), flushed) == ([below], [])
    later = Process(tmp_path)
    later.write(2)
    assert flushed == [below, tmp_path]
    later.write(3)
    assert flushed == [below, tmp_path, below]


def test_D4_a_content_folder_whose_name_could_not_be_flushed_is_flushed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = [tmp_path]

    def fail_once(folder: Path) -> None:
        if folder in failing:
            failing.remove(folder)
            raise OSError(errno.EIO, "disk")
        flushed.append(folder)

    flushed: list[Path] = []
    monkeypatch.setattr(content, "flush_directory", fail_once)
    process = Process(tmp_path)
    with pytest.raises(StorageError):
        process.write(1)
    process.write(2)
    assert flushed[-1] == tmp_path
