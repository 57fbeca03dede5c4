"""What is said of networks: of those that contain an address, the longest comes first.

Used by the access rules. The cost of a look-up is that of the lengths that occur, not of the table.
"""

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from paperpath.config.prefix import WIDTHS, Prefix

Value = TypeVar("Value")


class PrefixTable(Generic[Value]):
    """Values by network; what is said last of one holds."""

    def __init__(self, entries: Iterable[tuple[Prefix, Value]]) -> None:
        """Index the entries."""
        levels: dict[int, dict[int, dict[int, Value]]] = {version: {} for version in WIDTHS}
        for (version, length, bits), value in entries:
            level = levels[version].get(length)
            if level is None:
                level = levels[version][length] = {}
            level[bits] = value
        self._levels = {version: sorted(found.items(), reverse=True) for version, found in levels.items()}

    def find_all(self, clients: Prefix) -> Iterator[Value]:
        """Give what is said of every network that contains an address, or a network, the longest first."""
        version, length, bits = clients
        for at, level in self._levels[version]:
            if at <= length and (value := level.get(bits >> (length - at))) is not None:
                yield value
