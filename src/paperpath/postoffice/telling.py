"""What sorting did, for the log and the journal; called by the sorter once it is committed."""

from collections.abc import Sequence

from paperpath.journal import events
from paperpath.journal.events import Tell, show_address, show_addresses
from paperpath.maildrop.values import (
    Aside,
    Damaged,
    Decision,
    Expanded,
    NewMessage,
    Refused,
    Sorted,
    UnsortedRecipient,
)
from paperpath.routing.steps import Look
from paperpath.service.log import Log


def tell_sorted(
    recipient: UnsortedRecipient, decision: Decision, looks: Sequence[Look], log: Log, tell: Tell
) -> None:
    """Tell what became of one recipient, and by which rules."""
    queue_id, address = recipient.queue_id, show_address(recipient.address)
    facts = {"message": queue_id, "recipient": recipient.address}
    rule = "; ".join([f"{look.kind} {look.found}" for look in looks if look.found])
    match decision:
        case Sorted(_, final, transport, destination):
            event = events.Sorted(queue_id, address, show_address(final), transport.value, destination, rule)
            tell(event)
        case Expanded(_, targets, _):
            log.info("expanded", **facts, into=len(targets))
            shown, more = show_addresses([target.address for target in targets])
            tell(events.Expanded(queue_id, address, shown, more, rule))
        case Refused(_, reply, _):
            log.info("refused", **facts, reply=reply)
            tell(events.Attempted(queue_id, address, "failed", 0, "", str(reply), 0))
        case Aside(_, reply, _):
            log.error("held", **facts, reply=reply)
            tell(events.Attempted(queue_id, address, "set aside", 0, "", str(reply), 0))


def tell_reports(recipients: Sequence[UnsortedRecipient], decisions: Sequence[Decision], tell: Tell) -> None:
    """Tell each report once, with all recipients that it is about."""
    reports: dict[str, tuple[NewMessage, list[UnsortedRecipient]]] = {}
    for recipient, decision in zip(recipients, decisions, strict=False):
        if isinstance(decision, Refused | Expanded) and (report := decision.report) is not None:
            reports.setdefault(report.queue_id, (report, []))[1].append(recipient)
    for report, about in reports.values():
        shown, more = show_addresses([recipient.address for recipient in about])
        to = show_address(report.envelope.recipients[0].address)
        tell(events.Reported(about[0].queue_id, report.queue_id, to, shown, more))


def tell_damaged(damaged: Damaged, log: Log, tell: Tell) -> None:
    """Tell that a recipient was set aside since its row makes no sense."""
    log.error("damaged, set aside", message=damaged.queue_id, reason=damaged.reason)
    tell(events.Attempted(damaged.queue_id, "", "set aside", 0, "", damaged.reason, 0))
