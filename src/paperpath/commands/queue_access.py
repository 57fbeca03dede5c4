"""The operator's door to the queue: the maildrop itself, opened whether programs run or not.

Called by the commands of `paperpath queue`. What they write below the data folder is the service user's own,
so only root, who becomes that user, and the user itself get in. What they give work to is woken.
"""

import asyncio
import os
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
from paperpath.service.privileges import refuse_strangers

NAME = "operator"
EX_NOTHING = 1  # nothing matched, as grep says it

Result = TypeVar("Result")
Work = Callable[[Configuration, Maildrop], Coroutine[Any, Any, Result]]


def work_on_queue(file: Path, work: Work[Result]) -> Result:
    """Open the queue of a configuration, work on it, and close it; exit where that cannot be."""
    configuration = load_as_owner(file)
    try:
        refuse_strangers(configuration.data)
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
