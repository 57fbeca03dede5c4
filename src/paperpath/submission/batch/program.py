"""`smtpsd --batch`: processes one batch beside the daemon, in the same maildrop, and says what came of it.

Called by smtpsd. Only who may open the maildrop can run it: the service user, or root, who becomes that user.
Mail is handed in as by whoever called it. Any signal kills it, which is as good as any other end: the next
run goes on where this one stopped.
"""

import asyncio
import os
import sys
from contextlib import aclosing, closing
from datetime import datetime

import click

from paperpath.accounts.opening import open_verifier
from paperpath.config.tables import Configuration
from paperpath.delivery.reports import make_clerk
from paperpath.intake.budget import SpoolBudget
from paperpath.intake.chronicle import Chronicle
from paperpath.intake.guest import Guest
from paperpath.intake.space import FreeSpace
from paperpath.journal.writer import Journal, open_journal
from paperpath.maildrop.errors import MaildropError
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.opening import open_maildrop
from paperpath.service.privileges import refuse_strangers
from paperpath.service.program import Life
from paperpath.submission.assembly import find_table, make_way_in
from paperpath.submission.batch.errors import BatchError, InvalidBatchError
from paperpath.submission.batch.memory import BatchMemory
from paperpath.submission.batch.reader import BatchReader, Office, Tally
from paperpath.submission.batch.returning import Returns
from paperpath.submission.batch.source import BatchSource

NAME = "smtpsd"
STANDARD_INPUT = "-"
ALL, SOME, NONE = 0, 1, 2  # exit codes, as `exim -bS` has them


def open_batch(name: str) -> int:
    """Open the batch with the rights of whoever called us. Raises: click.UsageError."""
    if name != STANDARD_INPUT:
        try:
            return os.open(name, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise click.UsageError(f"{name}: {error.strerror}") from error
    if sys.stdin is None:  # its number may be that of another file by now
        raise click.UsageError("standard input is closed")
    return sys.stdin.fileno()


async def process_batch(life: Life, descriptor: int, uid: int) -> int:
    """Process the batch in an open file, handed in by a user; return the exit code. Raises: ServiceError."""
    configuration, loop = life.configuration, asyncio.get_running_loop()

    async def read(octets: int) -> bytes:
        return await loop.run_in_executor(None, os.read, descriptor, octets)

    refuse_strangers(configuration.data)
    async with (
        open_maildrop(configuration, NAME) as maildrop,
        open_journal(life, NAME) as journal,
    ):
        with (
            closing(BatchSource(read, configuration.maildrop_folder)) as source,
            closing(BatchMemory(maildrop, configuration.batches_folder)) as memory,
        ):
            office = _make_office(life, maildrop, journal, uid)
            guest = office.way_in.welcome("", uid)
            tally, trouble = await process(office, source, memory, guest)
    _tell(tally, trouble)
    return find_code(tally, trouble)


async def process(
    office: Office, source: BatchSource, memory: BatchMemory, guest: Guest
) -> tuple[Tally, Exception | None]:
    """Process a batch; return what came of it, and what ended it too early, if anything did."""
    reader = BatchReader(office, source, memory, guest)
    trouble: Exception | None = None
    try:
        await reader.run()
        await memory.end()
    except InvalidBatchError as error:
        reader.break_off()
        trouble = await _send_rest(office, source, error)
    except (BatchError, MaildropError, OSError) as error:
        reader.break_off()
        trouble = error
    office.chronicle.end()
    return reader.tally, trouble


async def _send_rest(office: Office, source: BatchSource, reason: InvalidBatchError) -> BatchError:
    """Send the postmaster what was not processed; return what there is to say."""
    async with aclosing(source.read_rest()) as rest:
        try:
            await office.returns.send_rest(rest, office.size, str(reason))
        except (MaildropError, OSError) as error:
            return BatchError(f"{reason}; nor can the postmaster be told: {error}")
    return reason


def _make_office(life: Life, maildrop: Maildrop, journal: Journal, uid: int) -> Office:
    """Put together what processes the batch. Raises: ServiceError."""
    configuration: Configuration = life.configuration
    table, clerk = find_table(configuration), make_clerk(configuration)
    session = f"{os.getpid():x}.1"  # a process reads one
    log = life.log.bind(session=session, client=f"uid {uid}")
    verifier = open_verifier(configuration)
    return Office(
        configuration.hostname,
        table.size,
        table.most_recipients,
        clerk.most_octets,
        make_way_in(configuration, table, maildrop, SpoolBudget(table.size), verifier, log),
        maildrop,
        FreeSpace(configuration.maildrop_folder, table.least_free),
        Returns(maildrop, clerk, journal.tell),
        Chronicle(journal.tell, log, session, f"uid {uid}"),
        lambda: datetime.now().astimezone(),
    )


def _tell(tally: Tally, trouble: Exception | None) -> None:
    """Say how many messages were accepted, and what kept others from it."""
    more = [f"{tally.before} in an earlier run"] if tally.before else []
    more += [f"{tally.returned} returned to the sender"] if tally.returned else []
    click.echo(", ".join([f"{tally.accepted} accepted", *more]))
    if trouble is not None:
        click.echo(f"{NAME}: {trouble}", err=True)


def find_code(tally: Tally, trouble: Exception | None) -> int:
    """Tell the exit code."""
    if trouble is None:
        return ALL
    return SOME if tally.accepted or tally.before or tally.returned else NONE
