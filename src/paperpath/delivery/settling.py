"""From the outcomes of attempts to settlements that carry what is to be told of them.

Called by the ways out, for all recipients of a batch at once, so that those of one message share a report.
Nobody fails untold: where a report cannot be stored, its recipients are tried again (requirement D-13). So
are those whose delivery here is to be reported, for the next attempt finds them delivered. What another host
took stays taken, for it might come twice, and the report of that is lost.
"""

from collections.abc import Sequence

from paperpath.delivery.addressee import Case, case_of_claim, case_of_damaged, find_fate
from paperpath.delivery.reports import Clerk, make_reports
from paperpath.delivery.schedule import next_due_us
from paperpath.mail.notification import asks_for_success
from paperpath.mail.outcome import Deferred, Delivered, Discarded, Failed, Forwarded, Outcome, SetAside
from paperpath.mail.reply import make_reply
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.values import Claim, Claimed, Settlement

R451_DAMAGED_ROW = make_reply(451, "4.3.0", "What the maildrop holds of this recipient is damaged")
R451_NO_REPORT = make_reply(451, "4.3.0", "The report of what became of this could not be stored")

_ASIDE = SetAside(R451_DAMAGED_ROW)


async def make_settlements(
    claimed: Claimed, outcomes: Sequence[Outcome], maildrop: Maildrop, clerk: Clerk, now_us: int
) -> list[Settlement]:
    """Settle each claim with its outcome, in order, then the damaged. Raises: MaildropError."""
    cases = [
        case
        for claim, outcome in zip(claimed.claims, outcomes, strict=True)
        if (case := _find_case(claim, outcome, now_us)) is not None
    ]
    cases += [case_of_damaged(damaged, _ASIDE.reply) for damaged in claimed.damaged]
    reports = await make_reports(cases, maildrop, clerk, now_us) if cases else {}
    return [
        Settlement(number, outcome, reports.get(number)) for number, outcome in _number(claimed, outcomes)
    ]


def settle_untold(claimed: Claimed, outcomes: Sequence[Outcome], now_us: int) -> list[Settlement]:
    """Settle as far as nobody need be told, and defer the others; in order, then the damaged."""
    return [
        Settlement(number, outcome)
        for number, outcome in _number(
            claimed,
            [_unless_told(*attempt, now_us) for attempt in zip(claimed.claims, outcomes, strict=True)],
        )
    ]


def _find_case(claim: Claim, outcome: Outcome, now_us: int) -> Case | None:
    """Describe what somebody may have to be told of; most deliveries are nothing of that kind."""
    if isinstance(outcome, Deferred | Discarded | Forwarded) or (
        isinstance(outcome, Delivered) and not asks_for_success(claim.notify)
    ):
        return None
    host = "" if isinstance(outcome, SetAside) else outcome.host
    return case_of_claim(claim, find_fate(outcome), outcome.reply, host=host, attempted_us=now_us)


def _number(claimed: Claimed, outcomes: Sequence[Outcome]) -> list[tuple[int, Outcome]]:
    found = [(claim.recipient_id, outcome) for claim, outcome in zip(claimed.claims, outcomes, strict=True)]
    return found + [(damaged.recipient_id, _ASIDE) for damaged in claimed.damaged]


def _unless_told(claim: Claim, outcome: Outcome, now_us: int) -> Outcome:
    match outcome:
        case Failed():
            return Deferred(R451_NO_REPORT, next_due_us(claim, now_us))
        case Delivered(host="") if asks_for_success(claim.notify):
            return Deferred(R451_NO_REPORT, next_due_us(claim, now_us), uncertain=True)
    return outcome
