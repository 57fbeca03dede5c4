"""Patterns of LIST: `*` stands for anything, `%` for anything within one level (RFC 9051 §6.3.9); pure.

A pattern is followed through a name in all ways at once, one bit for each place in it, so no pattern takes
longer than another of its length.
"""

import re
from collections import defaultdict

from paperpath.folders.store.values import INBOX, SEPARATOR


class NamePattern:
    """One pattern. INBOX is meant in any case where it stands as the first level."""

    def __init__(self, pattern: str) -> None:
        """Prepare to compare names with it."""
        first, separator, rest = pattern.partition(SEPARATOR)
        if first.upper() == INBOX:
            pattern = INBOX + separator + rest
        # A run of wildcards is one, so behind none of them stands another.
        pattern = re.sub(r"%*\*[*%]*|%+", lambda run: "*" if "*" in run[0] else "%", pattern)
        self._stars = self._wilds = 0
        self._steps: defaultdict[str, int] = defaultdict(int)
        for place, character in enumerate(pattern):
            if character == "*":
                self._stars |= 1 << place
            elif character == "%":
                self._wilds |= 1 << place
            else:
                self._steps[character] |= 1 << place
        self._end = 1 << len(pattern)
        self._begin = self._pass_wild(1)

    def matches(self, name: str) -> bool:
        """Tell whether a name is meant."""
        places = self._begin
        for character in name:
            stay = places & (self._stars if character == SEPARATOR else self._stars | self._wilds)
            places = self._pass_wild((places & self._steps.get(character, 0)) << 1 | stay)
            if not places:
                return False
        return bool(places & self._end)

    def _pass_wild(self, places: int) -> int:
        """Return the places, and those behind wildcards, which may stand for nothing."""
        wild = self._stars | self._wilds
        return places | (places & wild) << 1
