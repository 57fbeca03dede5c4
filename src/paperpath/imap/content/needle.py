"""A text that is looked for, without regard to case (RFC 9051 §6.4.4), in texts that come piece by piece.

Used by text_search.py; `fold` also by whoever compares texts.
"""

import unicodedata
from collections.abc import Iterable

_MOST_BUFFERED = 64 * 1024


class Needle:
    """What is looked for."""

    def __init__(self, text: str) -> None:
        """Prepare to look for a text."""
        self._folded = fold(text)

    def is_in(self, text: str) -> bool:
        """Tell whether it stands in a text."""
        return self._folded in fold(text)

    def is_in_any(self, pieces: Iterable[str]) -> bool:
        """Tell whether it stands in a text of which pieces come, over where they are cut too."""
        carried, before = "", ""
        for piece in pieces:
            text = carried + piece
            # Lines stay whole, unless they are very long: a character may be several, on one line.
            end = len(text) if len(text) > _MOST_BUFFERED else text.rfind("\n") + 1
            before, found = self._look(before, text[:end])
            if found:
                return True
            carried = text[end:]
        return self._look(before, carried)[1]

    def _look(self, before: str, text: str) -> tuple[str, bool]:
        folded = before + fold(text)
        keep = len(self._folded) - 1
        return folded[-keep:] if keep > 0 else "", self._folded in folded


def fold(text: str) -> str:
    """Return what is the same for texts that differ in case only, or in how characters are composed."""
    if text.isascii():
        return text.lower().replace("\t", " ")
    folded = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", folded).replace("\t", " ")
