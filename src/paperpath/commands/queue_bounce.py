"""Bouncing: recipients fail by the operator's word, and whoever is entitled to it gets a report.

Called by `paperpath queue bounce`. They are held first, so that a report never names somebody to whom a
program delivers meanwhile. After a crash in between they are held still, and can be bounced again.
"""

from collections.abc import Mapping, Sequence

from paperpath.commands.queue_selection import Selection, read_pages
from paperpath.commands.queue_work import Apply
from paperpath.delivery.addressee import Case, case_of_claim
from paperpath.delivery.reports import Clerk, make_reports
from paperpath.journal.events import Attempted, Reported, Tell, show_address, show_addresses
from paperpath.mail.notification import Fate
from paperpath.mail.outcome import Failed
from paperpath.mail.reply import Reply
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.values import Hold, NewMessage, QueueEntry, QueueFilter, Settlement, State

HOLD_REASON = "held to be bounced"


def bouncing(maildrop: Maildrop, clerk: Clerk, reply: Reply, now_us: int, tell: Tell) -> Apply:
    """Fail recipients with a reply, each report in the transaction of the failures that it tells."""

    async def apply(entries: Sequence[QueueEntry]) -> int:
        numbers = [entry.recipient_id for entry in entries]
        await maildrop.change(numbers, Hold(HOLD_REASON))
        held = _find_held(maildrop, numbers)
        failed = Failed(reply)
        claims = maildrop.examine(held).claims  # whose row is damaged stays held
        cases = [case_of_claim(claim, Fate.FAILED, reply) for claim in claims]
        reports = await make_reports(cases, maildrop, clerk, now_us)
        settled = await maildrop.settle_unclaimed(
            [Settlement(case.recipient_id, failed, reports.get(case.recipient_id)) for case in cases]
        )
        if settled:
            _tell(cases, reports, reply, tell)
        return settled

    return apply


def _tell(cases: Sequence[Case], reports: Mapping[int, NewMessage], reply: Reply, tell: Tell) -> None:
    """Tell the journal each failure, and each report once."""
    reported: dict[str, tuple[NewMessage, list[Case]]] = {}
    for case in cases:
        tell(Attempted(case.queue_id, show_address(case.address), "failed", 0, "", str(reply), 0))
        if (report := reports.get(case.recipient_id)) is not None:
            reported.setdefault(report.queue_id, (report, []))[1].append(case)
    for report, about in reported.values():
        shown, more = show_addresses([case.address for case in about if case.address is not None])
        to = show_address(report.envelope.recipients[0].address)
        tell(Reported(about[0].queue_id, report.queue_id, to, shown, more))


def _find_held(maildrop: Maildrop, numbers: Sequence[int]) -> list[int]:
    """Return those of the numbers, which are in order, that are held."""
    wanted = set(numbers)
    held = Selection((QueueFilter(state=State.HELD),))
    pages = read_pages(maildrop, held, numbers[0] - 1, numbers[-1])
    return [entry.recipient_id for page in pages for entry in page if entry.recipient_id in wanted]
