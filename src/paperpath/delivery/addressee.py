"""Who is told of what: pure (RFC 3461 §5.2, RFC 5321 §4.5.5 and §6.1, requirements H-1 to H-5).

What the return path is owed follows from NOTIFY. What has the null sender is a report itself, or wants none:
of its failure the postmaster is told, whatever NOTIFY says. If that fails, nobody is, so that no report makes
more than one other. A message that was set aside is for the postmaster to know of, unless we wrote it
ourselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from paperpath.mail.address import Mailbox
from paperpath.mail.domain import domain_key
from paperpath.mail.notification import Action, Fate, find_owed
from paperpath.mail.outcome import Delivered, Failed, SetAside
from paperpath.mail.reply import Reply
from paperpath.maildrop.values import Claim, ClaimedMessage, Damaged, Origin, UnsortedRecipient


@dataclass(frozen=True, slots=True)
class Case:
    """A recipient that somebody may have to be told of, with what is known of its message.

    `address` is the one that was accepted, `final` what became of it. `host` said the reply, empty where we
    did. `attempted_us`, `retry_until_us`: when it was tried last and until when it will be, 0 for no such
    time. `message` is `None` where it was not read yet, or cannot be.
    """

    recipient_id: int
    queue_id: str
    arrived_us: int
    address: Mailbox | None
    final: Mailbox | None
    return_path: Mailbox | None
    notify: str
    orcpt: str
    fate: Fate
    reply: Reply
    host: str = ""
    attempted_us: int = 0
    retry_until_us: int = 0
    message: ClaimedMessage | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Cases of one message for one letter: a report of an action, or a notice, where that is `None`."""

    to: Mailbox
    action: Action | None
    cases: tuple[Case, ...]


def find_fate(outcome: Delivered | Failed | SetAside) -> Fate:
    """Tell what an outcome means to whoever may be told; a deferral is told only when it lasts."""
    match outcome:
        case Failed():
            return Fate.FAILED
        case SetAside():
            return Fate.SET_ASIDE
        case Delivered(host=""):
            return Fate.DELIVERED
        case Delivered(takes_over=True):
            return Fate.HANDED_OVER
        case Delivered(is_final=is_final):
            return Fate.DELIVERED if is_final else Fate.RELAYED


def case_of_claim(
    claim: Claim,
    fate: Fate,
    reply: Reply,
    *,
    host: str = "",
    attempted_us: int = 0,
    retry_until_us: int = 0,
) -> Case:
    """Describe what became of a claim."""
    return Case(
        claim.recipient_id,
        claim.message.queue_id,
        claim.message.arrived_us,
        claim.accepted_address,
        claim.address,
        claim.return_path,
        claim.notify,
        claim.orcpt,
        fate,
        reply,
        host,
        attempted_us,
        retry_until_us,
        claim.message,
    )


def case_of_unsorted(recipient: UnsortedRecipient, fate: Fate, reply: Reply) -> Case:
    """Describe a recipient that sorting is the end of; its message was not read (requirement E-19)."""
    return Case(
        recipient.id,
        recipient.queue_id,
        recipient.arrived_us,
        recipient.accepted_address,
        recipient.address,
        recipient.return_path,
        recipient.notify,
        recipient.orcpt,
        fate,
        reply,
    )


def case_of_damaged(damaged: Damaged, reply: Reply) -> Case:
    """Describe a recipient whose row makes no sense."""
    return Case(damaged.recipient_id, damaged.queue_id, 0, None, None, None, "", "", Fate.SET_ASIDE, reply)


def group_cases(cases: Sequence[Case], postmaster: Mailbox) -> list[Group]:
    """Put together what one letter can tell; cases of which nobody is told are in no group."""
    groups: dict[tuple[str, Mailbox | None, Mailbox, Action | None], list[Case]] = {}
    for case in cases:
        if (told := find_addressee(case, postmaster)) is not None:
            groups.setdefault((case.queue_id, case.return_path, *told), []).append(case)
    return [Group(to, action, tuple(found)) for (_, _, to, action), found in groups.items()]


def find_addressee(case: Case, postmaster: Mailbox) -> tuple[Mailbox, Action | None] | None:
    """Tell who is told of a case, and in a report of which action, or a notice; `None` for nobody."""
    if case.fate is Fate.SET_ASIDE:
        is_ours = case.message is not None and case.message.origin is Origin.REPORT
        return None if is_ours else (postmaster, None)
    if case.return_path is not None:
        action = find_owed(case.fate, case.notify, has_sender=True)
        return None if action is None else (case.return_path, action)
    was_for_postmaster = any(_are_same(address, postmaster) for address in (case.address, case.final))
    if case.fate is not Fate.FAILED or was_for_postmaster:
        return None
    return postmaster, Action.FAILED


def _are_same(one: Mailbox | None, other: Mailbox) -> bool:
    return (
        one is not None
        and one.local.lower() == other.local.lower()
        and domain_key(one.domain) == domain_key(other.domain)
    )
