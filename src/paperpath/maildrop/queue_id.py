"""Queue ids: public, sortable by time, never reused (requirement D-11).

An id is eleven digits of the time in microseconds, then the number of the worker that made it. Worker numbers
are never given twice and one worker's times only grow, so a clock that is set back cannot make an id twice.
"""

_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # no letter that reads like a digit
_TIME_DIGITS = 11


class QueueIds:
    """The ids that one worker gives out."""

    def __init__(self, worker: int) -> None:
        """Begin; `worker` is a number no other worker ever has."""
        self._suffix = _format_number(worker)
        self._last_us = 0

    def next(self, now_us: int) -> str:
        """Make the id of a message that arrives now."""
        self._last_us = max(self._last_us + 1, now_us)
        return _format_number(self._last_us).rjust(_TIME_DIGITS, "0") + self._suffix


def worker_of(queue_id: str) -> int:
    """Return the number of the worker that made an id; 0, which no worker has, where it is none."""
    number = 0
    for digit in queue_id[_TIME_DIGITS:]:
        value = _DIGITS.find(digit)
        if value < 0:
            return 0
        number = number * len(_DIGITS) + value
    return number


def _format_number(number: int) -> str:
    digits = []
    while number:
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits)) or "0"
