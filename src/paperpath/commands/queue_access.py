"""The operator's door to the queue: the maildrop itself, opened whether programs run or not.

Called by the commands of `paperpath queue`. What they write below the data folder is the service user's own,
so only root, who becomes that user, and the user itself get in. What they give work to is woken.
"""

import asyncio
import os
import pwd
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from paperpath.commands.options import fail, load_as_owner
from paperpath.config.tables import Configuration
from paperpath.maildrop.errors import MaildropError
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.opening import open_maildrop
from paperpath.service.errors import ServiceError
from paperpath.service.printable import format_value

NAME = "operator"
EX_NOTHING = 1  # nothing matched, as grep says it

Result = TypeVar("Result")
Work = Callable[[Configuration, Maildrop], Coroutine[Any, Any, Result]]


def work_on_queue(file: Path, work: Work[Result]) -> Result:
    """Open the queue of a configuration, work on it, and close it; exit where that cannot be."""
    configuration = load_as_owner(file)
    _refuse_strangers(configuration.data)
    try:
        return asyncio.run(_work(configuration, work))
    except ServiceError as error:
        fail(error, error.exit_code)
    except MaildropError as error:
        fail(format_value(error), os.EX_IOERR)


def nothing_matched() -> NoReturn:
    """Say so, and exit."""
    fail("Nothing in the queue matches.", EX_NOTHING)


def read_clock_us() -> int:
    """Return the time in microseconds since 1970."""
    return time.time_ns() // 1000


async def _work(configuration: Configuration, work: Work[Result]) -> Result:
    async with open_maildrop(configuration, NAME) as maildrop:
        return await work(configuration, maildrop)


def _refuse_strangers(data: Path) -> None:
    """Let nobody in but the owner of the data: root's files in it would stop the programs."""
    try:
        owner = data.stat().st_uid
    except FileNotFoundError:
        return  # whoever opens it says what to do
    except OSError as error:
        fail(f"{data}: {error.strerror}", os.EX_NOPERM)
    if owner != os.geteuid():
        name = name_user(owner)
        fail(f"{data} belongs to {name}: only {name} and root, with user = {name}, may do this", os.EX_NOPERM)


def name_user(uid: int) -> str:
    """Return a user's login name, or the number of one who has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
