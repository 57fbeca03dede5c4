"""The mbox agent: a delivery is an entry at the end of a file (requirements F-12, F-13).

An entry has the time of acceptance, not of the attempt, so it has the same octets however often it is tried;
one whose earlier claim ended without an outcome is looked for by them first (promise P4).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from paperpath.folders.maildir import to_stored_lines
from paperpath.folders.mbox import Mbox
from paperpath.folders.mbox_entry import format_entry
from paperpath.local.agents.attempt import R250_ALREADY_THERE, R250_DELIVERED, attempt, deliver_flushed
from paperpath.local.agents.interface import Desk
from paperpath.local.content import read_marked
from paperpath.mail.outcome import Delivered, Outcome
from paperpath.maildrop.values import Claim


@dataclass(frozen=True, slots=True)
class MboxAgent:
    """Appends to one file, which is made where it is missing; its folder is not."""

    place: str
    file: Path

    def deliver(self, claims: Sequence[Claim], desk: Desk) -> list[Outcome]:
        """Deliver claims; the file is locked once, and one flush serves them all."""

        def deliver(claim: Claim, mbox: Mbox) -> Outcome:
            return attempt(claim, desk, lambda claim: _deliver(claim, mbox, desk))

        return deliver_flushed(claims, desk, lambda: Mbox(self.file), deliver)


def _deliver(claim: Claim, mbox: Mbox, desk: Desk) -> Outcome:
    def make_entry() -> Iterator[bytes]:
        lines = to_stored_lines(read_marked(claim, desk.findings))
        return format_entry(claim.return_path, claim.message.arrived_us, lines)

    if claim.tried and mbox.keep(make_entry):
        return Delivered(R250_ALREADY_THERE)
    mbox.append(make_entry())
    return Delivered(R250_DELIVERED)
