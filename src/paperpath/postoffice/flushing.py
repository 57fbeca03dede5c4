"""Having mail that waits tried at once, because a user of this host asks (`sendmail -q`, requirement J-10).

A task of smtppd; asked by way of its enquiries. Whoever runs the programs means all mail, anybody else his
own. It is done page by page, and for nobody more than once a minute: a destination that is away is not tried
more often than that, however often somebody asks.
"""

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import NoReturn, Self

from paperpath.maildrop.errors import MaildropError
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.values import Retry, State
from paperpath.service.log import Log

PAGE = 200  # recipients in one transaction
PAUSE_S = 60.0


class Flushing:
    """Keeps who asked, and does it for as long as it is entered: `async with`."""

    def __init__(self, maildrop: Maildrop, log: Log, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with nobody."""
        self._maildrop = maildrop
        self._log = log
        self._clock = clock
        self._asked: asyncio.Queue[str | None] = asyncio.Queue()
        self._last_s: dict[str | None, float] = {}

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._task.cancel()
        await asyncio.wait({self._task})

    def ask(self, user: str | None) -> bool:
        """Ask for a user's mail, named as in the books, or for all; tell whether it is not too soon again."""
        now_s = self._clock()
        self._last_s = {known: then_s for known, then_s in self._last_s.items() if now_s - then_s < PAUSE_S}
        if user in self._last_s:
            return False
        self._last_s[user] = now_s
        self._asked.put_nowait(user)
        return True

    async def flush(self, user: str | None) -> int:
        """Make a user's waiting mail due, or all of it; return how many recipients. Raises: MaildropError."""
        after, changed = (0, 0), 0
        while entries := self._maildrop.browse(user, after, PAGE):
            after = entries[-1].message_id, entries[-1].recipient_id
            waiting = [entry.recipient_id for entry in entries if entry.state is State.READY]
            if waiting:
                changed += await self._maildrop.change(waiting, Retry(time.time_ns() // 1000))
            await asyncio.sleep(0)  # others want to sort meanwhile
        return changed

    async def _run(self) -> NoReturn:
        while True:
            user = await self._asked.get()
            try:
                recipients = await self.flush(user)
            except MaildropError as error:
                self._log.error("cannot flush the queue", reason=str(error))
            else:
                self._log.info("flushed", user="everybody" if user is None else user, recipients=recipients)
