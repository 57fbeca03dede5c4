"""What a maildrop is to the programs around it: its operations, and what each leaves durable.

Every engine (memory, sqlite) keeps this interface and passes the suite in `paperpath.testing.maildrop_suite`.
The life of a recipient, which these operations move along, is told in docs/maildrop-states.md. The engine
stores and answers; it makes no report and knows no route, no policy and no clock: times are arguments,
microseconds since 1970.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from paperpath.maildrop.values import (
    ANY_ROOM,
    Books,
    Claimed,
    ClaimedMessage,
    Content,
    Decision,
    Deed,
    NewMessage,
    Overdue,
    QueueEntry,
    QueueFilter,
    QueueSummary,
    Rooms,
    Settlement,
    Suspension,
    Transport,
    Unsorted,
    Warned,
)


class ContentWriter(Protocol):
    """Takes the octets of one message as they come; small ones in memory, large ones in a file."""

    def write(self, octets: bytes) -> None:
        """Append. Raises StorageError."""

    def finish(self) -> asyncio.Future[Content]:
        """Complete the content; when the future is done a file is flushed, its name too."""

    def discard(self) -> None:
        """Give the content up, and whatever file it had; not while `finish` runs, nor once it is accepted."""


class Maildrop(Protocol):
    """One worker's door to the queue. Futures fail with `MaildropError`; then nothing was changed."""

    def new_queue_id(self, arrived_us: int) -> str:
        """Make a public id: sortable by time, never used before, whatever the clock does."""

    def new_content(self, queue_id: str) -> ContentWriter:
        """Begin the content of a message."""

    def accept(self, message: NewMessage) -> asyncio.Future[None]:
        """Take responsibility: when done, message and recipients are flushed, all recipients unsorted.

        A message whose `unique` key was taken before and not forgotten is not taken again; that is no error.
        """

    def forget_unique(self, keys: Sequence[str]) -> asyncio.Future[None]:
        """Forget keys under which messages were taken, for nobody can ask to take them again."""

    def read_unique(self, after: str, limit: int) -> Sequence[str]:
        """Return keys under which messages were taken, in order, those after one."""

    # The post office

    def read_epoch(self) -> int:
        """Return the routing epoch."""

    def raise_epoch(self) -> asyncio.Future[int]:
        """Begin a new routing epoch, and give it; what was decided under an older one is passed over."""

    def read_unsorted(self, limit: int) -> Unsorted:
        """Return the oldest recipients that wait for sorting."""

    def sort(self, decisions: Sequence[Decision], epoch: int, now_us: int) -> asyncio.Future[int]:
        """Carry out decisions on recipients that are unsorted, made under the epoch; pass over others.

        Gives how many moved: none, where the epoch is no longer this one. A recipient that was sorted before
        and goes the same way again keeps the time it is due, and the failed contacts that count for it.
        """

    def reopen_stale(self, limit: int) -> asyncio.Future[int]:
        """Make ready recipients of older epochs unsorted, up to `limit`; gives how many."""

    def release_dead(self) -> asyncio.Future[int]:
        """Make the claims of dead workers ready again, marked as tried; gives how many."""

    def sweep_content(self, before_us: int) -> asyncio.Future[int]:
        """Remove content files without a message, last written before a time by a worker that is dead now.

        Gives how many.
        """

    def sweep_destinations(self, before_us: int, limit: int) -> asyncio.Future[int]:
        """Forget up to `limit` destinations that no recipient names, unless suspended until a time or later.

        Gives how many; none while so many recipients wait that to look at them all would hold others up.
        """

    # Delivery

    def claim(
        self, transport: Transport, limit: int, now_us: int, rooms: Rooms = ANY_ROOM
    ) -> asyncio.Future[Claimed]:
        """Claim recipients that are due, a unit of each destination in turn, the longest due first.

        It ends with the unit that reaches `limit`, which may be exceeded, for a unit is claimed whole. Of a
        suspended destination none is claimed; one unit, as a probe, when its time is over. The claims are
        flushed before they are given. One message's recipients share one `ClaimedMessage`. What is due, or
        suspended, until later than `MOST_PAUSE_US` from now is taken for due: nothing is put off that long,
        so the clock was set back. Fails where the disk is all but full.
        """

    def claim_overdue(
        self, transport: Transport, destination: str, overdue: Overdue, limit: int
    ) -> asyncio.Future[Claimed]:
        """Claim ready recipients of one destination whose time is over, to be given up; no probe.

        They need not be due, and the destination may be suspended. Only the `MOST_LOOKED_AT` that are due
        first are looked at. Fails where the disk is all but full.
        """

    def give_back(self, recipient_ids: Sequence[int]) -> asyncio.Future[int]:
        """Make claims of ours, for which nothing was attempted, ready again as they were; gives how many."""

    def settle(self, settlements: Sequence[Settlement]) -> asyncio.Future[int]:
        """Record outcomes of our own claims; others are passed over, and their reports with them.

        A message with nobody left is removed. Gives how many were settled; when done they are flushed.
        """

    def suspend(
        self, transport: Transport, destination: str, until_us: int, reason: str
    ) -> asyncio.Future[None]:
        """Let nobody claim for a destination before a time, then one unit at a time, until it is resumed.

        That is a failed contact: it counts as an attempt for each recipient that is sorted there.
        """

    def resume(self, transport: Transport, destination: str) -> asyncio.Future[None]:
        """Have a destination claimed for as any other; the contacts that failed in a row are over."""

    def read_suspensions(self, transport: Transport) -> Sequence[Suspension]:
        """Return the destinations that are suspended."""

    # Delays

    def find_late(self, arrived_before_us: int, after: int, limit: int) -> Sequence[int]:
        """Return ready recipients of messages that came before a time, whose delay was not reported yet.

        By number, beginning after one; of those that are ready there the first `MOST_LOOKED_AT` whose delay
        was not reported are looked at.
        """

    def warn(self, warnings: Sequence[Warned]) -> asyncio.Future[int]:
        """Note that delays are reported, and accept the reports; gives how many.

        Passed over are recipients that are settled or were warned before, and their reports with them.
        """

    # The operator

    def find(self, wanted: QueueFilter, after: int, limit: int) -> Sequence[QueueEntry]:
        """Return open recipients that match, by number; the next page begins after the last number of one."""

    def browse(self, user: str | None, after: tuple[int, int], limit: int) -> Sequence[QueueEntry]:
        """Return open recipients, message by message: of what a user of this host handed in here, or of all.

        A user is named as in `Client.account`. The next page begins after the numbers of the last one's
        message and recipient. What others have in the queue makes it no slower.
        """

    def summarize(self) -> Sequence[QueueSummary]:
        """Count open recipients by state and destination."""

    def read_message(self, queue_id: str) -> ClaimedMessage | None:
        """Return a message that has open recipients. Raises: MaildropError, where it is damaged."""

    def examine(self, recipient_ids: Sequence[int]) -> Claimed:
        """Return recipients with their messages as a claim would, whatever their state, claiming none."""

    def change(self, recipient_ids: Sequence[int], deed: Deed) -> asyncio.Future[int]:
        """Carry out an operator's deed on recipients that are not claimed; gives how many it changed."""

    def settle_unclaimed(self, settlements: Sequence[Settlement]) -> asyncio.Future[int]:
        """Settle recipients that nobody has claimed, as failed; gives how many."""

    def read_books(self) -> Books:
        """Count, at one moment."""

    async def close(self) -> None:
        """Finish what was begun, then let go; claims that are still open count as a dead worker's."""
