"""Threads that hash passwords, behind a queue that is short and fair (attack S-7).

Used by the verifier. A hash takes a processor thirty milliseconds, so few may wait, and who is one too many
is told at once. Networks take turns; and if the queue is full, the last of the network that has most in it
makes room for one that has fewer. So who floods the queue from one network waits behind himself.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Result = TypeVar("_Result")
_Turn = asyncio.Future[None]


class LaneFullError(Exception):
    """More is waiting than may wait."""


class Lane:
    """Some threads, and who waits for them, by network."""

    def __init__(self, name: str, threads: int, most_waiting: int) -> None:
        """Start with nothing to do."""
        self._free = threads
        self._most_waiting = most_waiting
        self._waiting: OrderedDict[str, deque[_Turn]] = OrderedDict()
        self._threads = ThreadPoolExecutor(threads, name)

    async def run(self, network: str, work: Callable[..., _Result], *arguments: object) -> _Result:
        """Do something in a thread, when it is its turn. Raises: LaneFullError."""
        if self._free:
            self._free -= 1
        else:
            await self._wait_for_turn(network)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
        finally:
            self._pass_on()

    def close(self) -> None:
        """Let the threads end; what waits is given up."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _wait_for_turn(self, network: str) -> None:
        """Wait until a thread is passed on to us. Raises: LaneFullError."""
        self._make_room(network)
        turn: _Turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(network, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._forget(network, turn)
            else:  # our turn had come in that very moment
                self._pass_on()
            raise

    def _make_room(self, network: str) -> None:
        """Send somebody away if the queue is full. Raises: LaneFullError, where it is us."""
        if sum(map(len, self._waiting.values())) < self._most_waiting:
            return
        most = max(self._waiting, key=lambda one: len(self._waiting[one]))
        if len(self._waiting[most]) <= len(self._waiting.get(network, ())) + 1:
            raise LaneFullError
        last = self._waiting[most][-1]
        self._forget(most, last)
        last.set_exception(LaneFullError())

    def _pass_on(self) -> None:
        """Give a thread to the first of the network whose turn it is, which goes behind the others then."""
        if not self._waiting:
            self._free += 1
            return
        network, turns = next(iter(self._waiting.items()))
        turn = turns[0]
        self._forget(network, turn)
        if network in self._waiting:
            self._waiting.move_to_end(network)
        turn.set_result(None)

    def _forget(self, network: str, turn: _Turn) -> None:
        turns = self._waiting[network]
        turns.remove(turn)
        if not turns:
            del self._waiting[network]
