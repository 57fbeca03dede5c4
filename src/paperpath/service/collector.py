"""A rest for Python's garbage collector while a big table is made, used where files of rules are read.

It would look at all that was made so far, over and over, which takes as long as making it; nothing of such a
table is garbage, nor ever in a cycle.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


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
