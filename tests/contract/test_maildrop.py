"""One suite over every maildrop engine."""

import asyncio
import contextlib
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import SimpleQueue

import pytest

from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.memory import MemoryMaildrop, MemoryStore
from paperpath.maildrop.sqlite.database import create_database
from paperpath.maildrop.sqlite.engine import SqliteMaildrop, Worker, open_sqlite
from paperpath.maildrop.values import Stage
from paperpath.testing import (
    maildrop_delivery_suite,
    maildrop_operator_suite,
    maildrop_post_office_suite,
    maildrop_remote_suite,
    maildrop_suite,
)
from paperpath.testing.maildrop_suite import CHECKS, Check, Engine


class MemoryEngine:
    def __init__(self, folder: Path) -> None:
        self.woken: SimpleQueue[Stage] = SimpleQueue()
        self._store = MemoryStore(self.woken.put)

    async def open(self) -> Maildrop:
        return MemoryMaildrop(self._store)

    async def kill(self, maildrop: Maildrop) -> None:
        await maildrop.close()

    def content_files(self) -> Sequence[Path]:
        return []


class SqliteEngine:
    def __init__(self, folder: Path) -> None:
        self.woken: SimpleQueue[Stage] = SimpleQueue()
        self._folder = folder
        create_database(folder)

    async def open(self) -> Maildrop:
        return await open_sqlite(self._folder, Worker("test", 0), self.woken.put)

    async def kill(self, maildrop: Maildrop) -> None:
        assert isinstance(maildrop, SqliteMaildrop)
        await maildrop.close()  # what the kernel does at a process's death: the lock on its file goes

    def content_files(self) -> Sequence[Path]:
        return [path for path in (self._folder / "content").rglob("*") if path.is_file()]


ENGINES: dict[str, Callable[[Path], Engine]] = {"memory": MemoryEngine, "sqlite": SqliteEngine}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("engine", ENGINES)
def test_maildrop_contract(engine: str, check: Check, tmp_path: Path) -> None:
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        loop.run_until_complete(check(ENGINES[engine](tmp_path)))


def test_every_check_is_listed() -> None:
    modules = (
        maildrop_suite,
        maildrop_post_office_suite,
        maildrop_delivery_suite,
        maildrop_operator_suite,
        maildrop_remote_suite,
    )
    written = {
        name
        for module in modules
        for name, value in vars(module).items()
        if inspect.iscoroutinefunction(value) and list(inspect.signature(value).parameters) == ["engine"]
    }
    assert written - {"next_stage"} == {check.__name__ for check in CHECKS}
    assert len(CHECKS) == len(set(CHECKS))
