"""smtppd, the post office daemon: sorts what came in, and puts right what dead workers left.

Reads envelopes, and content for a report only (requirement E-19). Batches of hundreds per transaction.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence

from paperpath.config.loader import Document
from paperpath.delivery.addressee import Case
from paperpath.delivery.reports import make_clerk, make_reports
from paperpath.journal import events
from paperpath.journal.retention import keeping_journal_in_bounds
from paperpath.journal.writer import Journal, open_journal
from paperpath.maildrop.errors import MaildropError
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.metrics import measure_queue
from paperpath.maildrop.opening import open_maildrop, wakeup_folder
from paperpath.maildrop.values import MOST_PAUSE_US, NewMessage
from paperpath.postoffice.drop_import import import_drop
from paperpath.postoffice.enquiries import open_enquiries
from paperpath.postoffice.flushing import Flushing
from paperpath.postoffice.lateness import Lateness
from paperpath.postoffice.pace import Pace
from paperpath.postoffice.sorter import BATCH, Sorter
from paperpath.routing.files import RoutingFiles
from paperpath.service.asking import Object
from paperpath.service.log import Log
from paperpath.service.program import Life, make_command
from paperpath.service.tls.key_files import Reader
from paperpath.service.wakeup import Wakeups

NAME = "smtppd"
GATHER_S = 0.05  # under load: let the next batch grow, for a commit costs the same whatever is in it
POLL_S = 2.0  # the most that a lost wake-up can cost
SWEEP_S = 0.5  # how soon the claims of a worker that was killed are given to another
SWEEP_CONTENT_S = 600.0  # content without a message, and destinations without mail, only take room
CONTENT_AGE_US = 3_600_000_000  # docs/maildrop-states.md
DESTINATION_AGE_US = MOST_PAUSE_US  # since its suspension ended: nobody is going to probe it
DESTINATIONS_AT_ONCE = 100  # that is some ten milliseconds
TROUBLE_PAUSE_S = 1.0
_MEMORY = "routing"


async def sort_mail(life: Life) -> None:
    """Sort and sweep until the end is asked for."""
    configuration = life.configuration
    files = RoutingFiles(configuration)
    async with (
        Wakeups(wakeup_folder(configuration), NAME) as wakeups,
        open_maildrop(configuration, NAME) as maildrop,
        open_journal(life, NAME) as journal,
        keeping_journal_in_bounds(life),
        Flushing(maildrop, life.log) as flushing,
        open_enquiries(life, maildrop, flushing),
    ):

        async def report(cases: Sequence[Case]) -> Mapping[int, NewMessage]:
            return await make_reports(cases, maildrop, make_clerk(life.configuration), _now_us())

        memory = configuration.run_folder / _MEMORY
        pace = Pace(configuration.delivery.most_reports_per_minute)
        sorter = Sorter(maildrop, files, memory, report, pace, life.log, journal.tell)

        async def renew(document: Document, _: Reader) -> None:
            sorter.renew(RoutingFiles(document.configuration))
            pace.most_per_minute = document.configuration.delivery.most_reports_per_minute
            wakeups.wake()

        async def read_aliases(_: Object) -> Object:
            """Put the aliases in force as the file has them now, for newaliases. Raises: ServiceError."""
            files = RoutingFiles(life.configuration)
            sorter.renew(files)
            wakeups.wake()
            return {"aliases": sum(1 for _ in files.read().aliases)}

        life.commands["aliases"] = read_aliases
        life.call_at_reload(renew)
        life.measure(measure_queue(maildrop))
        lateness = Lateness(maildrop, journal.tell, _now_us)
        sweeper = asyncio.create_task(_sweep(maildrop, life, journal, lateness))
        importer = asyncio.create_task(import_drop(life, maildrop, journal.tell))
        life.call_at_end(wakeups.wake)
        life.ready("sorting")
        while not life.ending:
            count = await _sort_some(sorter, life.log)
            if not count:
                await wakeups.wait(POLL_S)
            elif count < BATCH:
                await asyncio.sleep(GATHER_S)
            if sweeper.done():  # it never ends by itself; without it claims of the dead would lie for ever
                sweeper.result()
            if importer.done():  # likewise, before the end
                importer.result()
        sweeper.cancel()
        await importer
        await asyncio.wait({sweeper})


async def _sort_some(sorter: Sorter, log: Log) -> int:
    """Sort one batch; return how many moved."""
    try:
        return await sorter.sort_some(_now_us())
    except MaildropError as error:
        log.error("cannot sort", reason=str(error))
        await asyncio.sleep(TROUBLE_PAUSE_S)
        return 0


async def _sweep(maildrop: Maildrop, life: Life, journal: Journal, lateness: Lateness) -> None:
    """Put right what dead workers left: their claims at once, content that no message names now and then.

    And have those told whose mail is late.
    """
    loop, log = asyncio.get_running_loop(), life.log
    content_due_s = loop.time()
    while True:
        try:
            await lateness.warn_some(life.configuration)
            if released := await maildrop.release_dead():
                log.warning("released the claims of a worker that died", recipients=released)
                journal.tell(events.Released(released))
            if loop.time() >= content_due_s:
                content_due_s = loop.time() + SWEEP_CONTENT_S
                if removed := await maildrop.sweep_content(_now_us() - CONTENT_AGE_US):
                    log.warning("removed content that belonged to no message", files=removed)
                await maildrop.sweep_destinations(_now_us() - DESTINATION_AGE_US, DESTINATIONS_AT_ONCE)
        except MaildropError as error:
            log.error("cannot sweep", reason=str(error))
        await asyncio.sleep(SWEEP_S)


def _now_us() -> int:
    return time.time_ns() // 1000


main = make_command(NAME, "The post office daemon: sorts recipients to local or remote delivery.", sort_mail)

if __name__ == "__main__":
    main()
