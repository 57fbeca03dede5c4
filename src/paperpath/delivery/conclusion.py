"""The end of attempts, the same for all ways out: given up or not, reported, settled, told.

Called with what became of claims, however that came about. Nobody else can settle them as long as this worker
lives, so it is tried until it is done.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from paperpath.delivery.circles import hush
from paperpath.delivery.reports import make_clerk
from paperpath.delivery.schedule import judge, make_patience
from paperpath.delivery.settling import make_settlements, settle_untold
from paperpath.delivery.telling import tell_settled
from paperpath.journal.writer import Journal
from paperpath.mail.outcome import Forwarded, Outcome
from paperpath.maildrop.errors import MaildropError
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.values import Claim, Claimed, NewMessage, Settlement
from paperpath.service.program import Life

TROUBLE_PAUSE_S = 1.0

FindPlace = Callable[[Claim, Outcome], str]

_NONE_FORWARDED: Mapping[int, NewMessage] = {}


class Conclusion:
    """Concludes attempts for one program."""

    def __init__(self, life: Life, maildrop: Maildrop, journal: Journal, now_us: Callable[[], int]) -> None:
        """Take what it works with."""
        self._life = life
        self._maildrop = maildrop
        self._journal = journal
        self._now_us = now_us

    async def conclude(
        self,
        claimed: Claimed,
        outcomes: Sequence[Outcome],
        begun_us: Sequence[int],
        find_place: FindPlace,
        forwarded: Mapping[int, NewMessage] = _NONE_FORWARDED,
    ) -> None:
        """Settle claims with the outcomes of attempts that began then, all in the same order; tell of them.

        `forwarded`: by recipient, the messages that they go on as. The damaged are set aside. After it
        nothing of it is ours any more, unless the program is ending.
        """
        settlements = [
            _go_on(settlement, forwarded) for settlement in await self._decide(claimed, outcomes, begun_us)
        ]
        await self._settle(settlements)
        tell_settled(claimed, settlements, find_place, self._life.log, self._journal.tell)

    async def _decide(
        self, claimed: Claimed, outcomes: Sequence[Outcome], begun_us: Sequence[int]
    ) -> list[Settlement]:
        """Decide what is given up, and make what is to be told."""
        configuration = self._life.configuration
        patience = make_patience(configuration.delivery)
        final = [
            hush(claim, judge(claim, outcome, moment_us, patience))
            for claim, outcome, moment_us in zip(claimed.claims, outcomes, begun_us, strict=True)
        ]
        try:
            return await make_settlements(
                claimed, final, self._maildrop, make_clerk(configuration), self._now_us()
            )
        except Exception as error:  # noqa: BLE001 - whatever it was, these claims are ours to settle
            self._life.log.error("cannot report", reason=repr(error))
            return settle_untold(claimed, final, self._now_us())

    async def give_back(self, claims: Sequence[Claim]) -> None:
        """Leave claims for which nothing was attempted to another time, or to whoever comes after us."""
        numbers = [claim.recipient_id for claim in claims]
        if numbers:
            await self._persist("give back", lambda: self._maildrop.give_back(numbers))

    async def _settle(self, settlements: Sequence[Settlement]) -> None:
        await self._persist("settle", lambda: self._maildrop.settle(settlements))

    async def _persist(self, what: str, act: Callable[[], Awaitable[object]]) -> None:
        """Do something to the maildrop until it is done, or the program is ending."""
        while True:
            try:
                await act()
                return
            except MaildropError as error:
                self._life.log.error(f"cannot {what}", reason=str(error))
            if self._life.ending:
                return  # they are a dead worker's claims then, and ready again
            await asyncio.sleep(TROUBLE_PAUSE_S)


def _go_on(settlement: Settlement, forwarded: Mapping[int, NewMessage]) -> Settlement:
    if not isinstance(settlement.outcome, Forwarded):
        return settlement
    return replace(settlement, report=forwarded[settlement.recipient_id])
