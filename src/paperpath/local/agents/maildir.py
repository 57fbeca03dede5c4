"""The Maildir agent: a delivery is a file in a mailbox, or in a folder of it.

A delivery's name is made from acceptance time, recipient id and host, so it is the same however often it is
tried; one whose earlier claim ended without an outcome is looked for under that name first (promise P4).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from paperpath.config.quota import NO_QUOTA, Quota
from paperpath.folders.maildir import Maildir, Place, to_stored_lines
from paperpath.folders.quota import OverQuotaError, OverWholeQuotaError
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
from paperpath.mail.outcome import Delivered, Failed, Outcome
from paperpath.mail.reply import make_reply
from paperpath.maildrop.values import Claim

R452_FULL = make_reply(452, "4.2.2", "The mailbox is full")
R552_FULL = make_reply(552, "5.2.2", "The mailbox is full")
R552_TOO_LARGE = make_reply(552, "5.2.3", "The message is larger than all that the mailbox may hold")


@dataclass(frozen=True, slots=True)
class Allotment:
    """How much a mailbox may hold, and whether mail that it has no room for goes back at once."""

    quota: Quota = NO_QUOTA
    is_final: bool = False


UNLIMITED = Allotment()


@dataclass(frozen=True, slots=True)
class MaildirAgent:
    """Delivers into one folder of one mailbox. `create`: a mailbox whose folder is missing gets one."""

    place: str
    root: Path
    folder: Place
    create: bool
    upkeep: Upkeep = field(compare=False)
    allotment: Allotment = UNLIMITED

    def deliver(self, claims: Sequence[Claim], desk: Desk) -> list[Outcome]:
        """Deliver claims; one flush of the folder's directory serves them all."""
        return deliver_flushed(
            claims, desk, self._open, lambda claim, maildir: self._deliver(claim, maildir, desk)
        )

    def _open(self) -> Maildir:
        return Maildir(
            self.root, self.folder, create=self.create, upkeep=self.upkeep, quota=self.allotment.quota
        )

    def _deliver(self, claim: Claim, maildir: Maildir, desk: Desk) -> Outcome:
        name = delivery_name(claim, desk.host)
        try:
            if claim.tried and maildir.keep(name):
                return Delivered(R250_ALREADY_THERE)
        except OSError as error:
            return defer(claim, desk, describe_trouble(error))

        def write(claim: Claim) -> Outcome:
            try:
                maildir.write(name, to_stored_lines(read_marked(claim, desk.findings)))
            except OverWholeQuotaError:
                return Failed(R552_TOO_LARGE)
            except OverQuotaError:
                return Failed(R552_FULL) if self.allotment.is_final else defer(claim, desk, R452_FULL)
            return Delivered(R250_DELIVERED)

        return attempt(claim, desk, write)


def delivery_name(claim: Claim, host: str) -> str:
    """Make the file name of a delivery; the same for every attempt."""
    seconds, micros = divmod(claim.message.arrived_us, 1_000_000)
    safe_host = host.replace("/", "\\057").replace(":", "\\072")
    return f"{seconds}.M{micros}R{claim.recipient_id}.{safe_host}"
