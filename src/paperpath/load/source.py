"""The source of a load: all connections in one thread, each socket looked at when it is ready.

Called by `paperpath bench`, which watches from `tick`, twice a second. Who serves may be slow or die:
replies that do not come within the load's timeout end a connection, and who answers nobody any more ends
the load.
"""

import time
from collections import deque
from collections.abc import Callable

from paperpath.load.connection import Bench, Connection, Server
from paperpath.load.conversation import Common, converse
from paperpath.load.pace import Pace
from paperpath.load.plan import Load
from paperpath.load.tally import Tally
from paperpath.load.timeline import Timeline
from paperpath.load.writing import Writing

_TICK_US = 500_000
_LEAST_PATIENCE = 20


def now_us() -> int:
    """Return what the monotonic clock says, in microseconds."""
    return time.monotonic_ns() // 1000


class Source:
    """One load, sent once: `run` it. `tally` is true at any time."""

    def __init__(self, load: Load, server: Server, run: str) -> None:
        """Write what is to be said; `run` is the name that all tokens have."""
        self._load = load
        self._writing = Writing(load, run)
        self._bench = Bench(server, now_us)
        self.begun_us = self.ended_us = now_us()
        self.tally = Tally(Timeline(self.begun_us))
        self.pace = Pace(load, self.begun_us)

    def run(self, tick: Callable[[], None]) -> None:
        """Send all of it, or until `stop`."""
        load, bench = self._load, self._bench
        self.begun_us = now_us()
        self.tally = Tally(Timeline(self.begun_us), max(_LEAST_PATIENCE, 3 * load.connections))
        self.pace = Pace(load, self.begun_us)
        common = Common(load, self._writing, self.pace, self.tally, now_us)
        connections = [Connection(converse(common), bench) for _ in range(load.connections)]
        try:
            with bench.poll:
                self._serve(connections, tick)
        finally:
            for connection in connections:
                connection.close()
            self.ended_us = self.tally.last_us or now_us()

    def stop(self) -> None:
        """Begin no more messages; those under way are finished."""
        self.pace.stop()

    def _serve(self, connections: list[Connection], tick: Callable[[], None]) -> None:
        """Have all connections do their work to its end."""
        poll, sockets, pace = self._bench.poll.poll, self._bench.sockets, self.pace
        resting = deque(connections)
        working, next_tick_us = len(connections), now_us() + _TICK_US
        while working:
            time_us = now_us()
            if time_us >= next_tick_us:
                tick()
                working -= self._end_silent(time_us, resting)
                next_tick_us = now_us() + _TICK_US
            while resting and (pace.due_us <= time_us or pace.is_over(time_us)):
                connection = resting.popleft()
                connection.go_on()
                working -= _settle(connection, resting)
            until_us = min(pace.due_us, next_tick_us) if resting else next_tick_us
            ready = poll(max(until_us - time_us, 0) / 1e6) if working else ()
            time_us = now_us()
            for descriptor, events in ready:
                connection = sockets[descriptor]
                was_resting = connection.is_resting
                connection.ready(events, time_us)
                if not was_resting:
                    working -= _settle(connection, resting)

    def _end_silent(self, time_us: int, resting: deque[Connection]) -> int:
        """Close what waited too long for a reply; return how many of them ended with that."""
        limit_us = self._load.timeout_s * 1e6
        waiting = [one for one in self._bench.sockets.values() if not one.is_resting]
        silent = [one for one in waiting if time_us - one.said_us > limit_us]
        for connection in silent:
            connection.lose(f"no reply within {self._load.timeout_s:g} s")
        return sum(_settle(connection, resting) for connection in silent)


def _settle(connection: Connection, resting: deque[Connection]) -> bool:
    """Queue a connection for the next message if it waits for one; tell whether it has ended."""
    if connection.is_resting:
        resting.append(connection)
    return connection.is_over
