"""A job on its way, as smtprcd sees it: for which claims, since when. Pure.

Kept by the dispatch. By LMTP some recipients have their answer before the others; the flight is split then,
and what has landed is settled at once (RFC 2033 §5).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Self, TypeVar

from paperpath.mail.value import value
from paperpath.maildrop.values import Claim

_Answer = TypeVar("_Answer")


@value
class Flight:
    """A job, or what is left of it; `places` are those of its claims among the recipients of the job."""

    claims: tuple[Claim, ...]
    places: tuple[int, ...]
    begun_us: int
    begun_s: float

    @property
    def destination(self) -> str:
        """Where it goes."""
        return self.claims[0].destination

    def pick(self, answers: Sequence[_Answer]) -> list[_Answer]:
        """Return the answers for the claims, of those for all recipients of the job."""
        return [answers[place] for place in self.places]

    def split(self, places: Sequence[int]) -> tuple[Self, Self]:
        """Return what has landed, whose places these are in their order, and what has not."""
        claims = dict(zip(self.places, self.claims, strict=True))
        left = tuple(place for place in self.places if place not in places)
        landed = replace(self, claims=tuple(claims[place] for place in places), places=tuple(places))
        return landed, replace(self, claims=tuple(claims[place] for place in left), places=left)


def begin_flight(claims: Sequence[Claim], begun_us: int, begun_s: float) -> Flight:
    """Begin with all recipients of a job on their way."""
    return Flight(tuple(claims), tuple(range(len(claims))), begun_us, begun_s)
