"""What is done to the running programs meanwhile: changed configurations, deaths, jumps of the clock."""

import random
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.crash.deaths import Deaths
from tests.support.clock import Clock
from tests.support.installation import Installation, Process, program_path

HOUR_S = 3600
JUMPS_S = (-HOUR_S, 0, HOUR_S, 2 * HOUR_S)
_PAUSE_S = (0.5, 3.0)


@dataclass(slots=True)
class Disturber:
    """Does one thing after the other; `done` counts what, by name, and `killed` whom."""

    installation: Installation
    supervisor: Process
    clock: Clock
    deaths: Deaths
    source: random.Random
    done: Counter[str] = field(default_factory=Counter)
    killed: Counter[str] = field(default_factory=Counter)

    def disturb(self, half_s: float, end_s: float) -> None:
        """Go on until the end. Nobody dies in the second half, so that memory can be measured there."""
        while time.monotonic() < end_s:
            deeds: list[Callable[[], None]] = [self._reload, self._hang_up, self._jump]
            if time.monotonic() < half_s:
                deeds += [self._kill] * 3
            self.source.choice(deeds)()
            time.sleep(self.source.uniform(*_PAUSE_S))  # the pace of the load, not a wait for anything

    def settle(self) -> str:
        """Have the clock where all is due that was put off, and a reload taken; return what is wrong."""
        self.clock.set(max(JUMPS_S) + HOUR_S)
        return "" if self._ask_to_reload() else "P8: a reload is refused when all is calm"

    def _kill(self) -> None:
        self.killed += self.deaths.kill()

    def _jump(self) -> None:
        self.clock.set(self.source.choice(JUMPS_S))
        self.done["clock jumps"] += 1

    def _reload(self) -> None:
        self._change()
        self.done["reloads" if self._ask_to_reload() else "reloads that met a dying program"] += 1

    def _hang_up(self) -> None:
        self._change()
        self.supervisor.send_signal(signal.SIGHUP)
        self.done["SIGHUP"] += 1

    def _ask_to_reload(self) -> bool:
        command = [program_path("paperpath"), "reload", "--config", str(self.installation.file)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def _change(self) -> None:
        """Write another configuration, whole at any moment."""
        file = self.installation.file
        most = f"most_recipients = {self.source.randint(100, 200)}"
        new = file.with_name("new.toml")
        new.write_text(re.sub(r"(?m)^most_recipients = \d+$", most, file.read_text()))
        new.chmod(file.stat().st_mode & 0o777)
        new.replace(file)
