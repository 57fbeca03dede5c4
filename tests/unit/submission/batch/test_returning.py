"""What a batch sends back, interrupted: nothing of it stays."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from paperpath.delivery.reports import make_clerk
from paperpath.maildrop.memory.engine import MemoryMaildrop
from paperpath.maildrop.memory.store import MemoryStore
from paperpath.submission.batch.returning import Returns
from tests.unit.submission.batch.setting import Setting


class Writer:
    """Counts how often it is discarded."""

    def __init__(self) -> None:
        self.discarded = 0

    def write(self, octets: bytes) -> None: ...

    def discard(self) -> None:
        self.discarded += 1


def test_J25_what_is_cut_off_while_the_rest_is_sent_leaves_no_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maildrop, writer, told = MemoryMaildrop(MemoryStore()), Writer(), list[object]()
    monkeypatch.setattr(maildrop, "new_content", lambda queue_id: writer)
    returns = Returns(maildrop, make_clerk(Setting(tmp_path).configuration), told.append)

    async def rest() -> AsyncIterator[bytes]:
        yield b"NOOP\r\n"
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(returns.send_rest(rest(), 1000, "not SMTP"))
    assert writer.discarded == 1
