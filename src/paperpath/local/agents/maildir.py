"""The Maildir agent: a delivery is a file in a mailbox, or in a folder of it.

A delivery's name is made from acceptance time, recipient id and host, so it is the same however often it is
tried; one whose earlier claim ended without an outcome is looked for under that name first (promise P4).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from paperpath.folders.maildir import Maildir, Place, to_stored_lines
from paperpath.folders.upkeep import Upkeep
from paperpath.local.agents.attempt import attempt, defer, doubt
from paperpath.local.agents.interface import Desk
from paperpath.local.content import read_marked
from paperpath.local.troubles import describe_trouble
from paperpath.mail.outcome import Delivered, Outcome
from paperpath.mail.reply import make_reply
from paperpath.maildrop.values import Claim

R250_DELIVERED = make_reply(250, "2.1.5", "Delivered")
R250_ALREADY_THERE = make_reply(250, "2.1.5", "Delivered by an earlier attempt")


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
        try:
            with Maildir(self.root, self.folder, create=self.create, upkeep=self.upkeep) as maildir:
                outcomes = [_deliver(claim, maildir, desk) for claim in claims]
                try:
                    maildir.flush()
                except OSError as error:  # what was moved to new is there, and may or may not stay there
                    return [
                        doubt(claim, outcome, desk, error)
                        for claim, outcome in zip(claims, outcomes, strict=True)
                    ]
                return outcomes
        except OSError as error:
            return [defer(claim, desk, describe_trouble(error)) for claim in claims]


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
