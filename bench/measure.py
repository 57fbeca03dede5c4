"""Figures of several rounds: their median with its spread, and tables in plain text.

Pure: everything goes in and comes out as values. It does not know how the figures were taken.
"""

import dataclasses
import statistics
from collections.abc import Iterable, Sequence


@dataclasses.dataclass(frozen=True)
class Spread:
    """A median with the least and the greatest value it stands for."""

    median: float
    least: float
    greatest: float

    def show(self, digits: int) -> str:
        """The median, and the range in brackets."""
        return f"{self.median:.{digits}f} [{self.least:.{digits}f}..{self.greatest:.{digits}f}]"


def spread(values: Iterable[float]) -> Spread:
    """The median, least and greatest of at least one value."""
    known = sorted(values)
    return Spread(statistics.median(known), known[0], known[-1])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns of text, left-aligned, with a rule under the head; no trailing spaces, no final newline."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
