"""The log of a program: one event a line on standard error, as text or as JSON.

`log.bind(session=..., message=...)` gives a log whose lines all carry these. Nothing a peer sent can break a
line or reach a terminal raw (attack S-6): whatever is not printable ASCII is escaped, in both forms.

A line costs a few microseconds, for one is written for every message. Inside an event loop lines are written
together, once the events at hand are dealt with: a busy program writes once for many.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

from paperpath.service.printable import format_value

Form = Literal["text", "json"]
_Facts = Mapping[str, Any]


class Log:
    """Writes events; what is bound comes before an event's own facts."""

    def __init__(self, lines: "_Lines", bound: _Facts) -> None:
        """See `open_log`."""
        self._lines = lines
        self._bound = bound

    def bind(self, **facts: object) -> "Log":
        """Return a log whose events carry these facts too."""
        return Log(self._lines, {**self._bound, **facts})

    def info(self, event: str, /, **facts: object) -> None:
        """Say what happened."""
        self._lines.add("info", event, {**self._bound, **facts})

    def warning(self, event: str, /, **facts: object) -> None:
        """Say what is odd, and was dealt with."""
        self._lines.add("warning", event, {**self._bound, **facts})

    def error(self, event: str, /, **facts: object) -> None:
        """Say what somebody should look at."""
        self._lines.add("error", event, {**self._bound, **facts})


class _Lines:
    """Gathers lines and writes them to standard error."""

    def __init__(self, program: str, form: Form) -> None:
        self._program = program
        self._format: Callable[[str, str, str, str, _Facts], str] = _FORMS[form]
        self._waiting: list[str] = []
        self._second = 0
        self._moment = ""

    def add(self, level: str, event: str, facts: _Facts) -> None:
        self._waiting.append(self._format(self._now(), self._program, level, event, facts))
        if len(self._waiting) > 1:
            return
        try:
            asyncio.get_running_loop().call_soon(self._write)
        except RuntimeError:
            self._write()

    def _now(self) -> str:
        second, nanos = divmod(time.time_ns(), 1_000_000_000)
        if second != self._second:
            self._second = second
            self._moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._moment}.{nanos // 1000:06}Z"

    def _write(self) -> None:
        lines, self._waiting = "".join(self._waiting), []
        sys.stderr.write(lines)
        sys.stderr.flush()


def open_log(program: str, form: Form = "text") -> Log:
    """Return the log of a program; every line carries the program's name."""
    return Log(_Lines(program, form), {})


def _format_text(moment: str, program: str, level: str, event: str, facts: _Facts) -> str:
    told = "".join([f" {name}={format_value(value)}" for name, value in facts.items()])
    return f"{moment} {program} {level} {event}{told}\n"


def _format_json(moment: str, program: str, level: str, event: str, facts: _Facts) -> str:
    head = {"time": moment, "program": program, "level": level, "event": event}
    return json.dumps({**head, **facts}, default=str) + "\n"  # ASCII, the controls escaped


_FORMS: dict[Form, Callable[[str, str, str, str, _Facts], str]] = {"text": _format_text, "json": _format_json}
