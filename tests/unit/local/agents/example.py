"""Claims as the agents get them."""

import hashlib
from pathlib import Path

from paperpath.local.agents.interface import Agent, Desk
from paperpath.mail.address import Mailbox, parse_mailbox
from paperpath.mail.envelope import NO_PARAMETERS
from paperpath.mail.outcome import Outcome
from paperpath.maildrop.values import Claim, ClaimedMessage, Content

OCTETS = b"Received: x\r\nSubject: y\r\n\r\nbody\r\n"
ON_TOP = b"Return-Path: <a@b.example>\nDelivered-To: joe@here.example\n"
DESK = Desk("mx.here.example", 1_000_000)


def make_content(octets: bytes = OCTETS, *, digest: bytes | None = None, file: Path | None = None) -> Content:
    digest = hashlib.sha256(octets).digest() if digest is None else digest
    return Content(len(octets), digest, None if file else octets, file)


def make_claim(
    number: int = 1,
    address: str = "joe@here.example",
    *,
    sender: str = "a@b.example",
    accepted: str = "",
    held: Content | None = None,
    tried: bool = False,
) -> Claim:
    """Make a claim; an empty sender is the null sender. A `|` or `/` begins the target of an alias."""
    by = parse_mailbox(sender) if sender else None
    to = Mailbox(address, "") if address[0] in "|/" else parse_mailbox(address)
    accepted_to = parse_mailbox(accepted) if accepted else to
    message = ClaimedMessage(1, "Q", by, NO_PARAMETERS, 1_700_000_000_000_123, held or make_content())
    return Claim(number, message, to, accepted_to, by, "agent:x", tried, 2, "", "")


def deliver(agent: Agent, claim: Claim) -> Outcome:
    (outcome,) = agent.deliver([claim], DESK)
    return outcome
