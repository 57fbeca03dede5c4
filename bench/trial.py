"""The measurements themselves: one load on one side, and the rounds that interleave all sides.

A measurement begins with an empty target, an empty queue, resting processes and flushed disks, and
ends when the side rests again. The sides take turns within each scenario of each round, and another
one begins each round, so a drift of the machine meets all of them alike.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench import source
from bench.failure import BenchError
from bench.machine import busy_seconds
from bench.measure import Sample
from bench.process import tail
from bench.relay import Relay, wait_for_rest
from bench.source import Load
from bench.target import wait_for

REST_WITHIN = 60.0  # seconds


def rotated(sides: Sequence[Relay], by: int) -> list[Relay]:
    """The sides in their order, beginning `by` places later."""
    start = by % len(sides)
    return [*sides[start:], *sides[:start]]


def plan(sides: Sequence[Relay], loads: Sequence[Load], rounds: int) -> Iterator[tuple[int, Load, Relay]]:
    """Every measurement of a run in its order: round (from 1), load, side."""
    for number in range(1, rounds + 1):
        for load in loads:
            for side in rotated(sides, number - 1):
                yield number, load, side


class Trial:
    """What all measurements of a run share: the source's command, the time limit, a folder for its log."""

    def __init__(
        self,
        command: Callable[[Relay, Load], list[str]],
        timeout: float,
        folder: Path,
        remark: Callable[[str], None],
    ) -> None:
        self.command = command
        self._timeout = timeout
        self._log = folder / "smtp-source.log"
        self._remark = remark

    def measure(self, side: Relay, load: Load, number: int) -> Sample:
        """Put `load` on `side` once, and see it delivered; BenchError if a message is lost or doubled."""
        self._prepare(side)
        deadline = time.monotonic() + self._timeout
        before, tools_before = side.child.cpu_by_program(), side.target.cpu_seconds()
        busy_before, began = busy_seconds(), time.monotonic()
        try:
            run = source.run(self.command(side, load), self._timeout, self._log)
        except BenchError as error:
            log = tail(side.child.log)
            raise BenchError(f"{side.name}, {load.label}: {error}\nThe end of its log:\n{log}") from error
        delivered_at = wait_for(side.target, load.messages, deadline, side.child)
        self._rest(side)
        after = side.child.cpu_by_program()
        used = {name: seconds - before.get(name, 0.0) for name, seconds in after.items()}
        tools = run.cpu_seconds + side.target.cpu_seconds() - tools_before
        others = busy_seconds() - busy_before - sum(used.values()) - tools
        whole = (time.monotonic() - began) * (os.cpu_count() or 1)
        found = side.target.count()
        if found != load.messages:
            raise BenchError(f"{side.name} accepted {load.messages} messages and delivered {found}.")
        side.target.empty()
        return Sample(
            side=side.name,
            scenario=load.label,
            round=number,
            durability=side.durability,
            messages=load.messages,
            accepted_seconds=run.seconds,
            delivered_seconds=delivered_at - run.started,
            cpu_seconds=used,
            tools_cpu_seconds=tools,
            other_cpu_share=max(0.0, others / whole),
        )

    def _prepare(self, side: Relay) -> None:
        side.target.empty()
        self._rest(side)
        os.sync()

    def _rest(self, side: Relay) -> None:
        if not wait_for_rest(side, time.monotonic() + REST_WITHIN):
            self._remark(f"{side.name} is not at rest after {REST_WITHIN:.0f} s; going on all the same")
