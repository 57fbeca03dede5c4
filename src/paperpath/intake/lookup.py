"""One client being looked up in the lists: begun by the list desk, waited for by its session.

A session that ends gives it up. A defect of ours lets the client in, as if no list had it.
"""

import asyncio
from collections.abc import Callable, Coroutine

from paperpath.intake.client_lists import ListRuling
from paperpath.service.log import Log


class Lookup:
    """What the lists say of one client: a ruling, as soon as there is one."""

    def __init__(self, log: Log, ruling: ListRuling | None = None) -> None:
        """Have the ruling, or begin without."""
        self.ruling = ruling
        self._log = log
        self._done: Callable[[], None] | None = None
        self._looking: asyncio.Task[ListRuling] | None = None

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits for the ruling."""
        return self._done is not None

    def begin(self, looking: Coroutine[None, None, ListRuling]) -> None:
        """Begin to look."""
        self._looking = asyncio.get_running_loop().create_task(looking)
        self._looking.add_done_callback(self._finish)

    def wait(self, done: Callable[[], None]) -> None:
        """Call `done` as soon as there is a ruling, unless that is given up before."""
        self._done = done

    def give_up(self) -> None:
        """Call nobody; ask no further list."""
        self._done = None
        if self._looking is not None:
            self._looking.cancel()

    def _finish(self, looking: "asyncio.Task[ListRuling]") -> None:
        if looking.cancelled():
            return
        if (error := looking.exception()) is not None:
            self._log.error("defect", what="the client lists were not asked", error=repr(error))
        self.ruling = ListRuling() if error is not None else looking.result()
        done, self._done = self._done, None
        if done is not None:
            done()
