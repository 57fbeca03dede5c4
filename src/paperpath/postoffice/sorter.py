"""Sorting, one batch at a time, and following the rules when they change; called by smtppd.

Whatever changed in routes or aliases begins a new routing epoch before anything is decided by it, and what
was sorted by the old ones and is not claimed is sorted again (promise P5). A file remembers which rules are
in force, so that a change is also noticed that came while nobody sorted. Envelopes only: content is opened
for a report, and never on the straight path (requirement E-19).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from paperpath.delivery.addressee import Case, case_of_damaged, case_of_unsorted
from paperpath.journal.events import Tell
from paperpath.mail.notification import Fate
from paperpath.mail.reply import make_reply
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.values import (
    Aside,
    Decision,
    Expanded,
    NewMessage,
    Refused,
    Sorted,
    Unsorted,
    UnsortedRecipient,
)
from paperpath.postoffice.pace import Pace
from paperpath.postoffice.telling import tell_damaged, tell_reports, tell_sorted
from paperpath.routing.files import RoutingFiles, fingerprint
from paperpath.routing.router import Router
from paperpath.routing.sorting import sort_recipient
from paperpath.routing.steps import Verdict
from paperpath.service.durable import replace_text
from paperpath.service.log import Log

BATCH = 500
LOOK_AGAIN_US = 5_000_000  # for what was claimed when the epoch began, and is ready again since

R451_DAMAGED = make_reply(451, "4.3.0", "What the maildrop holds of this recipient is damaged")
_EXPANDED = {
    Fate.EXPANDED: make_reply(250, "2.1.5", "Handed on to several addresses"),
    Fate.DELIVERED: make_reply(250, "2.1.5", "Handed on to the members of the list"),
}


# Makes what there is to tell of cases, by the numbers of the recipients; may raise MaildropError.
Report = Callable[[Sequence[Case]], Awaitable[Mapping[int, NewMessage]]]


class Sorter:
    """Sorts what waits, by the rules of the moment."""

    def __init__(
        self,
        maildrop: Maildrop,
        files: RoutingFiles,
        memory: Path,
        report: Report,
        pace: Pace,
        log: Log,
        tell: Tell,
    ) -> None:
        """Begin; `memory` is the file that remembers the rules."""
        self._maildrop = maildrop
        self._files = files
        self._memory = memory
        self._report = report
        self._pace = pace
        self._log = log
        self._tell_event = tell
        self._router: Router | None = None
        self._is_stale = True
        self._look_again_us = 0

    def renew(self, files: RoutingFiles) -> None:
        """Take the rules of another configuration from now on."""
        self._files = files

    async def sort_some(self, now_us: int) -> int:
        """Sort one batch; return how many recipients moved. Raises: MaildropError."""
        router = await self._follow_rules()
        epoch = self._maildrop.read_epoch()
        unsorted = self._maildrop.read_unsorted(BATCH)
        verdicts = [sort_recipient(router, recipient) for recipient in unsorted.recipients]
        decisions = await self._decide(unsorted, verdicts, now_us)
        moved = await self._maildrop.sort(decisions, epoch, now_us) if decisions else 0
        if moved:
            self._tell(unsorted, decisions, verdicts)
        if len(decisions) < BATCH and (self._is_stale or now_us >= self._look_again_us):
            self._look_again_us = now_us + LOOK_AGAIN_US
            reopened = await self._maildrop.reopen_stale(BATCH)
            self._is_stale = reopened > 0
            moved += reopened
        return moved

    async def _follow_rules(self) -> Router:
        """Return the rules in force; new ones only once the new epoch has begun. Raises: MaildropError."""
        router = self._files.read()
        for trouble in self._files.take_troubles():
            self._log.error("file unreadable, what it said before stays in force", reason=trouble)
        if router is not self._router:
            await self._begin_epoch(router)
            self._pace.forget()
            self._router = router
        return router

    async def _begin_epoch(self, router: Router) -> None:
        """Begin an epoch, unless the rules are those that are remembered."""
        rules = fingerprint(router)
        remembered = ""
        with suppress(OSError, UnicodeDecodeError):
            remembered = self._memory.read_text(encoding="utf-8")
        if rules == remembered:
            return
        await self._maildrop.raise_epoch()
        self._is_stale = True
        try:
            replace_text(self._memory, rules)
        except OSError as error:  # then another epoch begins at the next start: more work, and no harm
            self._log.error("cannot remember the routing rules", reason=str(error))
        self._log.info("new routing rules are in force")

    async def _decide(self, unsorted: Unsorted, verdicts: Sequence[Verdict], now_us: int) -> list[Decision]:
        """Decide on each recipient, in order, then on the damaged."""
        cases = [
            case
            for recipient, verdict in zip(unsorted.recipients, verdicts, strict=True)
            if (case := _find_case(recipient, verdict)) is not None
        ]
        cases += [case_of_damaged(damaged, R451_DAMAGED) for damaged in unsorted.damaged]
        reports = await self._report(cases) if cases else {}
        decisions = [
            self._complete(recipient, verdict.decision, reports, now_us)
            for recipient, verdict in zip(unsorted.recipients, verdicts, strict=True)
        ]
        return decisions + [
            Aside(damaged.recipient_id, R451_DAMAGED, reports.get(damaged.recipient_id))
            for damaged in unsorted.damaged
        ]

    def _complete(
        self,
        recipient: UnsortedRecipient,
        decision: Decision,
        reports: Mapping[int, NewMessage],
        now_us: int,
    ) -> Decision:
        """Give a decision the report of it, if there is one; one on a report itself, the time of that."""
        if isinstance(decision, Sorted) and recipient.is_report:
            return replace(decision, not_before_us=self._pace.find_time(decision.address, now_us))
        if isinstance(decision, Refused | Expanded) and recipient.id in reports:
            return replace(decision, report=reports[recipient.id])
        return decision

    def _tell(self, unsorted: Unsorted, decisions: Sequence[Decision], verdicts: Sequence[Verdict]) -> None:
        for recipient, decision, verdict in zip(unsorted.recipients, decisions, verdicts, strict=False):
            tell_sorted(recipient, decision, verdict.looks, self._log, self._tell_event)
        tell_reports(unsorted.recipients, decisions, self._tell_event)
        for damaged in unsorted.damaged:
            tell_damaged(damaged, self._log, self._tell_event)


def _find_case(recipient: UnsortedRecipient, verdict: Verdict) -> Case | None:
    """Describe what a sender may have to be told of."""
    match verdict.decision:
        case Refused(_, reply):
            return case_of_unsorted(recipient, Fate.FAILED, reply)
        case Expanded() if verdict.success is not None:
            return case_of_unsorted(recipient, verdict.success, _EXPANDED[verdict.success])
    return None
