"""Ctrl-C, and what else asks a measurement to end: SIGTERM, and a terminal that goes away.

Called by the commands, which leave nothing running behind them.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def asked_to_end(end: Callable[[], object]) -> Iterator[None]:
    """Have signals call `end` for the length of the block; who was told to ignore one, as by nohup, does."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        end()

    before = {number: signal.getsignal(number) for number in _NUMBERS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def interrupt() -> NoReturn:
    """End whatever is under way by an exception, so that all is cleared away."""
    raise KeyboardInterrupt
