"""The children of smtplud, one for each delivery: they pass points one after another, and meet the fault.

Who dies there takes smtplud along, as it would be with the power or by a signal to the whole group. A child
that dies alone is in tests/system/test_users.py.
"""

import json
import os
import signal
import socket
from pathlib import Path
from typing import NoReturn

from paperpath.local.users import deliveries
from paperpath.local.users.child import Rules, run_child
from paperpath.local.users.packets import Request
from tests.crash.points import Faults


def pass_points(faults: Faults, notes: Path) -> None:
    """Have each child go on counting where the one before it ended, and note what it passed."""

    def run(connection: socket.socket, request: Request, rules: Rules, parent: int) -> NoReturn:
        if notes.exists():
            faults.go_on(json.loads(notes.read_text()))
        leave = os._exit

        def die() -> None:
            os.kill(parent, signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)

        def note_and_leave(code: int) -> NoReturn:
            faults.end()
            write_notes(notes, faults)
            leave(code)

        faults.die = die
        vars(os)["_exit"] = note_and_leave
        run_child(connection, request, rules, parent)

    vars(deliveries)["run_child"] = run


def write_notes(file: Path, faults: Faults) -> None:
    """Write down what was passed, for whoever plays the scene."""
    with open(file, "w") as out:  # noqa: PTH123 - the path's own opening is no matter here
        json.dump(faults.tell(), out)
