"""smtprcd, the remote delivery daemon: schedules what goes to other hosts, and has relay clients carry it.

It alone claims for the remote transport. Its clients never open the maildrop; when it dies they stop before
they end another message, and what it had claimed is ready again.
"""

import asyncio
import os
from contextlib import suppress

from paperpath.config.loader import Document
from paperpath.journal.writer import Journal, open_journal
from paperpath.maildrop.errors import MaildropError
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.opening import open_maildrop, wakeup_folder
from paperpath.remote.dispatch import Dispatch
from paperpath.remote.fleet import Fleet
from paperpath.service.errors import ServiceError
from paperpath.service.program import Life, make_command
from paperpath.service.tls.key_files import Reader
from paperpath.service.wakeup import Wakeups

NAME = "smtprcd"
POLL_S = 1.0  # the most that a lost wake-up can cost; deferred recipients are looked at as often
DRAIN_S = 10.0  # for transactions that have begun when the end is asked for


async def schedule_mail(life: Life) -> None:
    """Schedule until the end is asked for, then wait for what is on its way."""
    configuration = life.configuration
    async with (
        Wakeups(wakeup_folder(configuration), NAME) as wakeups,
        open_maildrop(configuration, NAME) as maildrop,
        open_journal(life, NAME) as journal,
    ):
        dispatch = _begin(life, maildrop, journal, wakeups)
        async with Fleet(life.document, dispatch.take, dispatch.lose, life.log) as fleet:

            async def renew(document: Document, _: Reader) -> None:
                dispatch.renew(document.configuration.remote)
                fleet.configure(document)

            life.call_at_reload(renew)
            life.call_at_end(wakeups.wake)
            life.ready(f"delivering to other hosts, with {len(fleet.clients)} relay clients")
            while not life.ending:
                fleet.check()
                if not await dispatch.settle_and_begin(fleet):
                    await wakeups.wait(POLL_S)
            fleet.drain()
            with suppress(TimeoutError):
                async with asyncio.timeout(DRAIN_S):
                    while dispatch.in_flight:
                        await dispatch.settle_and_begin(fleet)
                        await wakeups.wait(POLL_S)
        await dispatch.finish()


def _begin(life: Life, maildrop: Maildrop, journal: Journal, wakeups: Wakeups) -> Dispatch:
    """Return what schedules, which knows who was suspended. Raises: ServiceError."""
    try:
        return Dispatch(life, maildrop, journal, wakeups.wake)
    except MaildropError as error:
        raise ServiceError(str(error), os.EX_IOERR) from error


main = make_command(NAME, "The remote delivery daemon: schedules mail to other hosts.", schedule_mail)

if __name__ == "__main__":
    main()
