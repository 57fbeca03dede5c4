"""How long clients wait for their 250 while a side has four fifths of the work that it can do.

First it gets as much as it takes, and what it delivers a second then is its whole load; then messages come at
four fifths of that rate, each when it is due, however late the ones before were. The time is from the final
dot to the 250. The source is `paperpath bench send`, for both sides: smtp-source has neither rates nor times.
Beside it stands what the disk alone takes to flush 4 KiB, measured just before.
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import machine, source
from bench.compare.samples import ABOVE_MS, FLUSH_MS, MEDIAN_MS, P99_MS, P999_MS, PACE, Measured
from bench.compare.stages import Stage
from bench.compare.throughput import expect, make_ready, rest, telling_of
from bench.compare.usage import Meter
from bench.failure import BenchError
from bench.relay import Relay
from bench.source import Load, Run
from bench.target import wait_for

SHARE = 0.8


class Pacing:
    """The measurement of one side."""

    def __init__(self, stage: Stage, name: str) -> None:
        self._relay = stage.relay(name)
        self._folder = stage.folder
        self._timeout = stage.timeout
        self._log = stage.folder / "source.log"
        self._rate = 0.0

    def commands(self, load: Load) -> Sequence[Sequence[str]]:
        """The source's command line at its own pace, and at the one that was found."""
        return [spell(self._relay, load), spell(self._relay, load, self._rate)]

    def measure(self, load: Load) -> Measured:
        """Find the pace, then keep it."""
        run, told, delivered_at = self._send(load, spell(self._relay, load))
        started = run.started + run.seconds - told["seconds"]  # from there on it sends
        self._rate = SHARE * min(told["accepted_per_s"], load.messages / (delivered_at - started))
        flush = machine.time_flushes(self._folder)
        meter = Meter(self._relay.child)
        run, told, _ = self._send(load, spell(self._relay, load, self._rate))
        usage = meter.read(load.messages, run.cpu_seconds)
        times = told["dot_to_250_ms"]
        figures = {
            P99_MS.name: times["p99"],
            MEDIAN_MS.name: times["p50"],
            P999_MS.name: times["p99.9"],
            FLUSH_MS.name: flush.p99_ms,
            ABOVE_MS.name: times["p99"] - flush.p99_ms,
            PACE.name: self._rate,
        }
        return Measured(self._relay.durability, figures, usage)

    def _send(self, load: Load, line: list[str]) -> tuple[Run, dict[str, Any], float]:
        """Send it, and see it delivered: the run, what the source told, and when the last one arrived."""
        make_ready(self._relay)
        with telling_of(self._relay, load):
            run = source.run(line, self._timeout, self._log)
            told = read_report(self._log)
        deadline = time.monotonic() + self._timeout
        wanted = self._relay.target.wanted(load)
        delivered_at = wait_for(self._relay.target, wanted, deadline, self._relay.child)
        rest(self._relay)
        expect(self._relay, wanted)
        self._relay.target.empty()
        return run, told, delivered_at


def spell(relay: Relay, load: Load, rate: float = 0.0) -> list[str]:
    """The source's command line, at this many messages a second, or as many as are taken."""
    program = str(Path(sys.executable).with_name("paperpath"))
    line = [program, "bench", "send", f"127.0.0.1:{relay.port}", "--to", relay.recipient, "--json"]
    line += ["--messages", str(load.messages), "--size", str(load.length)]
    line += ["--connections", str(load.sessions), "--per-connection", "0" if load.kept else "1"]
    return [*line, *(["--rate", f"{rate:.1f}"] if rate else [])]


def read_report(log: Path) -> dict[str, Any]:
    """What `paperpath bench send --json` printed. Raises: BenchError, if it is not that."""
    text = log.read_text(encoding="utf-8", errors="replace")
    try:
        (report,) = json.loads(text[text.index("{") :])["reports"]
    except (ValueError, KeyError) as error:
        raise BenchError(f"The source did not say how long the replies took:\n{text[-1000:]}") from error
    return dict(report)
