"""smtpld, the local delivery daemon: has what is due for this machine delivered, turn by turn."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

from paperpath.accounts.file import AccountsError, AccountsFile
from paperpath.journal.writer import open_journal
from paperpath.local.dispatch import BATCH, Examine, LocalDelivery
from paperpath.maildrop.opening import open_maildrop, wakeup_folder
from paperpath.service.errors import ServiceError
from paperpath.service.program import Life, make_command
from paperpath.service.wakeup import Waker, Wakeups

NAME = "smtpld"
GATHER_S = 0.05  # under load: let the next batch grow, for a commit costs the same whatever is in it
_READERS = "imapd"  # who tells people of new mail
POLL_S = 1.0  # the most that a lost wake-up can cost; deferred recipients are looked at as often


async def deliver_mail(life: Life) -> None:
    """Deliver until the end is asked for, then finish what was claimed."""
    configuration = life.configuration
    try:
        accounts = AccountsFile(configuration.accounts_file)
    except AccountsError as error:
        raise ServiceError(str(error), os.EX_CONFIG) from error
    waker = Waker(wakeup_folder(configuration))

    def tell_readers() -> None:
        if life.configuration.imap is not None:
            waker.wake(_READERS)

    async with (
        Wakeups(wakeup_folder(configuration), NAME) as wakeups,
        open_maildrop(configuration, NAME) as maildrop,
        open_journal(life, NAME) as journal,
        _open_examination(life) as examine,
    ):
        delivery = LocalDelivery(life, maildrop, accounts, journal, wakeups.wake, tell_readers, examine)
        with closing(waker), delivery:
            life.call_at_end(wakeups.wake)
            life.ready("delivering to mail folders")
            while not life.ending:
                count = await delivery.claim_some()
                if not count:
                    await wakeups.wait(POLL_S)
                elif count < BATCH:
                    await asyncio.sleep(GATHER_S)
            await delivery.finish()


@asynccontextmanager
async def _open_examination(life: Life) -> AsyncIterator[Examine | None]:
    """Give what verifies signatures, where that is configured, for the length of an `async with`."""
    configuration = life.configuration
    if not configuration.local.authentication_results:
        yield None
        return
    # Who does without it need not wait for resolver and cryptography, nor have them in memory.
    from paperpath.dns.resolver import Resolver
    from paperpath.dns.servers import find_servers
    from paperpath.local.examination import Examiner

    resolver = Resolver(find_servers(configuration.dns), configuration.dns.timeout_s)
    examiner = Examiner(configuration.local.authserv_id or configuration.hostname, resolver, life.log)
    try:
        yield examiner.examine
    finally:
        await examiner.close()


main = make_command(NAME, "The local delivery daemon: writes mail into folders.", deliver_mail)

if __name__ == "__main__":
    main()
