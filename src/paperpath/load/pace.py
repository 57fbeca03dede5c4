"""When each message is due, and when there are no more: pure, since it is told the time.

Called by the conversations of all connections, which take a message each when they are free. With a rate,
message n is due n / rate seconds after the beginning, however late others were: a source that waited for a
slow server would hide how slow it is (what is called coordinated omission).
"""

from paperpath.load.plan import Load


class Pace:
    """Gives out the numbers of messages."""

    def __init__(self, load: Load, begun_us: int) -> None:
        """Begin at a moment."""
        self._begun_us = begun_us
        self._pause_us = 0.0 if load.rate is None else 1e6 / load.rate
        self._messages = load.messages
        self._end_us = None if load.duration_s is None else begun_us + int(load.duration_s * 1e6)
        self._stopped = False
        self.given = 0
        self.latest_us = 0
        """By how much the one was late that was taken latest of all after it was due; 0 without a rate."""

    def take(self, now_us: int) -> int | None:
        """Return the number of a message that is due; `None` where none is, or none is left."""
        late_us = now_us - self.due_us
        if late_us < 0 or self.is_over(now_us):
            return None
        if self._pause_us:
            self.latest_us = max(self.latest_us, late_us)
        self.given += 1
        return self.given - 1

    @property
    def due_us(self) -> int:
        """When the next message is due."""
        return self._begun_us + int(self.given * self._pause_us)

    def is_over(self, now_us: int) -> bool:
        """Tell whether no message is left."""
        return (
            self._stopped
            or (self._messages is not None and self.given >= self._messages)
            or (self._end_us is not None and now_us >= self._end_us)
        )

    def stop(self) -> None:
        """Give no more."""
        self._stopped = True
