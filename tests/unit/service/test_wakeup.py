"""Wake-ups between programs (P8, D-10, D-17, L-3)."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from paperpath.service.errors import ServiceError
from paperpath.service.wakeup import Waker, Wakeups


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ("a-long-path-" * 10) / "wake"  # longer than a socket's address may be


@pytest.fixture
def waker(folder: Path) -> Iterator[Waker]:
    with closing(Waker(folder)) as waker:
        yield waker


def test_P8_a_wakeup_ends_the_wait_and_an_early_one_is_not_lost(folder: Path, waker: Waker) -> None:
    async def run() -> None:
        async with Wakeups(folder, "smtppd") as wakeups:
            waker.wake("smtppd")
            waker.wake("smtppd")
            async with asyncio.timeout(5):
                await wakeups.wait(60)
                waiting = asyncio.create_task(wakeups.wait(60))
                waker.wake("smtppd")
                await waiting

    asyncio.run(run())


def test_D10_without_a_wakeup_the_wait_ends_by_itself(folder: Path) -> None:
    async def run() -> None:
        async with Wakeups(folder, "smtppd") as wakeups, asyncio.timeout(5):
            await wakeups.wait(0.01)

    asyncio.run(run())


def test_waking_somebody_who_is_away_does_no_harm(waker: Waker) -> None:
    waker.wake("smtprcd")


def test_waking_never_waits_however_many_wait_unread(folder: Path, waker: Waker) -> None:
    async def run() -> None:
        async with Wakeups(folder, "smtppd"):
            for _ in range(10_000):
                waker.wake("smtppd")

    asyncio.run(run())


def test_D17_a_second_program_of_the_name_refuses(folder: Path) -> None:
    async def run() -> None:
        async with Wakeups(folder, "smtppd"):
            with pytest.raises(ServiceError, match="running already"):
                await Wakeups(folder, "smtppd").__aenter__()

    asyncio.run(run())


def test_L3_a_stale_socket_is_taken_over_and_only_its_owner_may_enter(folder: Path) -> None:
    folder.mkdir(parents=True, mode=0o700)
    with pytest.MonkeyPatch.context() as patch, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as dead:
        patch.chdir(folder)
        dead.bind("smtppd.wake")

    async def run() -> None:
        async with Wakeups(folder, "smtppd"):
            modes.extend(path.stat().st_mode & 0o777 for path in (folder / "smtppd.wake", folder))

    modes: list[int] = []
    asyncio.run(run())
    assert modes == [0o600, 0o700]
    assert not (folder / "smtppd.wake").exists()
