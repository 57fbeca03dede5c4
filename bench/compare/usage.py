"""What the processors did during a measurement, and who had them."""

import os
import time

from bench.compare.samples import Usage
from bench.machine import busy_seconds
from bench.process import Child


class Meter:
    """Counts from when it is made. `tools` are programs that are on no side, and run all the while."""

    def __init__(self, child: Child, *tools: Child) -> None:
        self._child = child
        self._tools = tools
        self._before = child.cpu_by_program()
        self._tools_before = self._tools_seconds()
        self._busy_before = busy_seconds()
        self._began = time.monotonic()

    def read(self, messages: int, source_seconds: float = 0.0) -> Usage:
        """What was used since then, for so many messages; a source that has ended told its part itself."""
        after = self._child.cpu_by_program()
        used = {name: seconds - self._before.get(name, 0.0) for name, seconds in after.items()}
        tools = source_seconds + self._tools_seconds() - self._tools_before
        others = busy_seconds() - self._busy_before - sum(used.values()) - tools
        whole = (time.monotonic() - self._began) * (os.cpu_count() or 1)
        return Usage(
            cpu_ms={name: 1000 * seconds / messages for name, seconds in used.items() if seconds > 0},
            tools_cpu_ms=1000 * tools / messages,
            others_percent=100 * max(0.0, others / whole),
        )

    def _tools_seconds(self) -> float:
        return sum(tool.cpu_seconds() for tool in self._tools)
