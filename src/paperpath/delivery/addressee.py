"""Who is told of what: pure (RFC 3461 §5.2, RFC 5321 §4.5.5 and §6.1, requirements H-1 to H-5).

A failure is reported to the return path, unless the sender wanted none. What has the null sender is a report
itself, or wants none: of that the postmaster is told, whatever NOTIFY says. If that fails, nobody is, so that
no report makes more than one other. A message that was set aside is for the postmaster to know of, unless we
wrote it ourselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from paperpath.mail.address import Mailbox
from paperpath.mail.domain import domain_key
from paperpath.mail.envelope import NO_PARAMETERS, SenderParameters
from paperpath.mail.outcome import Failed, SetAside
from paperpath.maildrop.values import Claim, Content, Damaged, Origin, UnsortedRecipient


@dataclass(frozen=True, slots=True)
class Case:
    """A recipient that failed or was set aside, with what is known of its message.

    `address` is the one that was accepted, `final` what became of it; `content` is `None` where it is not
    to be read.
    """

    recipient_id: int
    queue_id: str
    arrived_us: int
    address: Mailbox | None
    final: Mailbox | None
    return_path: Mailbox | None
    notify: str
    orcpt: str
    outcome: Failed | SetAside
    parameters: SenderParameters = NO_PARAMETERS
    content: Content | None = None
    is_ours: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Cases of one message that one letter is about, and whom it goes to."""

    to: Mailbox
    cases: tuple[Case, ...]


def case_of_claim(claim: Claim, outcome: Failed | SetAside) -> Case:
    """Describe what became of a claim."""
    message = claim.message
    return Case(
        claim.recipient_id,
        message.queue_id,
        message.arrived_us,
        claim.accepted_address,
        claim.address,
        claim.return_path,
        claim.notify,
        claim.orcpt,
        outcome,
        message.parameters,
        message.content,
        message.origin is Origin.REPORT,
    )


def case_of_unsorted(recipient: UnsortedRecipient, failed: Failed) -> Case:
    """Describe a recipient that failed at sorting, where the content is not read (requirement E-19)."""
    return Case(
        recipient.id,
        recipient.queue_id,
        recipient.arrived_us,
        recipient.accepted_address,
        recipient.address,
        recipient.return_path,
        recipient.notify,
        recipient.orcpt,
        failed,
    )


def case_of_damaged(damaged: Damaged, aside: SetAside) -> Case:
    """Describe a recipient whose row makes no sense."""
    return Case(damaged.recipient_id, damaged.queue_id, 0, None, None, None, "", "", aside)


def group_cases(cases: Sequence[Case], postmaster: Mailbox) -> list[Group]:
    """Put together what one letter can tell; cases of which nobody is told are in no group."""
    groups: dict[tuple[object, ...], list[Case]] = {}
    for case in cases:
        to = find_addressee(case, postmaster)
        if to is not None:
            groups.setdefault((case.queue_id, type(case.outcome), to, case.return_path), []).append(case)
    return [Group(to, tuple(found)) for (_, _, to, _), found in groups.items() if isinstance(to, Mailbox)]


def find_addressee(case: Case, postmaster: Mailbox) -> Mailbox | None:
    """Tell who is told of a case, `None` for nobody."""
    if isinstance(case.outcome, SetAside):
        return None if case.is_ours else postmaster
    if case.return_path is not None:
        return case.return_path if not case.notify or "FAILURE" in case.notify.split(",") else None
    was_for_postmaster = any(_are_same(address, postmaster) for address in (case.address, case.final))
    return None if was_for_postmaster else postmaster


def _are_same(one: Mailbox | None, other: Mailbox) -> bool:
    return (
        one is not None
        and one.local.lower() == other.local.lower()
        and domain_key(one.domain) == domain_key(other.domain)
    )
