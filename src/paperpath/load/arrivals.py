"""What the sink saw of each run: how many messages, when, and how long they were on their way.

Pure. Bounded: a few runs, a bit for each message of one; the oldest run is forgotten for a new one.
"""

from dataclasses import dataclass, field
from typing import Any

from paperpath.load.timeline import Timeline
from paperpath.load.token import Token

_MOST_RUNS = 8
_MOST_PLACES = 8 * 2**20  # octets of bits; numbers beyond are not told apart


@dataclass
class Arrivals:
    """What came of one run: the recipients of all transactions, and messages, of which each counts once."""

    came: Timeline
    messages: int = 0
    recipients: int = 0
    last_us: int = 0
    _seen: bytearray = field(default_factory=bytearray)

    def note(self, token: Token, now_us: int, recipients: int) -> None:
        """Note that a message came for so many recipients."""
        self.came.add(now_us, now_us - token.sent_us, recipients)
        self.recipients += recipients
        self.last_us = now_us
        self.messages += self._is_new(token.number)

    def _is_new(self, number: int) -> bool:
        place, bit = divmod(number, 8)
        if place >= _MOST_PLACES:
            return True
        if place >= len(self._seen):
            self._seen.extend(bytes(place + 1024 - len(self._seen)))
        was_seen = self._seen[place] >> bit & 1
        self._seen[place] |= 1 << bit
        return not was_seen

    def describe(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "messages": self.messages,
            "recipients": self.recipients,
            "last_us": self.last_us,
            "lengths": self.came.sum().lengths.dump(),
        }


class Runs:
    """All that the sink saw."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._runs: dict[str, Arrivals] = {}
        self.messages = 0
        self.recipients = 0

    def note(self, token: Token | None, now_us: int, recipients: int) -> None:
        """Note a message; one without a token is counted alone."""
        self.messages += 1
        self.recipients += recipients
        if token is None:
            return
        arrivals = self._runs.get(token.run)
        if arrivals is None:
            if len(self._runs) >= _MOST_RUNS:
                del self._runs[next(iter(self._runs))]
            arrivals = self._runs[token.run] = Arrivals(Timeline(now_us))
        arrivals.note(token, now_us, recipients)

    def find(self, run: str) -> Arrivals | None:
        """Return what came of a run, if anything did."""
        return self._runs.get(run)
