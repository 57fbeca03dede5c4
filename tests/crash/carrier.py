"""A stand-in for smtprcd, which carries mail to other hosts: what it does to the queue, without a network.

Every host is reached, or none is (`REACHABLE`). A destination that is not is suspended and its recipients
deferred; whoever is claimed when that time is over is a probe, and resumes the destination or not.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from paperpath.mail.outcome import Deferred, Delivered, Outcome
from paperpath.mail.reply import make_reply
from paperpath.maildrop.errors import MaildropError
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.opening import open_maildrop, wakeup_folder
from paperpath.maildrop.values import Settlement, Transport
from paperpath.service.program import Life, make_command
from paperpath.service.wakeup import Wakeups

NAME = "smtprcd"
REACHABLE = 1
SUSPENDED_US = 3_600_000_000
TROUBLE_PAUSE_S = 1.0
_BATCH = 50
_R250 = make_reply(250, "2.0.0", "Taken")
_R450 = make_reply(450, "4.4.1", "No answer")
Result = TypeVar("Result")


async def carry_mail(life: Life) -> None:
    """Carry until the end is asked for."""
    folder = wakeup_folder(life.configuration)
    async with Wakeups(folder, NAME) as wakeups, open_maildrop(life.configuration, NAME) as maildrop:
        life.call_at_end(wakeups.wake)
        life.ready("carrying")
        while not life.ending:
            claimed = await _insist(life, lambda: maildrop.claim(Transport.REMOTE, _BATCH, _now_us()))
            if claimed is None or not claimed.claims:
                await wakeups.wait(TROUBLE_PAUSE_S)
                continue
            for destination in sorted({one.destination for one in claimed.claims}):
                await _insist(life, partial(_mark, maildrop, destination))
            settlements = [Settlement(one.recipient_id, _try()) for one in claimed.claims]
            await _insist(life, partial(maildrop.settle, settlements))


async def _mark(maildrop: Maildrop, destination: str) -> None:
    if REACHABLE:
        await maildrop.resume(Transport.REMOTE, destination)
    else:
        await maildrop.suspend(Transport.REMOTE, destination, _now_us() + SUSPENDED_US, "no answer")


def _try() -> Outcome:
    return Delivered(_R250) if REACHABLE else Deferred(_R450, _now_us())


async def _insist(life: Life, ask: Callable[[], Awaitable[Result]]) -> Result | None:
    """Ask the maildrop, however often that fails; `None`, where the end comes first."""
    while True:
        try:
            return await ask()
        except MaildropError as error:
            life.log.error("cannot write", reason=str(error))
            if life.ending:
                return None
            await asyncio.sleep(TROUBLE_PAUSE_S)


def _now_us() -> int:
    return time.time_ns() // 1000


main = make_command(NAME, "Carries mail nowhere.", carry_mail)
