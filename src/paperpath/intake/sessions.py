"""The sessions of a program that live: who must end with it, and whose time is over."""

import asyncio
import itertools
import os
from contextlib import suppress
from typing import Protocol

_LOOK_S = 1.0


class Living(Protocol):
    """What is asked of a session."""

    def end(self) -> None:
        """End from our side."""

    def check_time(self, now_s: float) -> None:
        """Close if its time is over."""


class Sessions:
    """Looks over all sessions once a second, which costs less than a timer for each."""

    def __init__(self) -> None:
        """Begin with none."""
        self._living: set[Living] = set()
        self._none_left = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._numbers = itertools.count(1)

    def __len__(self) -> int:
        return len(self._living)

    def new_id(self) -> str:
        """Return an id for a session to have in the log, which no other living program gives."""
        return f"{os.getpid():x}.{next(self._numbers):x}"

    def add(self, session: Living) -> None:
        """Take a session in."""
        self._living.add(session)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_LOOK_S, self._look)

    def discard(self, session: Living) -> None:
        """Let a session go."""
        self._living.discard(session)
        if not self._living:
            self._none_left.set()

    async def wait_until_none(self) -> None:
        """Wait until the last of those that came has gone."""
        await self._none_left.wait()

    async def end(self, patience_s: float) -> None:
        """End them all, and wait for those that are storing a message."""
        self._none_left.clear()
        for session in list(self._living):
            session.end()
        if self._living:
            with suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    await self._none_left.wait()

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        for session in list(self._living):
            try:
                session.check_time(now_s)
            except Exception as error:  # noqa: BLE001 - told as a defect; the others have deadlines too
                loop.call_exception_handler(
                    {"message": "a session's time was not checked", "exception": error}
                )
        self._timer = loop.call_later(_LOOK_S, self._look) if self._living else None
