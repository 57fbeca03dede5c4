"""How much smtpld may hold of what is delivered slowly: pure. Asked before each claim, and of what that got.

What is claimed and waits here keeps nobody else's mail in the maildrop, as long as it is not too much: of one
destination no more than its jobs need to be never without work, and of all together no more than there is
memory for. What is beyond that stays in the maildrop, or goes back as it was.
"""

from collections import Counter
from collections.abc import Iterable

from paperpath.local.lanes import Manner
from paperpath.maildrop.values import Claim, Rooms

_AHEAD = 2  # so much of what its jobs can take at once is held of a destination


class Holdings:
    """What is held, by destination."""

    def __init__(self, most: int) -> None:
        """Begin with nothing."""
        self._most = most
        self._total = 0
        self._held: Counter[str] = Counter()
        self._most_of: dict[str, int] = {}
        self._turned_away: set[str] = set()  # since there was room for others last

    def admit(self, claim: Claim, manner: Manner) -> bool:
        """Hold a claim, or tell that it is to go back."""
        destination = claim.destination
        most = manner.most_at_once * manner.most_together * _AHEAD
        if self._total >= self._most:
            self._turned_away.add(destination)
        if self._total >= self._most or self._held[destination] >= most:
            return False
        self._most_of[destination] = most
        self._held[destination] += 1
        self._total += 1
        return True

    def release(self, claims: Iterable[Claim]) -> None:
        """Hold claims no more, for they are delivered or go back."""
        for claim in claims:
            self._total -= 1
            self._held[claim.destination] -= 1
            if not self._held[claim.destination]:
                del self._held[claim.destination], self._most_of[claim.destination]
        if self._total < self._most:
            self._turned_away.clear()

    def rooms(self, other: int) -> Rooms:
        """Return how many may be claimed for each destination; of one that nothing is held of, `other`."""
        left = self._most - self._total
        named = {name: min(left, most - self._held[name]) for name, most in self._most_of.items()}
        return Rooms(other, {**named, **dict.fromkeys(self._turned_away, 0)})
