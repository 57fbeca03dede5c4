"""Threads that hash passwords, behind a queue that is short: whoever finds it full is told at once (S-7).

Used by the verifier. A hash takes a processor thirty milliseconds, and who comes last waits for all of them.
"""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Result = TypeVar("_Result")


class LaneFullError(Exception):
    """More is waiting than may wait."""


class Lane:
    """Some threads and what waits for them."""

    def __init__(self, name: str, threads: int, most_waiting: int, niceness: int = 0) -> None:
        """Start with nothing to do; `niceness` lets threads have what others leave of the processors."""
        self._most = threads + most_waiting
        self._count = 0
        self._threads = ThreadPoolExecutor(threads, name, _be_nice, (niceness,))

    async def run(self, work: Callable[..., _Result], *arguments: object) -> _Result:
        """Do something in a thread. Raises: LaneFullError, at once."""
        if self._count >= self._most:
            raise LaneFullError
        self._count += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
        finally:
            self._count -= 1

    def close(self) -> None:
        """Let the threads end; what waits is given up."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _be_nice(niceness: int) -> None:
    """Give this thread its priority; on Linux each has one of its own (setpriority(2))."""
    if niceness and hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
