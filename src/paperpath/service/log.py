"""The log of a program: lines of text on standard error, one event each, values escaped.

Nothing a peer sent can break a line or reach a terminal raw: what is not printable ASCII is escaped. Inside
an event loop lines are written together, once the events at hand are dealt with: a busy program writes once
for many.
"""

import asyncio
import sys
import time
from collections.abc import MutableMapping
from typing import Any

import structlog

Log = structlog.typing.FilteringBoundLogger
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@._:<>[]/+-*=,")


class _Lines:
    """Gathers lines and writes them to standard error. Structlog calls a method named after the level."""

    def __init__(self) -> None:
        self._waiting: list[str] = []

    def msg(self, line: str) -> None:
        self._waiting.append(line)
        if len(self._waiting) > 1:
            return
        try:
            asyncio.get_running_loop().call_soon(self._write)
        except RuntimeError:
            self._write()

    info = warning = error = msg

    def _write(self) -> None:
        lines, self._waiting = "".join(self._waiting), []
        sys.stderr.write(lines)
        sys.stderr.flush()


def open_log(program: str) -> Log:
    """Return the log of a program; every line carries the program's name."""
    structlog.configure(
        processors=[_format],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
        logger_factory=_Lines,
        cache_logger_on_first_use=True,
    )
    log: Log = structlog.get_logger(program=program)
    return log


def _format(logger: object, level: str, event: MutableMapping[str, Any]) -> str:
    now_us = time.time_ns() // 1000
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now_us // 1_000_000))
    head = f"{moment}.{now_us % 1_000_000:06}Z {event.pop('program')} {level} {event.pop('event')}"
    return head + "".join([f" {name}={format_value(value)}" for name, value in event.items()]) + "\n"


def format_value(value: object) -> str:
    """Write a value so that it stays on its line: plain as it is, the rest quoted with escapes."""
    text = str(value)
    if text and _PLAIN.issuperset(text):
        return text
    return ascii(text)
