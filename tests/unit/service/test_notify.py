"""What a program says of itself reaches who started it, and nobody else is heard."""

import asyncio
import os
import sys

import pytest

from paperpath.service.notify import VARIABLE, Notifications, notify, parse_notification


def test_states_arrive_even_those_sent_before_anybody_listened(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        notifications = Notifications()
        monkeypatch.setenv(VARIABLE, notifications.address)
        notify(READY="1", STATUS="at work")
        heard: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        notifications.listen_to(os.getpid(), heard.put_nowait)
        notify(WATCHDOG="1")
        async with asyncio.timeout(5):
            assert await heard.get() == {"READY": "1", "STATUS": "at work"}
            assert await heard.get() == {"WATCHDOG": "1"}
        notifications.close()
        notify(READY="1")  # nobody is there, and that is no error

    asyncio.run(run())


def test_another_process_is_not_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        notifications = Notifications()
        monkeypatch.setenv(VARIABLE, notifications.address)
        lie = "from paperpath.service.notify import notify; notify(READY='1')"
        liar = await asyncio.create_subprocess_exec(sys.executable, "-c", lie)
        assert await liar.wait() == 0
        heard: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        notifications.listen_to(os.getpid(), heard.put_nowait)
        notify(STATUS="true")
        async with asyncio.timeout(5):
            assert await heard.get() == {"STATUS": "true"}
        notifications.close()

    asyncio.run(run())


def test_nonsense_is_no_state() -> None:
    assert parse_notification(b"\xff\nREADY\nSTATUS=a=b\n") == {"STATUS": "a=b"}
