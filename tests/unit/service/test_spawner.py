"""Programs for connections: so many at once, with nothing of ours, and all of them ended."""

import asyncio
import os
import socket
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from paperpath.service.log import Log, open_log
from paperpath.service.spawner import Errand, Spawner

pytestmark = pytest.mark.slow
Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    factory = uvloop.new_event_loop if request.param == "uvloop" else None

    def run(work: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(work)

    return run


class Site:
    """A spawner that runs a shell's line, or what it is told for the next client."""

    def __init__(self, line: str, most: int = 10) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        self.errand: Errand | None = Errand(("sh", "-c", line), {"PATH": os.environ["PATH"], "A": "ä"})
        self.running: list[int] = []  # whenever one was chosen
        self.spawner = Spawner(self.listener, most, self._choose, open_log("tcpsrun"))
        self.serving = asyncio.create_task(self.spawner.serve())

    async def _choose(self, connection: socket.socket, log: Log) -> Errand | None:
        self.running.append(len(self.spawner._processes))
        return self.errand

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(*self.listener.getsockname())

    async def hear(self) -> bytes:
        reader, writer = await self.connect()
        said = await reader.read()
        writer.close()
        return said

    async def end(self) -> None:
        self.serving.cancel()
        await asyncio.wait({self.serving})
        self.listener.close()
        await self.spawner.end()


def test_L12_a_program_has_the_connection_and_nothing_else(run: Run) -> None:
    async def work() -> None:
        secret = os.open("/dev/null", os.O_RDONLY)
        os.set_inheritable(secret, True)
        site = Site("echo $A; ls /proc/self/fd; read line; echo $line")
        reader, writer = await site.connect()
        writer.write(b"hello\n")
        assert (await reader.read()).decode().split() == ["ä", "0", "1", "2", "3", "hello"]  # 3: of ls
        writer.close()
        await site.end()
        os.close(secret)

    run(work())


def test_L12_no_more_run_at_once_than_told(run: Run) -> None:
    async def work() -> None:
        site = Site("echo on; cat", most=2)
        first, second, third = [await site.connect() for _ in range(3)]
        assert await first[0].readline() == await second[0].readline() == b"on\n"
        waiting = asyncio.create_task(third[0].readline())
        first[1].close()  # the program ends, and makes room
        assert await waiting == b"on\n"
        second[1].close()
        third[1].close()
        await site.end()
        assert site.running == [0, 1, 1]

    run(work())


def test_L16_nothing_is_run_for_whom_nothing_is_chosen_and_what_fails_fails_for_one(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    async def work() -> None:
        site = Site("echo on")
        good, site.errand = site.errand, None
        assert await site.hear() == b""
        for command in (("/nowhere/at/all",), ("a\0b",), ("/",)):
            site.errand = Errand(command, {})
            assert await site.hear() == b""
        site.errand = good
        assert await site.hear() == b"on\n"
        await site.end()

    run(work())
    errors = capsys.readouterr().err
    assert errors.count(" error cannot run ") == 3
    assert errors.count(" info ended ") == 1


def test_the_end_is_asked_for_and_waited_for(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    async def work() -> None:
        site = Site("trap 'echo bye; exit 3' TERM; echo on; while read line; do :; done")
        reader, writer = await site.connect()
        assert await reader.readline() == b"on\n"
        ending = asyncio.create_task(site.end())
        assert await reader.read() == b"bye\n"
        await ending
        writer.close()

    run(work())
    assert "code=3" in capsys.readouterr().err


def test_what_does_not_end_is_killed(
    run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        site = Site("")
        site.errand = Errand(
            (
                sys.executable,
                "-c",
                "import signal, time; signal.signal(15, 1); print(1, flush=1); time.sleep(99)",
            ),
            dict(os.environ),
        )
        reader, writer = await site.connect()
        assert await reader.readline() == b"1\n"
        await site.end()
        writer.close()

    monkeypatch.setattr("paperpath.service.spawner._END_S", 0.05)
    run(work())
    assert "code=-9" in capsys.readouterr().err
