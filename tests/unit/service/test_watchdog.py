"""Who asks to hear that a program lives, and how often it is said."""

import asyncio
import os

import pytest

from paperpath.service import notify
from paperpath.service.notify import Notifications
from paperpath.service.watchdog import VARIABLE, beat, format_watchdog, take_watchdog


@pytest.mark.parametrize(
    ("limit", "process", "expected"),
    [
        (format_watchdog(1.5), None, 1.5),
        pytest.param("30000000", str(os.getpid()), 30.0, id="ours"),
        ("30000000", "1", None),
        ("0", None, None),
        ("soon", None, None),
        (None, None, None),
    ],
)
def test_only_who_is_meant_says_that_it_lives(
    monkeypatch: pytest.MonkeyPatch, limit: str | None, process: str | None, expected: float | None
) -> None:
    for name, value in ((VARIABLE, limit), ("WATCHDOG_PID", process)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert take_watchdog() == expected
    assert VARIABLE not in os.environ
    assert "WATCHDOG_PID" not in os.environ


def test_it_is_said_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        notifications = Notifications()
        monkeypatch.setenv(notify.VARIABLE, notifications.address)
        heard: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        notifications.listen_to(os.getpid(), heard.put_nowait)
        beating = asyncio.create_task(beat(0.03))
        async with asyncio.timeout(5):
            for _ in range(3):
                assert await heard.get() == {"WATCHDOG": "1"}
        beating.cancel()
        notifications.close()

    asyncio.run(run())
