"""Both sides as they take mail and can deliver none, until they are let: what accepting by itself costs.

Ours: the post office is stopped (SIGSTOP) after the start and goes on when it is let (SIGCONT), so all that
runs is smtprd. Postfix: each message goes on hold as it comes in, without its queue manager hearing of it
(access(5), HOLD), and is released, and the queue flushed, by the administrator's commands.
"""

import os
import signal
from pathlib import Path
from typing import Protocol

from bench import ours, postfix, settings
from bench.process import program_name, run_to_end, tree
from bench.relay import Relay

POST_OFFICE = "smtppd"
TUNINGS = {
    postfix.DEFAULT_NAME: settings.DEFAULT | settings.HOLD,
    postfix.TUNED_NAME: settings.HOLDING,
    postfix.EXPERT_NAME: settings.EXPERT | settings.HOLDING,
}


class Holding(Relay, Protocol):
    """A side that can be kept from delivering."""

    def hold(self) -> None:
        """Have it deliver nothing."""

    def release(self) -> None:
        """Have it deliver what has come in."""

    def told(self) -> list[list[str]]:
        """The command lines by which it is released."""


class Paperpath(ours.Paperpath):
    """Paperpath whose post office can be stopped."""

    def init(self) -> None:
        """Have the supervisor not mind that a program says nothing for a while."""
        super().init()
        self.append("[service]\nwatchdog_s = 600")

    def hold(self) -> None:
        """Stop the post office."""
        self._signal(signal.SIGSTOP)

    def release(self) -> None:
        """Have it go on."""
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """Stop everything, and the post office even while it is held."""
        if self.child.is_started:
            self._signal(signal.SIGCONT)
        super().stop()

    def told(self) -> list[list[str]]:
        """By no command line, but a signal."""
        return [["kill", "-CONT", f"({POST_OFFICE})"]]

    def _signal(self, number: signal.Signals) -> None:
        for entry in tree(self.child.pid):
            if program_name(entry.pid) == POST_OFFICE:
                os.kill(entry.pid, number)


class Postfix(postfix.Postfix):
    """A private Postfix that puts mail on hold."""

    def hold(self) -> None:
        """Do nothing: all that comes in is held."""

    def release(self) -> None:
        """Release everything, and flush the queue."""
        for line in self.told():
            run_to_end(line)

    def told(self) -> list[list[str]]:
        """Two of the administrator's commands."""
        return [self.admin("postsuper", "-H", "ALL"), self.admin("postqueue", "-f")]


def make(name: str, folder: Path, port: int) -> Holding:
    """A side that can be kept from delivering."""
    if name == ours.NAME:
        return Paperpath(folder, port)
    return Postfix(name, folder, port, tuning=TUNINGS[name])
