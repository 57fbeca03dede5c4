"""What became of a batch of deliveries, for the log and the journal; called by the ways out."""

from collections.abc import Callable, Iterable, Sequence

from paperpath.journal.events import (
    Attempted,
    Forwarded,
    Outcome,
    Reported,
    Tell,
    show_address,
    show_addresses,
)
from paperpath.mail import outcome as outcomes
from paperpath.maildrop.values import Claim, Claimed, NewMessage, Settlement
from paperpath.service.log import Log

_NAMES: dict[type[outcomes.Outcome], Outcome] = {
    outcomes.Delivered: "delivered",
    outcomes.Deferred: "deferred",
    outcomes.Failed: "failed",
    outcomes.SetAside: "set aside",
    outcomes.Discarded: "discarded",
    outcomes.Forwarded: "forwarded",
}


def tell_settled(
    claimed: Claimed,
    settlements: Sequence[Settlement],
    find_place: Callable[[Claim, outcomes.Outcome], str],
    log: Log,
    tell: Tell,
) -> None:
    """Tell each outcome, and each report once; a place is a folder, or a host."""
    claims = {claim.recipient_id: claim for claim in claimed.claims}
    reported: list[tuple[Claim, NewMessage]] = []
    for settlement in settlements:
        if (claim := claims.get(settlement.recipient_id)) is None:
            continue
        _tell_one(claim, settlement, log)
        tell(_make_event(claim, settlement, find_place(claim, settlement.outcome)))
        if settlement.report is None:
            continue
        if isinstance(settlement.outcome, outcomes.Forwarded):
            tell(_make_forwarding(claim, settlement.report))
        else:
            reported.append((claim, settlement.report))
    tell_reports(reported, tell)
    for damaged in claimed.damaged:
        log.error("damaged, set aside", message=damaged.queue_id, reason=damaged.reason)
        tell(Attempted(damaged.queue_id, "", "set aside", 0, "", damaged.reason, 0))


def tell_reports(reported: Iterable[tuple[Claim, NewMessage]], tell: Tell) -> None:
    """Tell each report once, with all recipients that it is about."""
    reports: dict[str, tuple[NewMessage, list[Claim]]] = {}
    for claim, report in reported:
        reports.setdefault(report.queue_id, (report, []))[1].append(claim)
    for report, about in reports.values():
        shown, more = show_addresses([claim.address for claim in about])
        to = show_address(report.envelope.recipients[0].address)
        tell(Reported(about[0].message.queue_id, report.queue_id, to, shown, more))


def _tell_one(claim: Claim, settlement: Settlement, log: Log) -> None:
    outcome, report = settlement.outcome, settlement.report
    facts: dict[str, object] = {
        "message": claim.message.queue_id,
        "recipient": claim.address,
        "reply": outcome.reply,
    }
    if isinstance(outcome, outcomes.Forwarded) and report is not None:
        facts["forward"] = report.queue_id
    elif report is not None:
        facts |= {"report": report.queue_id, "to": report.envelope.recipients[0].address}
    is_untold = isinstance(outcome, outcomes.Failed) and claim.return_path is None and report is None
    write = log.error if is_untold or isinstance(outcome, outcomes.SetAside) else log.info
    if host := getattr(outcome, "host", ""):
        facts["host"] = host
    write(_name(outcome), **facts)


def _make_event(claim: Claim, settlement: Settlement, place: str) -> Attempted:
    outcome = settlement.outcome
    return Attempted(
        claim.message.queue_id,
        show_address(claim.address),
        _name(outcome),
        claim.attempts + 1,
        place,
        str(outcome.reply),
        outcome.due_us if isinstance(outcome, outcomes.Deferred) else 0,
    )


def _make_forwarding(claim: Claim, message: NewMessage) -> Forwarded:
    to = show_address(message.envelope.recipients[0].address)
    return Forwarded(claim.message.queue_id, message.queue_id, to)


def _name(outcome: outcomes.Outcome) -> Outcome:
    if isinstance(outcome, outcomes.Delivered) and outcome.host:
        return "relayed"
    return _NAMES[type(outcome)]
