"""smtpld, the local delivery daemon: claims what is due for this machine and writes it into mail folders.

Several batches are under way at once, each in a thread, so that their flushes join in the file system's
journal. Claims of the next batch and settlements of the last share a commit. What fails is settled together
with its report (promise P3).
"""

import asyncio
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from paperpath.accounts.file import AccountsError, AccountsFile
from paperpath.config.tables import Configuration
from paperpath.delivery.conclusion import Conclusion
from paperpath.folders.upkeep import Upkeep
from paperpath.journal.writer import Journal, open_journal
from paperpath.local.delivery import defer_batch, deliver_batch
from paperpath.local.forwarding import forward_batch
from paperpath.local.places import Depot, Helper, Miss, find_agent
from paperpath.local.users.place import users_folder
from paperpath.mail.address import parse_mailbox
from paperpath.mail.outcome import Outcome
from paperpath.maildrop.errors import MaildropError
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.opening import open_maildrop, wakeup_folder
from paperpath.maildrop.values import Claim, Claimed, NewMessage, Transport
from paperpath.routing.forwards import find_forwarder, is_forward_way
from paperpath.service.errors import ServiceError
from paperpath.service.program import Life, make_command
from paperpath.service.wakeup import Wakeups

NAME = "smtpld"
BATCH = 50
GATHER_S = 0.05  # under load: let the next batch grow, for a commit costs the same whatever is in it
POLL_S = 1.0  # the most that a lost wake-up can cost; deferred recipients are looked at as often
TROUBLE_PAUSE_S = 1.0


async def deliver_mail(life: Life) -> None:
    """Deliver until the end is asked for, then finish what was claimed."""
    configuration = life.configuration
    try:
        accounts = AccountsFile(configuration.accounts_file)
    except AccountsError as error:
        raise ServiceError(str(error), os.EX_CONFIG) from error
    async with (
        Wakeups(wakeup_folder(configuration), NAME) as wakeups,
        open_maildrop(configuration, NAME) as maildrop,
        open_journal(life, NAME) as journal,
    ):
        with ThreadPoolExecutor(configuration.local.threads, "delivery") as threads:
            delivery = LocalDelivery(life, maildrop, accounts, threads, journal)
            life.call_at_end(wakeups.wake)
            life.ready("delivering to mail folders")
            while not life.ending:
                count = await delivery.claim_some()
                if not count:
                    await wakeups.wait(POLL_S)
                elif count < BATCH:
                    await asyncio.sleep(GATHER_S)
            await delivery.finish()


class LocalDelivery:
    """Claims batches and delivers them, at most one per thread at a time."""

    def __init__(
        self,
        life: Life,
        maildrop: Maildrop,
        accounts: AccountsFile,
        threads: ThreadPoolExecutor,
        journal: Journal,
    ) -> None:
        """Begin with nothing claimed."""
        self._life = life
        self._maildrop = maildrop
        self._accounts = accounts
        self._threads = threads
        self._upkeep = Upkeep()
        self._conclusion = Conclusion(life, maildrop, journal, _now_us)
        self._slots = asyncio.Semaphore(life.configuration.local.threads)
        self._batches: set[asyncio.Task[None]] = set()

    async def claim_some(self) -> int:
        """Claim a batch of what is due and start on it; return how many there were."""
        await self._slots.acquire()
        claimed = Claimed(())
        try:
            claimed = await self._maildrop.claim(Transport.LOCAL, BATCH, _now_us())
        except MaildropError as error:
            self._life.log.error("cannot claim", reason=str(error))
            await asyncio.sleep(TROUBLE_PAUSE_S)
        if not claimed.claims and not claimed.damaged:
            self._slots.release()
            return 0
        batch = asyncio.create_task(self._deliver(claimed))
        self._batches.add(batch)
        batch.add_done_callback(self._batches.discard)
        return len(claimed.claims) + len(claimed.damaged)

    async def finish(self) -> None:
        """Wait for all batches."""
        await asyncio.gather(*self._batches)

    async def _deliver(self, claimed: Claimed) -> None:
        begun_us = _now_us()
        depot = self._make_depot(begun_us)
        forwarded: dict[int, NewMessage] = {}
        try:
            outcomes = await self._write(claimed.claims, depot, forwarded)
        except Exception as error:  # noqa: BLE001 - whatever it was, these claims are ours to settle
            self._life.log.error("delivery failed", reason=repr(error))
            outcomes = defer_batch(claimed.claims, _now_us(), error)
        finally:
            self._slots.release()

        def find_place(claim: Claim, _: Outcome) -> str:
            if is_forward_way(claim.destination):
                return str(find_forwarder(claim.destination))
            agent = find_agent(claim, depot)
            return "" if isinstance(agent, Miss) else agent.place

        await self._conclusion.conclude(claimed, outcomes, [begun_us] * len(outcomes), find_place, forwarded)

    async def _write(
        self, claims: Sequence[Claim], depot: Depot, forwarded: dict[int, NewMessage]
    ) -> list[Outcome]:
        """Deliver claims; give their outcomes in order, and gather the messages that some go on as."""
        here = [claim for claim in claims if not is_forward_way(claim.destination)]
        away = [claim for claim in claims if is_forward_way(claim.destination)]
        loop = asyncio.get_running_loop()
        delivered = await loop.run_in_executor(self._threads, deliver_batch, here, depot)
        outcomes = {claim.recipient_id: outcome for claim, outcome in zip(here, delivered, strict=True)}
        if away:
            gone, made = await forward_batch(away, self._maildrop, self._threads, depot.now_us)
            outcomes |= {claim.recipient_id: outcome for claim, outcome in zip(away, gone, strict=True)}
            forwarded |= made
        return [outcomes[claim.recipient_id] for claim in claims]

    def _make_depot(self, now_us: int) -> Depot:
        configuration = self._life.configuration
        accounts = self._accounts.read()
        if (trouble := self._accounts.take_trouble()) is not None:
            self._life.log.error("accounts unreadable, the old ones stay in force", reason=trouble)
        return Depot(
            configuration.mailbox_root,
            accounts,
            configuration.post_office.separator,
            parse_mailbox(configuration.post_office.postmaster),
            configuration.local.create,
            configuration.hostname,
            now_us,
            self._upkeep,
            configuration.agents,
            find_helper(configuration),
        )


def find_helper(configuration: Configuration) -> Helper | None:
    """Return who delivers to users of this host, where they have mailboxes."""
    local = configuration.local
    return Helper(users_folder(configuration), local.system_limit_s) if local.system_users else None


def _now_us() -> int:
    return time.time_ns() // 1000


main = make_command(NAME, "The local delivery daemon: writes mail into folders.", deliver_mail)

if __name__ == "__main__":
    main()
