"""The sessions of a program: looked over once a second, each for itself."""

import asyncio
from typing import Any

from paperpath.intake.sessions import Sessions


class Living:
    """Counts how often its time is checked; a broken one cannot say."""

    def __init__(self, *, is_broken: bool) -> None:
        self.checks = 0
        self.was_checked_twice = asyncio.Event()
        self._is_broken = is_broken

    def end(self) -> None: ...

    def check_time(self, now_s: float) -> None:
        self.checks += 1
        if self.checks == 2:
            self.was_checked_twice.set()
        if self._is_broken:
            raise RuntimeError("no idea")


def test_P6_a_session_that_cannot_be_checked_keeps_no_other_from_its_end(monkeypatch: Any) -> None:
    monkeypatch.setattr("paperpath.intake.sessions._LOOK_S", 0.0)
    told: list[dict[str, Any]] = []

    async def look() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        sessions, others = Sessions(), [Living(is_broken=number < 3) for number in range(6)]
        for living in others:
            sessions.add(living)
        for living in others:
            await asyncio.wait_for(living.was_checked_twice.wait(), 20)
        for living in others:
            sessions.discard(living)

    asyncio.run(look())
    assert len(told) >= 6
    assert str(told[0]["exception"]) == "no idea"
