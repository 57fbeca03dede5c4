"""One of our programs, with what telling costs it measured: `python -m bench.told PROGRAM RESULT [options]`.

Started by `bench.telling`. The functions that write log and journal, or gather what is written there, are
timed by the processor's clock of their thread, each with all it calls; RESULT gets the nanoseconds by module
when the program ends. Looking at the clock counts as telling, so that is rather too much.
"""

import atexit
import functools
import importlib
import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

PROGRAMS = {
    "smtprd": "paperpath.relay.smtprd",
    "smtppd": "paperpath.postoffice.smtppd",
    "smtpld": "paperpath.local.smtpld",
}
# Where telling begins, by module. Imported before the programs are, so that these get what is timed.
ENTRANCES = {
    "paperpath.service.log": ("Log.bind", "Log.info", "Log.warning", "Log.error", "_Lines._write"),
    "paperpath.journal.writer": ("Journal.tell", "Journal._write"),
    "paperpath.intake.chronicle": (
        "Chronicle.accept",
        "Chronicle.break_off",
        "Chronicle.end",
        "Chronicle.refuse",
        "Chronicle.refuse_message",
    ),
    "paperpath.postoffice.telling": ("tell_sorted", "tell_reports", "tell_damaged"),
    "paperpath.delivery.telling": ("tell_settled",),
}

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


class Meter:
    """Adds up what the outermost calls took, by module."""

    def __init__(self) -> None:
        self.spent_ns = dict.fromkeys(ENTRANCES, 0)
        self._calls = threading.local()

    def time(self, module: str, function: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
        """Give the same function, timed unless it is called by one that is."""

        @functools.wraps(function)
        def timed(*positional: _Given.args, **named: _Given.kwargs) -> _Result:
            if getattr(self._calls, "inside", False):
                return function(*positional, **named)
            self._calls.inside = True
            began = time.thread_time_ns()
            try:
                return function(*positional, **named)
            finally:
                self.spent_ns[module] += time.thread_time_ns() - began
                self._calls.inside = False

        return timed

    def install(self) -> None:
        """Time all entrances."""
        for module, entrances in ENTRANCES.items():
            for entrance in entrances:
                kind, _, name = entrance.rpartition(".")
                holder = importlib.import_module(module)
                holder = getattr(holder, kind) if kind else holder
                setattr(holder, name, self.time(module, getattr(holder, name)))


def main() -> None:
    """Be the program."""
    program, result, *options = sys.argv[1:]
    meter = Meter()
    meter.install()
    atexit.register(lambda: Path(result).write_text(json.dumps(meter.spent_ns), encoding="utf-8"))
    importlib.import_module(PROGRAMS[program]).main.main(args=options, prog_name=program)


if __name__ == "__main__":
    main()
