"""How soon a side serves again that is started with a full queue, and how soon it delivers.

The queue is filled once; all of it is due, and the sink is there. Each time the side is started anew. It
serves when it has taken a message: a client connects again and again, from the start on. Then the side is
ended, as its operator would end it. What it delivered until then is missing from the queue the next time.
"""

import contextlib
import smtplib
import time
from collections.abc import Callable, Sequence

from bench.compare.samples import FIRST_S, SERVES_S, Measured, Usage
from bench.compare.stages import Stage
from bench.compare.waiting import Outage
from bench.relay import RECIPIENT
from bench.source import HELO_NAME, SENDER, Load

_PAUSE_S = 0.01
_TEXT = "Subject: served\r\n\r\nHello\r\n"


class Restarting:
    """The measurement of one side."""

    def __init__(self, stage: Stage, name: str) -> None:
        self._stage = stage
        self._name = name
        self._outage: Outage | None = None

    def commands(self, load: Load) -> Sequence[Sequence[str]]:
        """What starts it."""
        return [] if self._outage is None else [self._outage.relay.child.command]

    def measure(self, load: Load) -> Measured:
        """Start it, and wait for both."""
        if self._outage is None:
            self._outage = Outage(self._stage, self._name, load, self._name)
        relay, sink = self._outage.relay, self._outage.sink()
        try:
            sink.start()
            sink.empty()
            began = time.monotonic()
            relay.child.start()
            serves = first = 0.0
            while not (serves and first):
                serves = serves or self._since(began, lambda: _takes_mail(relay.port))
                first = first or self._since(began, lambda: sink.count() > 0)
                if relay.child.exited_within(_PAUSE_S) or time.monotonic() > began + self._stage.timeout:
                    raise relay.child.failure("did not serve and deliver again")
        finally:
            relay.stop()
            sink.stop()
        return Measured(relay.durability, {SERVES_S.name: serves, FIRST_S.name: first}, Usage({}, 0.0, 0.0))

    def _since(self, began: float, is_so: Callable[[], bool]) -> float:
        """How long it took until something was so; zero if it is not yet."""
        return time.monotonic() - began if is_so() else 0.0


def _takes_mail(port: int) -> bool:
    """Whether a message was accepted just now."""
    with (
        contextlib.suppress(OSError, smtplib.SMTPException),
        smtplib.SMTP("127.0.0.1", port, HELO_NAME, timeout=5.0) as client,
    ):
        client.sendmail(SENDER, [RECIPIENT], _TEXT)
        return True
    return False
