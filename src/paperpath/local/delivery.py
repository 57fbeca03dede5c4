"""One delivery into a Maildir, and a batch of them: blocking, for smtpld's threads.

Return-Path and Delivered-To stand on top, then the content as it came, without a Return-Path of its own
(requirements F-1 to F-3). A delivery's
name is made from acceptance time, recipient id and host, so it is the same however often it is tried; one
whose earlier claim ended without an outcome is looked for under that name first (promise P4).
"""

from collections.abc import Iterator, Sequence

from paperpath.delivery.schedule import next_due_us
from paperpath.folders.maildir import Maildir, Place, to_stored_lines
from paperpath.local.content import was_delivered_to, without_return_path
from paperpath.local.places import Depot, find_place, may_come_back
from paperpath.local.troubles import describe_trouble
from paperpath.mail.delivered_to import R554_CIRCLE
from paperpath.mail.outcome import Deferred, Delivered, Failed, Outcome, SetAside
from paperpath.mail.reply import Reply, make_reply
from paperpath.mail.trace import delivered_to_field, return_path_field
from paperpath.maildrop.checked import DamagedError, read_checked
from paperpath.maildrop.values import Claim

R250_DELIVERED = make_reply(250, "2.1.5", "Delivered")
R250_ALREADY_THERE = make_reply(250, "2.1.5", "Delivered by an earlier attempt")
R450_NO_MAILBOX = make_reply(450, "4.2.1", "The mailbox is gone, which must be a mistake")
R550_NO_MAILBOX = make_reply(550, "5.1.1", "The mailbox is gone since the message was taken")


def deliver_batch(claims: Sequence[Claim], depot: Depot) -> list[Outcome]:
    """Deliver claims; give their outcomes in the same order. What was delivered is flushed then.

    One flush of a folder's directory serves all deliveries to it.
    """
    outcomes: dict[int, Outcome] = {}
    by_place: dict[Place, list[Claim]] = {}
    for claim in claims:
        place = find_place(claim.address, depot)
        if place is None:
            outcomes[claim.recipient_id] = _miss(claim, depot)
        else:
            by_place.setdefault(place, []).append(claim)
    for place, here in by_place.items():
        found = _deliver_to(place, here, depot)
        outcomes.update(zip((claim.recipient_id for claim in here), found, strict=True))
    return [outcomes[claim.recipient_id] for claim in claims]


def defer_batch(claims: Sequence[Claim], now_us: int, error: Exception) -> list[Outcome]:
    """Defer claims whose delivery ended in a way that nobody foresaw; each may have been delivered."""
    reply = make_reply(451, "4.3.0", f"Delivery failed in an unforeseen way: {error!r}")
    return [Deferred(reply, next_due_us(claim, now_us), uncertain=True) for claim in claims]


def delivery_name(claim: Claim, host: str) -> str:
    """Make the file name of a delivery; the same for every attempt."""
    seconds, micros = divmod(claim.message.arrived_us, 1_000_000)
    safe_host = host.replace("/", "\\057").replace(":", "\\072")
    return f"{seconds}.M{micros}R{claim.recipient_id}.{safe_host}"


def _miss(claim: Claim, depot: Depot) -> Outcome:
    """Say that an address has no mailbox."""
    if may_come_back(claim.address, depot):
        return _defer(claim, depot, R450_NO_MAILBOX)
    return Failed(R550_NO_MAILBOX)


def _deliver_to(place: Place, claims: Sequence[Claim], depot: Depot) -> list[Outcome]:
    """Deliver claims to one folder; give their outcomes in the same order."""
    try:
        with Maildir(depot.root, place, create=depot.create, upkeep=depot.upkeep) as maildir:
            outcomes = [_deliver(claim, maildir, depot) for claim in claims]
            try:
                maildir.flush()
            except OSError as error:  # what was moved to new is there, and may or may not stay there
                return [
                    _doubt(claim, outcome, depot, error)
                    for claim, outcome in zip(claims, outcomes, strict=True)
                ]
            return outcomes
    except OSError as error:
        return [_defer(claim, depot, describe_trouble(error)) for claim in claims]


def _deliver(claim: Claim, maildir: Maildir, depot: Depot) -> Outcome:
    name = delivery_name(claim, depot.host)
    try:
        if claim.tried and maildir.keep(name):
            return Delivered(R250_ALREADY_THERE)
        if was_delivered_to(claim.message.content, claim.address):
            return Failed(R554_CIRCLE)
        maildir.write(name, to_stored_lines(_chunks(claim)))
    except DamagedError as error:
        return SetAside(make_reply(451, "4.3.0", f"Damaged: {error}"))
    except OSError as error:
        return _defer(claim, depot, describe_trouble(error))
    return Delivered(R250_DELIVERED)


def _chunks(claim: Claim) -> Iterator[bytes]:
    content = without_return_path(read_checked(claim.message.content))
    head = return_path_field(claim.return_path) + delivered_to_field(claim.address)
    yield head + next(content, b"")  # in one write, for a message is small most often
    yield from content


def _doubt(claim: Claim, outcome: Outcome, depot: Depot, error: OSError) -> Outcome:
    """Take back that something was delivered, since that may not last."""
    if isinstance(outcome, Delivered):
        return _defer(claim, depot, describe_trouble(error), uncertain=True)
    return outcome


def _defer(claim: Claim, depot: Depot, reply: Reply, *, uncertain: bool = False) -> Deferred:
    return Deferred(reply, next_due_us(claim, depot.now_us), uncertain)
