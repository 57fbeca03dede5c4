"""Saying again and again that a program lives, to whoever wants to hear it (sd_watchdog_enabled(3)).

systemd asks for it, and so does the supervisor of each program. The word comes from the event loop: a program
whose loop hangs falls silent, and is killed and started anew.
"""

import asyncio
import os

from paperpath.service.notify import notify

VARIABLE = "WATCHDOG_USEC"
PROCESS_VARIABLE = "WATCHDOG_PID"
_BEATS = 3  # in the time after which silence counts; systemd advises two at least


def format_watchdog(seconds: float) -> str:
    """Write the value of the environment variable."""
    return str(round(seconds * 1_000_000))


def take_watchdog() -> float | None:
    """Take out of the environment, so that it goes no further, how many seconds of silence are too long.

    `None` where nobody wants to know, or it is another process that is meant.
    """
    text, process = os.environ.pop(VARIABLE, ""), os.environ.pop(PROCESS_VARIABLE, None)
    if not text.isdecimal() or int(text) == 0 or process not in (None, str(os.getpid())):
        return None
    return int(text) / 1_000_000


async def beat(limit_s: float) -> None:
    """Say that we live until cancelled."""
    while True:
        notify(WATCHDOG="1")
        await asyncio.sleep(limit_s / _BEATS)
