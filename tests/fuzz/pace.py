"""Time linear in the octets (attack S-11): measured as CPU time, so under `make fuzz` and nowhere else.

The bounds are generous: what they are to catch takes the square of the length, which at some thousand octets
is far beyond them.
"""

import time
from collections.abc import Callable

_SOME_S = 0.05  # whatever the length
_TRIES = 3  # the machine may have been busy with something else

measures = False
"""Set by run.py."""


def at_pace(run: Callable[[], object], octets: int, microseconds: float) -> None:
    """Run something; assert that it took no longer than so many microseconds for each octet."""
    if not measures:
        run()
        return
    bound_s = _SOME_S + octets * microseconds / 1e6
    assert any(_measure(run) <= bound_s for _ in range(_TRIES)), f"more than {bound_s} s for {octets} octets"


def _measure(run: Callable[[], object]) -> float:
    begin = time.process_time()
    run()
    return time.process_time() - begin
