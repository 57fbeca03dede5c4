"""What an agent is to the dispatcher (delivery.py), and what it is told.

An agent stands for one place: a folder, a file, a program. Equal agents are the same place, so an agent is a
frozen value, made anew for each batch, and what it opens it closes before it returns.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from paperpath.local.findings import FindingsByRecipient
from paperpath.mail.outcome import Outcome
from paperpath.maildrop.values import Claim


@dataclass(frozen=True, slots=True)
class Desk:
    """What is the same for all deliveries of a batch: by which host, and when.

    `end`: a descriptor that can be read from when on smtpld waits for nothing any more.
    """

    host: str
    now_us: int
    end: int | None = None
    findings: FindingsByRecipient = field(default_factory=dict)


class Agent(Hashable, Protocol):
    """Delivers to one place. Called in smtpld's threads, where it may block."""

    @property
    def place(self) -> str:
        """What the journal calls it, such as "mbox /var/mail/joe" or "program archive"."""

    def deliver(self, claims: Sequence[Claim], desk: Desk) -> list[Outcome]:
        """Deliver claims; give their outcomes in the same order. What was delivered is flushed then.

        Whatever a message, a disk or a program does is an outcome and raises nothing.
        """
