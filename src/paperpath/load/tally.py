"""What became of what was sent: accepted, refused, lost on the way; and how long the 250 took.

Pure. Conversations note here, and the report is made of it. Reasons are kept by what the server said, the
first few of them.
"""

from dataclasses import dataclass, field

from paperpath.load.timeline import Timeline

_MOST_REASONS = 10
_MOST_REASON_LETTERS = 200
_OTHERS = "other reasons"


@dataclass
class Tally:
    """Counts of messages, but for `recipients`, which are those of accepted messages that were taken.

    `replies` has when each message was accepted, and the microseconds between its final dot and the 250.
    """

    replies: Timeline
    patience: int = 20
    """So much may go wrong in a row, and no message be taken between."""
    accepted: int = 0
    recipients: int = 0
    octets: int = 0
    refused: int = 0
    failed: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    last_us: int = 0
    """When the latest message was accepted."""
    _failures_in_a_row: int = 0

    @property
    def is_hopeless(self) -> bool:
        """Whether so much went wrong in a row that to go on makes no sense."""
        return self._failures_in_a_row >= self.patience

    def accept(self, now_us: int, took_us: int, recipients: int, octets: int) -> None:
        """Note a message that was taken for at least one recipient."""
        self.replies.add(now_us, took_us)
        self.accepted += 1
        self.recipients += recipients
        self.octets += octets
        self._failures_in_a_row = 0
        self.last_us = now_us

    def refuse(self, reply: str) -> None:
        """Note a message that was taken for nobody."""
        self.refused += 1
        self._give_reason(reply)

    def fail(self, reason: str, *, with_message: bool) -> None:
        """Note a connection that could not be had or was lost, and the message that it had, if any."""
        self.failed += with_message
        self._give_reason(reason)

    def _give_reason(self, reason: str) -> None:
        self._failures_in_a_row += 1
        text = reason[:_MOST_REASON_LETTERS]
        if text not in self.reasons and len(self.reasons) >= _MOST_REASONS:
            text = _OTHERS
        self.reasons[text] = self.reasons.get(text, 0) + 1
