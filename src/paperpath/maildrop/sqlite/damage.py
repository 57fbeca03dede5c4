"""Going on beside a page of the queue's file that is damaged: what lies on others is worked on all the same.

SQLite commits nothing that met with such a page. So a batch that did is done in halves, and again in halves,
until only those fail that lie on it; the rest of the program need not know.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from paperpath.maildrop.errors import DamagedFileError

Item = TypeVar("Item")


def work_around(
    act: Callable[[Sequence[Item]], asyncio.Future[int]],
    items: Sequence[Item],
    give_up: Callable[[Item], None],
) -> asyncio.Future[int]:
    """Act on items, and give how many it moved; `give_up` is called for each on a damaged page.

    Fails with DamagedFileError only where all of them are.
    """
    return asyncio.ensure_future(_in_halves(act(items), act, items, give_up))


async def _in_halves(
    whole: asyncio.Future[int],
    act: Callable[[Sequence[Item]], asyncio.Future[int]],
    items: Sequence[Item],
    give_up: Callable[[Item], None],
) -> int:
    try:
        return await whole
    except DamagedFileError:
        if len(items) == 1:
            give_up(items[0])
        if len(items) <= 1:
            raise
    middle = len(items) // 2
    counts = await asyncio.gather(
        *(_in_halves(act(half), act, half, give_up) for half in (items[:middle], items[middle:])),
        return_exceptions=True,
    )
    failures = [count for count in counts if isinstance(count, BaseException)]
    if len(failures) == len(counts):
        raise failures[0]
    for failure in failures:
        if not isinstance(failure, DamagedFileError):
            raise failure
    return sum(count for count in counts if isinstance(count, int))
