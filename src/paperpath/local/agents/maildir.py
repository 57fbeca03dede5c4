"""The Maildir agent: a delivery is a file in a mailbox, or in a folder of it.

A delivery's name is made from acceptance time, recipient id and host, so it is the same however often it is
tried; one whose earlier claim ended without an outcome is looked for under that name first (promise P4).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from paperpath.folders.maildir import Maildir, Place, to_stored_lines
from paperpath.folders.upkeep import Upkeep
from paperpath.local.agents.attempt import (
    R250_ALREADY_THERE,
    R250_DELIVERED,
    attempt,
    defer,
    deliver_flushed,
)
from paperpath.local.agents.interface import Desk
from paperpath.local.content import read_marked
from paperpath.local.troubles import describe_trouble
from paperpath.mail.outcome import Delivered, Outcome
from paperpath.maildrop.values import Claim


@dataclass(frozen=True, slots=True)
class MaildirAgent:
    """Delivers into one folder of one mailbox. `create`: a mailbox whose folder is missing gets one."""

    place: str
    root: Path
    folder: Place
    create: bool
    upkeep: Upkeep = field(compare=False)

    def deliver(self, claims: Sequence[Claim], desk: Desk) -> list[Outcome]:
        """Deliver claims; one flush of the folder's directory serves them all."""

        def open_maildir() -> Maildir:
            return Maildir(self.root, self.folder, create=self.create, upkeep=self.upkeep)

        def deliver(claim: Claim, maildir: Maildir) -> Outcome:
            return _deliver(claim, maildir, desk)

        return deliver_flushed(claims, desk, open_maildir, deliver)


def delivery_name(claim: Claim, host: str) -> str:
    """Make the file name of a delivery; the same for every attempt."""
    seconds, micros = divmod(claim.message.arrived_us, 1_000_000)
    safe_host = host.replace("/", "\\057").replace(":", "\\072")
    return f"{seconds}.M{micros}R{claim.recipient_id}.{safe_host}"


def _deliver(claim: Claim, maildir: Maildir, desk: Desk) -> Outcome:
    name = delivery_name(claim, desk.host)
    try:
        if claim.tried and maildir.keep(name):
            return Delivered(R250_ALREADY_THERE)
    except OSError as error:
        return defer(claim, desk, describe_trouble(error))

    def write(claim: Claim) -> Outcome:
        maildir.write(name, to_stored_lines(read_marked(claim)))
        return Delivered(R250_DELIVERED)

    return attempt(claim, desk, write)
