"""An operator's deed carried out on a selection: by pages, each in one transaction.

Called by the commands of `paperpath queue`. First the selection is looked through, to its last number: what
comes in meanwhile, the reports that a deed makes among it, is not part of it. Whatever is being delivered
just now is passed over, for its outcome is not known.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from paperpath.commands.queue_selection import Selection, read_pages
from paperpath.journal.events import Ordered, Tell
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.values import Deed, QueueEntry, State

UNCLAIMED = frozenset({State.UNSORTED, State.READY, State.HELD})

Apply = Callable[[Sequence[QueueEntry]], Awaitable[int]]
"""Does the deed on entries of one page; gives how many it changed."""


@dataclass(slots=True)
class Tally:
    """What became of the recipients that matched.

    `delivering` are claimed; `unfit` are in a state that the deed is not for; `lost` changed meanwhile, or
    are damaged.
    """

    changed: int = 0
    delivering: int = 0
    unfit: int = 0
    lost: int = 0

    @property
    def matched(self) -> int:
        """How many there were."""
        return self.changed + self.delivering + self.unfit + self.lost


async def survey(maildrop: Maildrop, selection: Selection, fits: frozenset[State]) -> tuple[Tally, int]:
    """Count what a deed would change, had it all its way; and give the last number that matches."""
    tally, last = Tally(), 0
    for page in read_pages(maildrop, selection):
        tally.changed += len(_sift(page, fits, tally))
        last = max(last, page[-1].recipient_id)
    return tally, last


async def carry_out(
    maildrop: Maildrop, selection: Selection, fits: frozenset[State], apply: Apply, tally: Tally
) -> None:
    """Do a deed, counting as it goes, so that the count stands even where the rest fails.

    Raises: MaildropError.
    """
    _, last = await survey(maildrop, selection, fits)
    for page in read_pages(maildrop, selection, upto=last):
        fitting = _sift(page, fits, tally)
        if fitting:
            changed = await apply(fitting)
            tally.changed += changed
            tally.lost += len(fitting) - changed


def changing(maildrop: Maildrop, deed: Deed) -> Apply:
    """Do what the maildrop can do by itself."""

    async def apply(entries: Sequence[QueueEntry]) -> int:
        return await maildrop.change([entry.recipient_id for entry in entries], deed)

    return apply


def telling(apply: Apply, tell: Tell, operator: str, deed: str, detail: str) -> Apply:
    """Do what `apply` does, and tell the journal what was ordered by whom (promise P9)."""

    async def apply_and_tell(entries: Sequence[QueueEntry]) -> int:
        changed = await apply(entries)
        if changed:
            for entry in entries:
                tell(Ordered(entry.queue_id, entry.address, operator, deed, detail))
        return changed

    return apply_and_tell


def _sift(page: Sequence[QueueEntry], fits: frozenset[State], tally: Tally) -> list[QueueEntry]:
    """Return the entries that a deed is for, and count the others."""
    fitting = [entry for entry in page if entry.state in fits]
    delivering = sum(entry.state is State.CLAIMED for entry in page)
    tally.delivering += delivering
    tally.unfit += len(page) - len(fitting) - delivering
    return fitting
