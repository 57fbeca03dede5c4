"""What the supervisor makes of a program's silence."""

import asyncio
import signal
import time
from pathlib import Path
from typing import cast

from paperpath.config.loader import parse_document
from paperpath.service.child import Child, Household, Order
from paperpath.service.handover import Texts
from paperpath.service.log import open_log
from paperpath.service.stalling import Holder
from tests.unit.config.example import RIGHT

LIMIT_S = 0.2


class FakeProcess:
    """A process that ends when it is killed, and ignores every other signal, as a stopped one does."""

    pid = 4711

    def __init__(self) -> None:
        self.signals: list[int] = []
        self.returncode: int | None = None
        self._end = asyncio.Event()

    def has_ended(self) -> bool:
        return self.returncode is not None

    async def wait(self) -> int:
        await self._end.wait()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        self.signals.append(number)

    def kill(self) -> None:
        self.end(-signal.SIGKILL)

    def end(self, code: int) -> None:
        self.returncode = code
        self._end.set()


def watch(process: FakeProcess) -> tuple[Child, asyncio.Task[None]]:
    document = parse_document(RIGHT, Path("paperpath.toml"))
    texts = Texts(document.text, document)
    household = Household(document.path, texts, Path("control"), open_log("test"), LIMIT_S)
    child = Child(Order("smtptd", "nothing"), household)
    child._take({"READY": "1"})
    waiting = child._wait_for_death(cast("asyncio.subprocess.Process", process))
    return child, asyncio.create_task(waiting)


def test_silence_ends_in_an_abort_and_then_in_a_kill(monkeypatch) -> None:
    monkeypatch.setattr("paperpath.service.child._ABORT_S", 0.01)

    async def run() -> None:
        process = FakeProcess()
        _, watching = watch(process)
        async with asyncio.timeout(10):
            await watching
        assert process.signals == [signal.SIGABRT]
        assert process.returncode == -signal.SIGKILL

    asyncio.run(run())


def test_who_says_something_lives() -> None:
    async def run() -> None:
        process = FakeProcess()
        child, watching = watch(process)
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        while loop.time() < began_s + 3 * LIMIT_S:
            child._take({"WATCHDOG": "1"})
            await asyncio.wait({watching}, timeout=LIMIT_S / 10)
        process.end(0)
        await watching
        assert process.signals == []

    asyncio.run(run())


def test_a_supervisor_that_was_held_up_itself_does_not_judge() -> None:
    async def run() -> None:
        process = FakeProcess()
        _, watching = watch(process)
        await asyncio.sleep(0)
        time.sleep(2 * LIMIT_S)  # noqa: ASYNC251 - the whole machine stands still, and nobody says anything
        await asyncio.wait({watching}, timeout=LIMIT_S / 2)
        assert process.signals == []
        process.end(0)
        await watching

    asyncio.run(run())


def test_P8_only_the_process_that_holds_the_lock_is_killed() -> None:
    async def run() -> None:
        process = FakeProcess()
        child, watching = watch(process)
        child._process = cast("asyncio.subprocess.Process", process)
        assert not child.kill_stalled(Holder(process.pid + 1, "queue.lock", None), 10.0)
        assert not process.has_ended()
        assert child.kill_stalled(Holder(process.pid, "queue.lock", None), 10.0)
        assert process.returncode == -signal.SIGKILL
        assert not child.kill_stalled(Holder(process.pid, "queue.lock", None), 10.0)  # it is another's by now
        await watching

    asyncio.run(run())
