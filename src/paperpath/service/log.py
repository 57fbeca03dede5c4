"""The log of a program: lines of text on standard error, one event each, values escaped.

Nothing a peer sent can break a line or reach a terminal raw: what is not printable ASCII is escaped.
"""

import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

Log = structlog.typing.FilteringBoundLogger
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@._:<>[]/+-*=,")


def open_log(program: str) -> Log:
    """Return the log of a program; every line carries the program's name."""
    structlog.configure(
        processors=[structlog.processors.TimeStamper("iso", utc=True), _format],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    log: Log = structlog.get_logger(program=program)
    return log


def _format(logger: object, level: str, event: MutableMapping[str, Any]) -> str:
    head = f"{event.pop('timestamp')} {event.pop('program')} {level} {event.pop('event')}"
    return head + "".join(f" {name}={format_value(value)}" for name, value in event.items())


def format_value(value: object) -> str:
    """Write a value so that it stays on its line: plain as it is, the rest quoted with escapes."""
    text = str(value)
    if text and _PLAIN.issuperset(text):
        return text
    return ascii(text)
