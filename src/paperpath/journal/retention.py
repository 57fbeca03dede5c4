"""How long the journal is kept: `journal.keep_days`, and never more than `journal.most_octets`.

smtppd looks after it. Whole files go, the oldest first. One that a program still writes to may be among them
if nothing else is left to go; the program notices within a second and begins another.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from operator import itemgetter
from pathlib import Path

from paperpath.journal.files import DAY_US, format_day, list_files
from paperpath.service.program import Life

_LOOK_EVERY_S = 10.0


@asynccontextmanager
async def keeping_journal_in_bounds(life: Life) -> AsyncIterator[None]:
    """Look after the journal for the length of the block."""
    keeper = asyncio.create_task(_keep_in_bounds(life))
    try:
        yield
    finally:
        keeper.cancel()
        await asyncio.wait({keeper})


async def _keep_in_bounds(life: Life) -> None:
    while True:
        bounds = life.configuration.journal  # another after a reload
        try:
            remove_old_files(
                life.configuration.journal_folder,
                bounds.keep_days,
                bounds.most_octets,
                time.time_ns() // 1000,
            )
        except OSError as error:
            life.log.error("cannot remove old parts of the journal", reason=str(error))
        await asyncio.sleep(_LOOK_EVERY_S)


def remove_old_files(folder: Path, keep_days: int, most_octets: int, now_us: int) -> int:
    """Remove what is too old, then the oldest of what is too much; return how many files. Raises: OSError."""
    first_day = format_day(now_us - keep_days * DAY_US)
    removed, kept = 0, []
    for file in list_files(folder):
        if file.day < first_day:
            file.path.unlink(missing_ok=True)
            removed += 1
        else:
            found = file.path.lstat()
            kept.append((file.day, found.st_mtime_ns, found.st_size, file.path))
    octets = sum(size for _, _, size, _ in kept)
    for _, _, size, path in sorted(kept, key=itemgetter(0, 1)):
        if octets <= most_octets:
            break
        path.unlink(missing_ok=True)
        octets -= size
        removed += 1
    return removed
