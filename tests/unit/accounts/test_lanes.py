"""Lanes: short queues in which networks take turns, whoever floods them (S-7)."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from paperpath.accounts.lanes import Lane, LaneFullError


class Gate:
    """Work that waits until it is let go, and who has done any."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.done: list[str] = []

    def work(self, name: str) -> str:
        assert self.opened.wait(60)
        self.done.append(name)
        return name


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.opened.set()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def queue_up(lane: Lane, gate: Gate, names: list[str]) -> list[asyncio.Task[str]]:
    """Let some come one after the other; the first letter is the network."""
    tasks = [asyncio.create_task(lane.run(name[0], gate.work, name)) for name in names]
    await settle()
    return tasks


async def finish(lane: Lane, gate: Gate, tasks: list[asyncio.Task[str]]) -> list[str]:
    gate.opened.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    lane.close()
    assert lane._free == 1
    assert not lane._waiting
    return ["full" if isinstance(result, LaneFullError) else str(result) for result in results]


def test_S7_networks_take_turns(gate: Gate) -> None:
    async def run() -> None:
        lane = Lane("test", 1, 10)
        tasks = await queue_up(lane, gate, ["a1", "a2", "a3", "a4", "b1", "b2", "c1"])
        await finish(lane, gate, tasks)

    asyncio.run(run())
    assert gate.done == ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]


def test_S7_a_full_queue_has_room_for_who_has_fewer_in_it(gate: Gate) -> None:
    async def run() -> list[str]:
        lane = Lane("test", 1, 3)
        tasks = await queue_up(lane, gate, ["a1", "a2", "a3", "a4", "a5", "b1", "c1", "d1"])
        return await finish(lane, gate, tasks)

    assert asyncio.run(run()) == ["a1", "a2", "full", "full", "full", "b1", "c1", "full"]


def test_S7_who_gives_up_leaves_his_place(gate: Gate) -> None:
    async def run() -> list[str]:
        lane = Lane("test", 1, 2)
        tasks = await queue_up(lane, gate, ["a1", "b1", "c1"])
        tasks[1].cancel()
        await settle()
        tasks += await queue_up(lane, gate, ["d1"])
        return await finish(lane, gate, tasks)

    assert asyncio.run(run()) == ["a1", "", "c1", "d1"]


def test_S7_who_gives_up_as_his_turn_comes_passes_it_on(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> list[str]:
        lane = Lane("test", 1, 2)
        tasks = await queue_up(lane, gate, ["a1", "b1", "c1"])
        pass_on = lane._pass_on

        def pass_on_and_give_up() -> None:
            pass_on()
            tasks[1].cancel()

        monkeypatch.setattr(lane, "_pass_on", pass_on_and_give_up)
        return await finish(lane, gate, tasks)

    assert asyncio.run(run()) == ["a1", "", "c1"]


def test_what_fails_frees_its_thread() -> None:
    async def run() -> int:
        lane = Lane("test", 1, 0)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await lane.run("a", divmod, 1, 0)
        done = await lane.run("a", len, "done")
        lane.close()
        return done

    assert asyncio.run(run()) == 4
