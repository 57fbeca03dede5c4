"""How much smtpld may hold of what is delivered slowly: pure. Asked before each claim, and of what that got.

What is claimed and waits here keeps nobody else's mail in the maildrop, as long as it is not too much: of one
destination no more than its jobs need to be never without work, of all together no more than there is memory
for, and of those that can hang together, a family, no more than is left for others. What is beyond that stays
in the maildrop, or goes back as it was.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from paperpath.local.lanes import Manner
from paperpath.maildrop.values import Claim, Rooms

_AHEAD = 2  # so much of what its jobs can take at once is held of a destination
_FORGIVING = 20  # who was turned away is asked for when there is room for such a part of all, or nothing held


@dataclass(slots=True)
class _Share:
    """What is held of a destination: how much, how much that may be, and of which family it is."""

    family: Hashable
    most: int
    held: int = 0


class Holdings:
    """What is held, by destination."""

    def __init__(self, most: int) -> None:
        """Begin with nothing."""
        self._most = most
        self._total = 0
        self._shares: dict[str, _Share] = {}
        self._held_of: Counter[Hashable] = Counter()  # by family
        self._turned_away: defaultdict[Hashable, set[str]] = defaultdict(set)  # destinations by family

    def admit(self, claim: Claim, manner: Manner, family: Hashable) -> bool:
        """Hold a claim, or tell that it is to go back."""
        share = self._shares.get(claim.destination)
        if share is None:
            share = _Share(family, manner.most_at_once * manner.most_together * _AHEAD)
        if self._room_of(share.family) <= 0:
            self._turned_away[share.family].add(claim.destination)
            return False
        if share.held >= share.most:
            return False
        self._shares[claim.destination] = share
        share.held += 1
        self._held_of[share.family] += 1
        self._total += 1
        return True

    def release(self, claims: Iterable[Claim]) -> None:
        """Hold claims no more, for they are delivered or go back."""
        for claim in claims:
            share = self._shares[claim.destination]
            share.held -= 1
            self._held_of[share.family] -= 1
            self._total -= 1
            if not share.held:
                del self._shares[claim.destination]
        self._held_of += Counter()  # which forgets of whom nothing is held
        for family in list(self._turned_away):
            wanted = self._most // _FORGIVING if self._held_of[family] else 0
            if self._room_of(family) > wanted:
                del self._turned_away[family]

    def rooms(self, other: int) -> Rooms:
        """Return how many may be claimed for each destination; of one that nothing is held of, `other`."""
        named = {
            name: max(0, min(self._room_of(share.family), share.most - share.held))
            for name, share in self._shares.items()
        }
        for destinations in self._turned_away.values():
            named |= dict.fromkeys(destinations, 0)
        return Rooms(other, named)

    def _room_of(self, family: Hashable) -> int:
        """Return how much more may be held of a family: as long as it leaves as much to others as it has."""
        return self._most - self._total - self._held_of[family]
