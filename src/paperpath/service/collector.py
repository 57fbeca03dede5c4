"""When Python's garbage collector works: once a program has begun, and never while a big table is made.

It would look at all that was made so far, over and over, which takes as long as making it; nothing of what is
imported, nor of such a table, is garbage, nor ever in a cycle.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from paperpath import USUAL_COLLECTION


def begin_collecting() -> None:
    """Collect as usual from now on, without what is there now: it stays until the program ends.

    Without this, the end would take apart one by one what is gone with the process anyway.
    """
    gc.freeze()
    gc.set_threshold(*USUAL_COLLECTION)


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Have no collection for the length of the block."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
