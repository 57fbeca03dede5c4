"""Deaths of random programs of a running installation, for the storms and the soak."""

import os
import random
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from paperpath.maildrop.sqlite.database import fetch, open_database
from tests.support.installation import PROGRAMS, Installation
from tests.support.remote import list_relay_clients

CLIENT = "smtprc"
_CLAIMED = "SELECT transport, count(*) FROM recipient WHERE state = 'claimed' GROUP BY transport"


@dataclass(slots=True)
class Deaths:
    """Kills programs, and notes how much was on its way, and which relay clients there were.

    `in_flight`: recipients on their way to other hosts when who carries them died; `claimed`: all that
    anybody was at work on, at any death.
    """

    installation: Installation
    source: random.Random
    programs: Sequence[str] = (*PROGRAMS, CLIENT)
    in_flight: int = 0
    claimed: int = 0
    clients: set[int] = field(default_factory=set)

    def kill(self) -> Counter[str]:
        """Kill a process of a random program."""
        self.clients.update(self._find(CLIENT))
        before = self._count_claimed()
        killed = kill_one(self._find, self.programs, self.source)
        if killed:
            after = self._count_claimed()
            self.claimed += max(before.total(), after.total())
            if killed.keys() & {"smtprcd", CLIENT}:
                self.in_flight += max(before["remote"], after["remote"])
        return killed

    def _find(self, program: str) -> list[int]:
        if program != CLIENT:
            return self.installation.pids(program)
        parents = self.installation.pids("smtprcd")
        return [pid for pid, parent in list_relay_clients() if parent in parents]

    def _count_claimed(self) -> Counter[str]:
        """Count by transport."""
        connection = open_database(self.installation.folder / "data" / "maildrop")
        rows = fetch(connection, _CLAIMED)
        connection.close()
        return Counter({str(transport): int(str(count)) for transport, count in rows})

    def find_orphans(self) -> list[int]:
        """Return the relay clients that outlived their parents."""
        return sorted(self.clients & {pid for pid, _ in list_relay_clients()})


def kill_one(
    find: Callable[[str], list[int]], programs: Sequence[str], source: random.Random
) -> Counter[str]:
    """Kill a process of a random program, if there is one; return which it was."""
    name = source.choice(programs)
    pids = find(name)
    if pids:
        with suppress(ProcessLookupError):  # it has ended by itself
            os.kill(source.choice(pids), signal.SIGKILL)
            return Counter([name])
    return Counter()
