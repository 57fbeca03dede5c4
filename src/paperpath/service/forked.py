"""A process forked from ours, watched by the event loop: whether it has ended, and how.

Used by the helper that delivers to users. Forking is for programs of one thread: in the child of another,
locks that its threads held would stay held.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import NoReturn, Self


class Forked:
    """A child that runs a function, which never returns: `with` it, at whose end it is killed if it lives."""

    def __init__(self, run: Callable[[int], NoReturn]) -> None:
        """Fork, and call the function in the child with the number of its parent. Raises: OSError."""
        parent = os.getpid()
        self._pid = os.fork()
        if self._pid == 0:
            run(parent)
        self._descriptor = os.pidfd_open(self._pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        os.close(self._descriptor)
        with suppress(ChildProcessError):  # it was waited for
            os.waitpid(self._pid, os.WNOHANG)

    def kill(self) -> None:
        """Kill it, unless it has ended. What waits for a file system in vain dies when that answers."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)

    async def wait(self, patience_s: float | None = None) -> int | None:
        """Return its exit code, negative for a signal, once it has ended; `None` if patience ends before."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._descriptor, ended.set)
        try:
            async with asyncio.timeout(patience_s):
                await ended.wait()
        except TimeoutError:
            return None
        finally:
            loop.remove_reader(self._descriptor)
        return self._reap()

    def _reap(self) -> int:
        _, status = os.waitpid(self._pid, 0)
        return os.waitstatus_to_exitcode(status)
