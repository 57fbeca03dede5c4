"""Room on the disk: given back after a drain, kept back for settling (D-5, L-7)."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from paperpath.maildrop.errors import StorageError
from paperpath.maildrop.sqlite import space, tidying, writer
from paperpath.maildrop.sqlite.arrivals import insert_messages
from paperpath.maildrop.sqlite.database import create_database
from paperpath.maildrop.sqlite.engine import Worker, open_sqlite
from paperpath.maildrop.sqlite.group import Request, Transaction, count_group
from paperpath.maildrop.sqlite.writer import GroupCommitter
from paperpath.maildrop.values import Stage, Transport
from paperpath.testing.maildrop_suite import claim_all, put, settle_all, sort_all

MESSAGES = 5_000
OCTETS = b"x" * 4_000


def ignore(stage: Stage) -> None:
    """Wake nobody."""


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - a file of another thread: there is no event
            await asyncio.sleep(0.01)


@pytest.mark.slow
def test_space_is_given_back_after_a_drain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "TIDY_AFTER_S", 0.05)
    monkeypatch.setattr(writer, "TIDY_PAUSE_S", 0.0)

    def size() -> int:
        return sum(file.stat().st_size for file in tmp_path.glob("queue.db*"))

    async def run() -> int:
        maildrop = await open_sqlite(tmp_path, Worker("test", 0, checkpoints=True), ignore)
        for _ in range(MESSAGES // 500):
            await asyncio.gather(*(put(maildrop, "a@here.example", octets=OCTETS) for _ in range(500)))
        full = size()
        assert await sort_all(maildrop) == MESSAGES
        while claims := await claim_all(maildrop, limit=500):
            await settle_all(maildrop, claims)
        most = tidying.KEPT_PAGES * 4096 + tidying.KEPT_LOG_OCTETS + 1_000_000
        await until(lambda: size() < most)
        await put(maildrop, "a@here.example")
        assert maildrop.read_books().balance
        await maildrop.close()
        return full

    create_database(tmp_path)
    assert asyncio.run(run()) > MESSAGES * len(OCTETS)


def test_D5_nothing_is_claimed_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        maildrop = await open_sqlite(tmp_path, Worker("test", 0), ignore)
        await put(maildrop, "a@here.example")
        await sort_all(maildrop)
        with monkeypatch.context() as full:
            full.setattr(space, "LEAST_FREE_TO_CLAIM", 2**62)
            future = maildrop.claim(Transport.LOCAL, 10, 100)
            with pytest.raises(StorageError) as failure:
                await future
        assert failure.value.no_space
        assert await settle_all(maildrop, await claim_all(maildrop)) == 1
        await maildrop.close()

    create_database(tmp_path)
    asyncio.run(run())


@pytest.mark.parametrize("is_urgent", [False, True])
def test_L7_settling_has_a_reserve_on_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_urgent: bool
) -> None:
    reserve = tmp_path / "reserve"
    failures = [apsw.FullError("full")]

    def operate(transaction: Transaction) -> str:
        if failures:
            raise failures.pop()
        return "done"

    async def run() -> object:
        monkeypatch.setattr(writer, "TIDY_AFTER_S", 0.0)
        committer = GroupCommitter(tmp_path, ignore, insert_messages, checkpoints=True)
        await committer.submit(lambda transaction: None)
        await until(reserve.exists)
        assert reserve.stat().st_blocks * 512 >= space.RESERVE_OCTETS
        monkeypatch.setattr(writer, "TIDY_AFTER_S", 60.0)
        (result,) = await asyncio.gather(
            committer.submit(operate, is_urgent=is_urgent), return_exceptions=True
        )
        await committer.close()
        return result

    create_database(tmp_path)
    monkeypatch.setattr(space, "LEAST_FREE_TO_RESERVE", 0)
    result = asyncio.run(run())
    assert reserve.exists() is not is_urgent
    assert result == "done" if is_urgent else isinstance(result, StorageError) and result.no_space


def test_a_small_disk_has_no_reserve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space, "LEAST_FREE_TO_RESERVE", 2**62)
    space.restore_reserve(tmp_path)
    assert not (tmp_path / "reserve").exists()
    assert not space.release_reserve(tmp_path)


def test_P6_a_group_is_bounded_by_number_and_by_octets() -> None:
    async def run() -> list[int]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = [Request(future, octets=octets) for octets in (30, 30, 50, 1, 0)]
        return [
            count_group(waiting, most, octets)
            for most, octets in ((9, 1), (9, 60), (9, 110), (9, 999), (2, 999))
        ]

    assert asyncio.run(run()) == [1, 2, 3, 5, 2]


def test_a_reserve_whose_maker_died_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space, "LEAST_FREE_TO_RESERVE", 0)
    (tmp_path / "reserve").touch()
    space.restore_reserve(tmp_path)
    assert (tmp_path / "reserve").stat().st_size == space.RESERVE_OCTETS
