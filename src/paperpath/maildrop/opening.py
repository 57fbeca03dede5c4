"""The one place where a maildrop's engine is picked, and where its stages get the names of programs."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from paperpath.config.tables import Configuration
from paperpath.maildrop.errors import MaildropError, SchemaError
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.sqlite import holding
from paperpath.maildrop.sqlite.database import SCHEMA_VERSION, create_database, upgrade_database
from paperpath.maildrop.sqlite.engine import Worker, open_sqlite
from paperpath.maildrop.values import Stage
from paperpath.service.errors import ServiceError
from paperpath.service.stalling import Holder
from paperpath.service.wakeup import Waker

_PROGRAMS = {Stage.SORTING: "smtppd", Stage.LOCAL: "smtpld", Stage.REMOTE: "smtprcd"}


def create_maildrop(configuration: Configuration) -> None:
    """Make the maildrop where it is missing. Raises: ServiceError."""
    try:
        create_database(configuration.maildrop_folder)
    except SchemaError as error:
        raise ServiceError(str(error)) from error


def upgrade_maildrop(configuration: Configuration) -> tuple[int, int]:
    """Bring the maildrop up to date; give the version it had and the one it has. Raises: ServiceError."""
    try:
        return upgrade_database(configuration.maildrop_folder), SCHEMA_VERSION
    except SchemaError as error:
        raise ServiceError(str(error)) from error


@asynccontextmanager
async def open_maildrop(configuration: Configuration, program: str) -> AsyncIterator[Maildrop]:
    """Open the maildrop as a new worker, which wakes the programs that its commits give work to.

    Raises: ServiceError.
    """
    # The post office is awake whenever there is work, and not what clients wait for: it checkpoints.
    worker = Worker(program, time.time_ns() // 1000, checkpoints=program == _PROGRAMS[Stage.SORTING])
    with closing(Waker(wakeup_folder(configuration))) as waker:
        try:
            maildrop = await open_sqlite(
                configuration.maildrop_folder, worker, lambda stage: waker.wake(_PROGRAMS[stage])
            )
        except (MaildropError, OSError) as error:  # locks and signs of life are files, too
            raise ServiceError(str(error)) from error
        try:
            yield maildrop
        finally:
            await maildrop.close()


def find_holder(configuration: Configuration) -> Holder | None:
    """Return who keeps all others from writing to the maildrop at this moment, if anybody does."""
    return holding.find_holder(configuration.maildrop_folder)


def wakeup_folder(configuration: Configuration) -> Path:
    """Tell where the programs' wake-up sockets are."""
    return configuration.run_folder / "wake"
