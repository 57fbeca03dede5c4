"""Equal pieces of work at the same moment, done once: twenty connections of one device are one login.

Used by the verifier. Who comes while the same is being done waits for what comes of it. It is given up when
nobody waits for it any more.
"""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

_Result = TypeVar("_Result")


@dataclass(slots=True)
class _Work(Generic[_Result]):
    task: "asyncio.Task[_Result]"
    waiting: int = 0


class JoinedWork(Generic[_Result]):
    """What is being done now; works with equal keys are equal. For one event loop."""

    def __init__(self) -> None:
        """Begin with nothing to do."""
        self._works: dict[Hashable, _Work[_Result]] = {}

    async def run(self, key: Hashable, begin: Callable[[], Coroutine[Any, Any, _Result]]) -> _Result:
        """Return what comes of the work of this key, begun unless it is under way. Raises: as it does."""
        work = self._works.get(key)
        if work is None:
            work = self._works[key] = _Work(asyncio.get_running_loop().create_task(begin()))
        work.waiting += 1
        try:
            return await asyncio.shield(work.task)
        finally:
            work.waiting -= 1
            if work.task.done() or not work.waiting:
                self._end(key, work)

    def _end(self, key: Hashable, work: _Work[_Result]) -> None:
        """Let nobody join any more, and stop what nobody waits for."""
        work.task.cancel()
        if self._works.get(key) is work:
            del self._works[key]
