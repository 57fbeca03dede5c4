"""One delivery into a Maildir, and a batch of them: blocking, for smtpld's threads.

Return-Path and Delivered-To stand on top, then the content as it came (requirements F-1 to F-3). A delivery's
name is made from acceptance time, recipient id and host, so it is the same however often it is tried; one
whose earlier claim ended without an outcome is looked for under that name first (promise P4).
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from paperpath.accounts.file import Accounts
from paperpath.folders.maildir import Maildir, flush_file, to_stored_lines
from paperpath.mail.outcome import Deferred, Delivered, Outcome
from paperpath.mail.reply import Reply, make_reply
from paperpath.mail.trace import delivered_to_field, return_path_field
from paperpath.maildrop.values import Claim, ClaimedMessage, Settlement
from paperpath.service.durable import flush_directory

R250_DELIVERED = make_reply(250, "2.1.5", "Delivered")
R250_ALREADY_THERE = make_reply(250, "2.1.5", "Delivered by an earlier attempt")
R450_NO_MAILBOX = make_reply(450, "4.2.1", "The mailbox is gone since the message was taken")
R451_DAMAGED = make_reply(451, "4.3.0", "The content is not what was taken; its digest differs")

_CHUNK_OCTETS = 256 * 1024
_RETRY_FIRST_S = 10
_RETRY_MOST_S = 3600


class DamagedError(Exception):
    """The content's digest is not the one taken at acceptance."""


@dataclass(frozen=True, slots=True)
class Depot:
    """Where deliveries go: root of the mailboxes, who has one, this host's name, time of the attempt."""

    root: Path
    accounts: Accounts
    host: str
    now_us: int


def deliver_batch(claims: Sequence[Claim], depot: Depot) -> list[Settlement]:
    """Deliver claims, each with its outcome; when this returns, what was delivered is flushed.

    One flush of a mailbox's directory serves all deliveries to it.
    """
    settlements = []
    by_folder: dict[Path, list[Claim]] = {}
    for claim in claims:
        account = depot.accounts.find(claim.address)
        if account is None:
            settlements.append(Settlement(claim.recipient_id, _defer(claim, depot, R450_NO_MAILBOX)))
        else:
            by_folder.setdefault(depot.root / account.folder, []).append(claim)
    for folder, here in by_folder.items():
        outcomes = _deliver_to(folder, here, depot)
        settlements.extend(map(Settlement, (claim.recipient_id for claim in here), outcomes))
    return settlements


def delivery_name(claim: Claim, host: str) -> str:
    """Make the file name of a delivery; the same for every attempt."""
    seconds, micros = divmod(claim.message.arrived_us, 1_000_000)
    safe_host = host.replace("/", "\\057").replace(":", "\\072")
    return f"{seconds}.M{micros}R{claim.recipient_id}.{safe_host}"


def _deliver_to(folder: Path, claims: Sequence[Claim], depot: Depot) -> list[Outcome]:
    """Deliver claims to one mailbox; give their outcomes in the same order."""
    try:
        with Maildir(folder) as maildir:
            outcomes = [_deliver(claim, maildir, depot) for claim in claims]
            try:
                maildir.flush()
            except OSError as error:  # what was moved to new is there, and may or may not stay there
                return [_defer(claim, depot, _trouble(error), uncertain=True) for claim in claims]
            return outcomes
    except OSError as error:
        return [_defer(claim, depot, _trouble(error)) for claim in claims]


def _deliver(claim: Claim, maildir: Maildir, depot: Depot) -> Outcome:
    name = delivery_name(claim, depot.host)
    try:
        if claim.tried and _is_there(maildir, name):
            return Delivered(R250_ALREADY_THERE)
        head = return_path_field(claim.message.sender) + delivered_to_field(claim.address)
        maildir.write(name, to_stored_lines(_chunks(head, claim.message)))
    except DamagedError:
        return _defer(claim, depot, R451_DAMAGED)
    except OSError as error:
        return _defer(claim, depot, _trouble(error))
    return Delivered(R250_DELIVERED)


def _is_there(maildir: Maildir, name: str) -> bool:
    """Tell whether an earlier attempt delivered, and make its copy durable.

    A mail program may move the file while we look; then it is looked for again.
    """
    while (there := maildir.find(name)) is not None:
        try:
            flush_file(there)
            flush_directory(there.parent)
        except FileNotFoundError:
            continue
        return True
    return False


def _chunks(head: bytes, message: ClaimedMessage) -> Iterator[bytes]:
    """Give the message in chunks; the digest is compared before the last can be taken for the end."""
    content = message.content
    digest = hashlib.sha256()
    if content.octets is not None:
        digest.update(content.octets)
        yield head + content.octets
    elif content.file is not None:
        yield head
        with content.file.open("rb") as file:
            while chunk := file.read(_CHUNK_OCTETS):
                digest.update(chunk)
                yield chunk
    if digest.digest() != content.digest:
        raise DamagedError


def defer_batch(claims: Sequence[Claim], now_us: int, error: Exception) -> list[Settlement]:
    """Defer claims whose delivery ended in a way that nobody foresaw; each may have been delivered."""
    reply = make_reply(451, "4.3.0", f"Delivery failed in an unforeseen way: {error!r}")
    return [
        Settlement(claim.recipient_id, Deferred(reply, now_us + _pause_us(claim), uncertain=True))
        for claim in claims
    ]


def _defer(claim: Claim, depot: Depot, reply: Reply, *, uncertain: bool = False) -> Deferred:
    return Deferred(reply, depot.now_us + _pause_us(claim), uncertain)


def _pause_us(claim: Claim) -> int:
    pause_s = min(_RETRY_FIRST_S << min(claim.attempts, 20), _RETRY_MOST_S)
    return pause_s * 1_000_000


def _trouble(error: OSError) -> Reply:
    return make_reply(451, "4.2.0", f"The mailbox cannot be written now: {error.strerror}")
