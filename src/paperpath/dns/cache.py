"""Answers that are still true, by question; least recently used go first.

Used by the resolver. Bounded by the octets that the answers had on the wire, since strangers choose what we
ask for: a bound on their number alone would let each of them be as large as can be.
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

from paperpath.dns.answer import Answer

MOST_OCTETS = 4 * 2**20
ENTRY_OCTETS = 512
"""What an answer costs beside its own octets; so there are never more than 8192."""


class Cache:
    """Answers that expire. Who asks gives the time, in the seconds of `Answer.expires_s`."""

    def __init__(self, most_octets: int = MOST_OCTETS) -> None:
        """Begin without any."""
        self._most = most_octets
        self._octets = 0
        self._entries: OrderedDict[Hashable, tuple[Answer[Any], int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, key: Hashable, now_s: float) -> Answer[Any] | None:
        """Return the answer, if there is one that is still true."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry[0].expires_s <= now_s:
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def keep(self, key: Hashable, answer: Answer[Any], size: int) -> None:
        """Keep an answer that had `size` octets, in place of an earlier one."""
        self._drop(key)
        self._entries[key] = answer, size + ENTRY_OCTETS
        self._octets += size + ENTRY_OCTETS
        while self._octets > self._most:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._octets -= entry[1]
