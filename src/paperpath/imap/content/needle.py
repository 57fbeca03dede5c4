"""A text that is looked for, without regard to case (RFC 9051 §6.4.4), in texts that come piece by piece.

Used by text_search.py; `fold` also by whoever compares texts.
"""

import re
import unicodedata
from collections.abc import Iterable

_SHOWN_OTHERWISE = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\ufffd]")
_MOST_BUFFERED = 64 * 1024


class Needle:
    """What is looked for."""

    def __init__(self, text: str) -> None:
        """Prepare to look for a text."""
        self._folded = fold(text)
        self.octets = self._folded.encode("utf-8", "replace")
        """It as texts have it that are kept."""

    @property
    def is_in_one_line(self) -> bool:
        """Whether it has no character that ends a line, or stands for one where a header is shown."""
        return _SHOWN_OTHERWISE.search(self._folded) is None

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
    # No character changes with one in another line, and of most texts few lines need the slow way.
    return "\n".join(map(_fold_line, text.split("\n"))).replace("\t", " ")


def _fold_line(line: str) -> str:
    if line.isascii():
        return line.lower()
    folded = unicodedata.normalize("NFKC", line).casefold()
    return unicodedata.normalize("NFKC", folded)
