"""smtppd, the post office daemon: sorts what came in, and puts right what dead workers left.

Reads envelopes only, never content (requirement E-19). Batches of hundreds per transaction.
"""

import asyncio
import os
import time
from collections.abc import Sequence

from paperpath.accounts.file import Accounts, AccountsError, AccountsFile
from paperpath.maildrop.errors import MaildropError
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.metrics import measure_queue
from paperpath.maildrop.opening import open_maildrop, wakeup_folder
from paperpath.maildrop.values import Sorted, UnsortedRecipient
from paperpath.routing.routes import Routes
from paperpath.service.errors import ServiceError
from paperpath.service.log import Log
from paperpath.service.program import Life, make_command
from paperpath.service.wakeup import Wakeups

NAME = "smtppd"
BATCH = 500
GATHER_S = 0.05  # under load: let the next batch grow, for a commit costs the same whatever is in it
POLL_S = 2.0  # the most that a lost wake-up can cost
SWEEP_S = 0.5  # how soon the claims of a worker that was killed are given to another
TROUBLE_PAUSE_S = 1.0


async def sort_mail(life: Life) -> None:
    """Sort and sweep until the end is asked for."""
    configuration = life.configuration
    try:
        accounts = AccountsFile(configuration.accounts_file)
    except AccountsError as error:
        raise ServiceError(str(error), os.EX_CONFIG) from error
    async with (
        Wakeups(wakeup_folder(configuration), NAME) as wakeups,
        open_maildrop(configuration, NAME) as maildrop,
    ):
        life.measure(measure_queue(maildrop))
        sweeper = asyncio.create_task(_sweep(maildrop, life.log))
        life.call_at_end(wakeups.wake)
        life.ready("sorting")
        while not life.ending:
            routes = Routes(life.configuration.post_office)  # another after a reload
            count = await _sort_some(maildrop, routes, accounts, life.log)
            if not count:
                await wakeups.wait(POLL_S)
            elif count < BATCH:
                await asyncio.sleep(GATHER_S)
            if sweeper.done():  # it never ends by itself; without it claims of the dead would lie for ever
                sweeper.result()
        sweeper.cancel()
        await asyncio.wait({sweeper})


def decide(recipients: Sequence[UnsortedRecipient], routes: Routes, accounts: Accounts) -> list[Sorted]:
    """Decide for each recipient where it goes: pure."""
    decisions = []
    for recipient in recipients:
        resolution = routes.resolve(recipient.address, accounts)
        decisions.append(
            Sorted(recipient.id, resolution.address, resolution.transport, resolution.destination)
        )
    return decisions


async def _sort_some(maildrop: Maildrop, routes: Routes, accounts: AccountsFile, log: Log) -> int:
    """Sort one batch; return how many there were."""
    current = accounts.read()
    if (trouble := accounts.take_trouble()) is not None:
        log.error("accounts unreadable, the old ones stay in force", reason=trouble)
    recipients: Sequence[UnsortedRecipient] = ()
    try:
        epoch = maildrop.read_epoch()
        recipients = maildrop.read_unsorted(BATCH).recipients
        if recipients:
            await maildrop.sort(decide(recipients, routes, current), epoch, _now_us())
    except MaildropError as error:
        log.error("cannot sort", reason=str(error))
        await asyncio.sleep(TROUBLE_PAUSE_S)
    return len(recipients)


async def _sweep(maildrop: Maildrop, log: Log) -> None:
    while True:
        try:
            released = await maildrop.release_dead()
        except MaildropError as error:
            log.error("cannot sweep", reason=str(error))
        else:
            if released:
                log.warning("released the claims of a worker that died", recipients=released)
        await asyncio.sleep(SWEEP_S)


def _now_us() -> int:
    return time.time_ns() // 1000


main = make_command(NAME, "The post office daemon: sorts recipients to local or remote delivery.", sort_mail)

if __name__ == "__main__":
    main()
