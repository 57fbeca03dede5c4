"""Clients that no list has, for as long as that is known: whoever comes again is not looked up anew.

One for each list desk, whose most frequent case this is. What was said by the answers that are true until a
time is kept until then, and no longer than every list does in its tests as it did.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from paperpath.intake.client_lists import Look

MOST_STRANGERS = 4096


@dataclass(frozen=True, slots=True)
class _Stranger:
    looks: Sequence[Look]
    until_s: float
    epoch: int


class Strangers:
    """Clients by their addresses; those that were noted first go first."""

    def __init__(self, most: int = MOST_STRANGERS) -> None:
        """Know none."""
        self._most = most
        self._known: OrderedDict[str, _Stranger] = OrderedDict()

    def note(self, address: str, looks: Sequence[Look], until_s: float, epoch: int) -> None:
        """Keep what the lists said; `epoch` is that of their tests."""
        self._known[address] = _Stranger(looks, until_s, epoch)
        if len(self._known) > self._most:
            self._known.popitem(last=False)

    def find(self, address: str, now_s: float, epoch: int) -> Sequence[Look] | None:
        """Return what the lists said, if that is still true."""
        known = self._known.get(address)
        if known is None:
            return None
        if known.until_s <= now_s or known.epoch != epoch:
            del self._known[address]
            return None
        return known.looks
